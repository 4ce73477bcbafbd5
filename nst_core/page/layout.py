"""What stands where on a tab. Nothing here reacts to anything."""

from typing import Any

import gradio as gr

from ..files.samples import CONTENTS, STYLES
from ..settings import ServingSettings
from .controls import control, explained
from .kinds import Kind
from .live import CONTINUE_LABEL, WELCOME
from .panels import more_styles, parts_of_styles, regions, restoring, settings_under
from .parts import Parts
from .pictures import Samples, picture_input

FIRST_CONTENT, FIRST_STYLE = next(iter(CONTENTS)), next(iter(STYLES))


def arrange(kind: Kind, samples: Samples, limits: ServingSettings, weights_line: str) -> Parts:
    """Everything on a tab: pictures, result, controls.

    They stand below each other on a telephone; elsewhere the result has a column of its own.
    """
    gr.Markdown(kind.words, elem_classes="nst-words")
    with gr.Row(elem_classes="nst-columns"):
        with gr.Column(elem_classes="nst-pictures"):
            parts = _pictures(kind, samples)
        with gr.Column(elem_classes="nst-result"):
            parts |= _result(kind)
        with gr.Column(elem_classes="nst-controls"):
            settings: dict[str, Any] = {}
            parts |= _main_controls(kind, limits, settings)
            gr.Markdown(weights_line, elem_id=kind.id("weights"), elem_classes="nst-small")
            parts |= _folded(kind, limits, settings)
            parts |= restoring(kind)
    if kind.styles:
        parts["styles"] = [parts.pop("style"), *parts.pop("others")]
    return Parts(kind=kind, settings=settings, rest=gr.State({}), **parts)


def _pictures(kind: Kind, samples: Samples) -> dict[str, Any]:
    parts: dict[str, Any] = {"samples": {}}
    with gr.Row(equal_height=False, elem_classes="nst-pair"):
        for name, there, names, first in (
            ("content", kind.content, CONTENTS, FIRST_CONTENT),
            ("style", kind.styles, STYLES, FIRST_STYLE),
        ):
            if there:
                with gr.Column(min_width=150):
                    file = samples.files[first]
                    parts[name] = picture_input(name.capitalize(), kind.id(name), file)
                    parts["samples"][name] = gallery(
                        samples,
                        list(names),
                        kind.id(f"{name}_samples"),
                        3 if kind.has_regions else 6,
                    )
    with gr.Row(elem_classes="nst-buttons"):
        run = gr.Button("Run", variant="primary", elem_id=kind.id("run"), min_width=110, scale=3)
        stop = gr.Button("Stop", variant="stop", elem_id=kind.id("stop"), min_width=70, scale=1)
        resume = gr.Button(
            CONTINUE_LABEL, visible=False, elem_id=kind.id("continue"), min_width=90, scale=1
        )
        if kind.has_regions:
            parts["swap"] = gr.Button("⇄ Swap", elem_id=kind.id("swap"), min_width=80, scale=1)
    plan = gr.HTML(elem_id=kind.id("plan"), elem_classes="nst-small", min_height=0)
    return {**parts, "run": run, "stop": stop, "resume": resume, "plan": plan}


def gallery(samples: Samples, names: list[str], name: str, columns: int) -> gr.Gallery:
    """Samples to click on."""
    return gr.Gallery(
        [(str(samples.files[sample]), sample) for sample in names],
        label="Samples",
        show_label=False,
        columns=columns,
        height="auto",
        allow_preview=False,
        object_fit="cover",
        interactive=False,
        buttons=[],
        elem_id=name,
        elem_classes="nst-samples",
    )


def _main_controls(kind: Kind, limits: ServingSettings, settings: dict[str, Any]) -> dict[str, Any]:
    """The preset and the most important settings, which are added to `settings`."""
    usual, several = kind.presets[0], len(kind.presets) > 1
    preset = (
        gr.Dropdown(
            list(kind.presets),
            value=usual,
            label="Preset",
            elem_id=kind.id("preset"),
            filterable=False,
        )
        if several
        else gr.State(usual)
    )
    explanation = gr.Markdown(
        explained(usual), elem_id=kind.id("explanation"), elem_classes="nst-small"
    )
    strength = (
        control("style_strength", limits, elem_id=kind.id("style_strength"))
        if kind.has_regions
        else gr.State(1.0)
    )
    settings_under(kind, kind.main, limits, settings)
    return {"preset": preset, "explanation": explanation, "strength": strength}


def _folded(kind: Kind, limits: ServingSettings, settings: dict[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if kind.styles:
        parts |= more_styles(kind, limits)
    if kind.has_regions:
        parts |= regions(kind, limits, settings)
    if kind.styles:
        canvases, uploads = parts_of_styles(kind)
        parts["parts"] = canvases
        parts["uploads"] = [*parts.get("uploads", []), *uploads]
    for title, names in kind.folded.items():
        name = title.split(" ")[0].lower()
        with gr.Accordion(title, open=False, elem_id=kind.id(f"{name}_panel")), gr.Row():
            settings_under(kind, names, limits, settings)
    return parts


def _result(kind: Kind) -> dict[str, Any]:
    status = gr.HTML(elem_id=kind.id("status"), min_height=0)
    live = gr.HTML(WELCOME, elem_id=kind.id("live"))
    slider = gr.ImageSlider(
        label="Before and after",
        type="filepath",
        interactive=False,
        visible=False,
        max_height=560,
        elem_id=kind.id("slider"),
    )
    with gr.Row(visible=False, elem_classes="nst-buttons") as downloads:
        picture = gr.DownloadButton(
            "Download PNG", variant="primary", elem_id=kind.id("download"), min_width=140
        )
        workflow = gr.DownloadButton("ComfyUI workflow", elem_id=kind.id("workflow"), min_width=140)
    note = gr.Markdown(visible=False, elem_id=kind.id("note"), elem_classes="nst-small")
    return {
        "status": status,
        "live": live,
        "slider": slider,
        "downloads": downloads,
        "picture": picture,
        "workflow": workflow,
        "note": note,
        "curve": gr.HTML(elem_id=kind.id("curve")),
    }
