"""What stands where on the page. Nothing here reacts to anything."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..samples import CONTENTS, STYLES
from .controls import (
    LOSSES,
    NAMES,
    SEARCH,
    STRENGTH_HELP,
    STRENGTHS,
    control,
    explained,
    preset_names,
)
from .limits import Limits
from .live import WELCOME
from .pictures import Samples, picture_input

STYLE_SLOTS = 4
FIRST_CONTENT, FIRST_STYLE = next(iter(CONTENTS)), next(iter(STYLES))


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The components that something happens to or with."""

    content: Any
    styles: list[Any]
    shares: list[Any]
    content_samples: Any
    style_samples: Any
    swap: Any
    preset: Any
    explanation: Any
    strength: Any
    settings: list[Any]
    rest: Any
    run: Any
    stop: Any
    dropped: Any
    restored: Any
    status: Any
    live: Any
    slider: Any
    downloads: Any
    picture: Any
    workflow: Any
    curve: Any


def arrange(samples: Samples, limits: Limits, weights_line: str) -> Parts:
    """Everything on the page: pictures, result, controls.

    They stand below each other on a telephone; elsewhere the result has a column of its own.
    """
    gr.Markdown(
        "# Neural style transfer\nTwo pictures in, one out: what the first shows, painted like "
        "the second. Press **Run**.",
        elem_id="title",
    )
    with gr.Row(elem_id="columns"):
        with gr.Column(elem_id="pictures"):
            parts = _pictures(samples)
        with gr.Column(elem_id="result"):
            parts |= _result()
        with gr.Column(elem_id="controls"):
            parts |= _main_controls(limits)
            gr.Markdown(weights_line, elem_id="weights")
            parts |= _more_styles()
            parts |= _folded(limits, parts.pop("main"))
    parts["styles"] = [parts.pop("style"), *parts.pop("others")]
    return Parts(**parts)


def _pictures(samples: Samples) -> dict[str, Any]:
    files = samples.files
    with gr.Row(equal_height=False, elem_classes="nst-pair"):
        with gr.Column(min_width=150):
            content = picture_input("Content", "content", files[FIRST_CONTENT])
            content_samples = _gallery(samples, list(CONTENTS), "content_samples")
        with gr.Column(min_width=150):
            style = picture_input("Style", "style", files[FIRST_STYLE])
            style_samples = _gallery(samples, list(STYLES), "style_samples")
    with gr.Row(elem_classes="nst-buttons"):
        run = gr.Button("Run", variant="primary", elem_id="run", min_width=110, scale=3)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", min_width=70, scale=1)
        swap = gr.Button("⇄ Swap", elem_id="swap", min_width=80, scale=1)
    return {
        "run": run,
        "stop": stop,
        "content": content,
        "style": style,
        "content_samples": content_samples,
        "style_samples": style_samples,
        "swap": swap,
    }


def _gallery(samples: Samples, names: list[str], name: str) -> gr.Gallery:
    return gr.Gallery(
        [(str(samples.files[sample]), sample) for sample in names],
        label="Samples",
        show_label=False,
        columns=3,
        height="auto",
        allow_preview=False,
        object_fit="cover",
        interactive=False,
        buttons=[],
        elem_id=name,
        elem_classes="nst-samples",
    )


def _main_controls(limits: Limits) -> dict[str, Any]:
    preset = gr.Dropdown(
        preset_names(), value=preset_names()[0], label="Preset", elem_id="preset", filterable=False
    )
    explanation = gr.Markdown(explained(preset_names()[0]), elem_id="explanation")
    low, high, step = STRENGTHS
    strength = gr.Slider(
        low, high, 1, step=step, label="Style strength", info=STRENGTH_HELP, elem_id="strength"
    )
    main = {name: control(name, limits) for name in ("size", "steps")}
    return {
        "preset": preset,
        "explanation": explanation,
        "strength": strength,
        "main": main,
    }


def _more_styles() -> dict[str, Any]:
    others = []
    with gr.Accordion("More styles", open=False, elem_id="more_styles"):
        gr.Markdown("Several pictures make one style together. Only the ratio of shares counts.")
        shares = [_share(1, "Share of the first style")]
        with gr.Row():
            for number in range(2, STYLE_SLOTS + 1):
                with gr.Column(min_width=150):
                    others.append(picture_input(f"Style {number}", f"style_{number}"))
                    shares.append(_share(number, "Share"))
    return {"others": others, "shares": shares}


def _share(number: int, label: str) -> gr.Slider:
    return gr.Slider(0, 1, 1, step=0.05, label=label, elem_id=f"share_{number}")


def _folded(limits: Limits, controls: dict[str, Any]) -> dict[str, Any]:
    with gr.Accordion("Layers and weights", open=False, elem_id="losses"), gr.Row():
        controls |= {name: control(name, limits) for name in LOSSES}
    with gr.Accordion("Start, scales, seed", open=False, elem_id="search"), gr.Row():
        controls |= {name: control(name, limits) for name in SEARCH}
    with gr.Accordion("Restore the settings of a picture", open=False, elem_id="restore"):
        dropped = gr.File(
            label="Drop a PNG that was made here",
            file_types=[".png"],
            height=120,
            elem_id="dropped",
        )
        restored = gr.Markdown(elem_id="restored")
    return {
        "settings": [controls[name] for name in NAMES],
        "rest": gr.State({}),
        "dropped": dropped,
        "restored": restored,
    }


def _result() -> dict[str, Any]:
    status = gr.HTML(elem_id="status", min_height=20)
    live = gr.HTML(WELCOME, elem_id="live")
    slider = gr.ImageSlider(
        label="Before and after",
        type="filepath",
        interactive=False,
        visible=False,
        max_height=900,
        elem_id="slider",
    )
    with gr.Row(visible=False, elem_classes="nst-buttons") as downloads:
        picture = gr.DownloadButton("Download PNG", elem_id="download", min_width=140)
        workflow = gr.DownloadButton("ComfyUI workflow", elem_id="workflow", min_width=140)
    curve = gr.HTML(elem_id="curve")
    return {
        "status": status,
        "live": live,
        "slider": slider,
        "downloads": downloads,
        "picture": picture,
        "workflow": workflow,
        "curve": curve,
    }
