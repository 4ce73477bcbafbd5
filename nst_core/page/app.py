"""The page put together: who calls whom."""

from functools import partial
from typing import Any

import gradio as gr

from ..settings import ServingSettings, default_of
from .api import Api
from .canvas import FOLLOW
from .choosing import Choosing
from .clip_layout import ClipParts, arrange_clip
from .clip_watching import ChoosingClip, PlanningClip, WatchingClip
from .kinds import KINDS, RECONSTRUCT, STYLIZE, TEXTURE, VIDEO
from .layout import arrange
from .live import FOLLOWED
from .network import Network
from .parts import Parts
from .pictures import Samples
from .planning import Planning
from .restoring import Restoring
from .returning import Returning
from .runs import Runs
from .watching import Watching

# Gradio's queue holds nobody up: what has to wait, waits in the line of the device, where Stop and
# leaving reach it. All are events of the queue nevertheless: Gradio shows messages of no others.
_EVENT: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden"}
_OURS: dict[str, Any] = {**_EVENT, "api_visibility": "private"}


def build(network: Network, runs: Runs) -> gr.Blocks:
    """The page.

    Args:
        network: loaded already, so that the first visitor does not wait for it.
        runs: of all visitors.
    """
    samples, limits = runs.samples, runs.limits
    planning = Planning(network, runs)
    with gr.Blocks(title="Neural style transfer", analytics_enabled=False) as page:
        gr.Markdown("# Neural style transfer", elem_id="title")
        tabs, every, clip = tabs_of(samples, limits, network.line())
        resumes = [parts.resume for parts in [*every.values(), *([clip] if clip else [])]]
        watching = {name: Watching(parts, runs, resumes) for name, parts in every.items()}
        for name, parts in every.items():
            _wire_choosing(page, parts, Choosing(parts, samples, limits))
            _wire_plan(page, parts, planning)
            _wire_running(parts, watching[name], resumes)
        if clip:
            watching[VIDEO.name] = WatchingClip(clip, runs, resumes)
            _wire_clip(page, clip, runs, PlanningClip(planning, network, runs))
            _wire_running(clip, watching[VIDEO.name], resumes)
        _wire_restoring(every, Restoring(tabs, every, samples, limits))
        shown = [one for do in watching.values() for one in do.shown]
        page.load(Returning(tabs, watching, runs).find, None, [tabs, *shown], **_OURS)
        page.load(None, js=FOLLOWED)
        page.unload(watching[STYLIZE.name].leave)
        _wire_api(every, Api(runs))
        if clip:
            _wire_clip_api(clip, Api(runs))
    # Ours come first and are friendlier; this is for programs that ask past the page.
    page.queue(max_size=4 * limits.max_waiting)
    return page


def tabs_of(
    samples: Samples, limits: ServingSettings, weights_line: str
) -> tuple[gr.Tabs, dict[str, Parts], ClipParts | None]:
    """A tab for each kind of picture, and its parts by the kind's name; and the one for videos."""
    every = {}
    with gr.Tabs(selected=STYLIZE.name, elem_id="tabs") as tabs:
        for kind in KINDS:
            with gr.Tab(kind.title, id=kind.name, elem_id=f"{kind.name}_tab"):
                every[kind.name] = arrange(kind, samples, limits, weights_line)
        with gr.Tab(VIDEO.title, id=VIDEO.name, elem_id=f"{VIDEO.name}_tab"):
            clip = arrange_clip(samples, limits, weights_line)
    return tabs, every, clip


def _wire_choosing(page: gr.Blocks, parts: Parts, do: Choosing) -> None:
    for picture in parts.pictures:
        # The last of several: emptied and filled at once, the second must not be dropped.
        picture.input(do.look_at, picture, picture, trigger_mode="always_last", **_OURS)
    firsts = {"content": parts.content, "style": parts.styles[0] if parts.styles else None}
    chosen = {"content": do.content_sample, "style": do.style_sample}
    for name, gallery in parts.samples.items():
        gallery.select(chosen[name], None, firsts[name], **_OURS)
    if parts.swap:
        pair = [parts.content, parts.styles[0]]
        parts.swap.click(do.swap, pair, pair, **_OURS)
    if len(parts.kind.presets) > 1:
        # `input`, not `change`: a restored picture sets the preset and keeps its own settings.
        parts.preset.input(do.preset, parts.preset, parts.of_preset, **_OURS)
    _wire_canvases(page, parts, do)


def _wire_canvases(page: gr.Blocks, parts: Parts, do: Choosing) -> None:
    """Each canvas lies over its picture, and has a button for a picture in place of paint."""
    uploads = [do.map_upload] if parts.map else []
    uploads += [partial(do.part_upload, index) for index in range(len(parts.parts))]
    rows = zip(parts.under, parts.canvases, parts.uploads, uploads, strict=True)
    for picture, canvas, button, upload in rows:
        gr.on([page.load, picture.change], None, [picture, canvas], canvas, js=FOLLOW)
        button.upload(upload, [button, canvas], canvas, **_OURS)


def _wire_restoring(every: dict[str, Parts], do: Restoring) -> None:
    for parts in every.values():
        restored = parts.dropped.upload(do.restore, parts.dropped, do.outputs, **_OURS)
        # Restored canvases have no picture yet, and one that is not another makes no event.
        for other in every.values():
            for picture, canvas in zip(other.under, other.canvases, strict=True):
                restored.success(None, [picture, canvas], canvas, js=FOLLOW)


def _wire_clip(page: gr.Blocks, parts: ClipParts, runs: Runs, planning: PlanningClip) -> None:
    do, style = ChoosingClip(parts, runs), parts.styles[0]
    clip = [parts.content, parts.seen]
    parts.content.change(do.look_at, parts.content, clip, trigger_mode="always_last", **_OURS)
    parts.example.click(do.example, None, parts.content, **_OURS)
    pictures = Choosing(parts, runs.samples, runs.limits)
    style.input(pictures.look_at, style, style, trigger_mode="always_last", **_OURS)
    parts.samples["style"].select(pictures.style_sample, None, style, **_OURS)
    _wire_plan(page, parts, planning)


def _wire_plan(page: gr.Blocks, parts: Parts, planning: Planning | PlanningClip) -> None:
    changes = [page.load, *(one.change for one in [*parts.settings.values(), *parts.pictures])]
    gr.on(
        changes,
        partial(planning.line, parts),
        set(parts.chosen),
        parts.plan,
        trigger_mode="always_last",
        **_OURS,
    )


def _wire_running(parts: Parts, do: Watching, resumes: list[gr.Button]) -> None:
    outputs = [parts.status, *resumes]
    # A set: the handler gets one dictionary, by component.
    begun = parts.run.click(do.begin, set(parts.asked), outputs, **_OURS)
    resumed = parts.resume.click(do.resume, None, outputs, **_OURS)
    # Two events, because Gradio lets a button do nothing while its own is at work: so a second
    # click is told that there is a run already.
    for event in (begun, resumed):
        event.success(do.watch, None, parts.shown, scroll_to_output=True, **_OURS)
    parts.stop.click(do.stop, None, None, **_OURS)


def _wire_clip_api(parts: ClipParts, do: Api) -> None:
    names = ("size", "steps", "temporal_weight", "passes", "seed")
    seed = gr.Number(default_of("seed"), label="Seed", precision=0, visible=False)
    settings = {**parts.settings, "seed": seed}
    gr.Button(visible=False).click(
        do.video,
        [parts.content, parts.styles[0], parts.strength, *(settings[name] for name in names)],
        gr.File(visible=False, label="video"),
        **_EVENT,
        api_name="video",
        api_description="Repaint a short clip in the style of a picture; gives an MP4.",
    )


def _wire_api(every: dict[str, Parts], do: Api) -> None:
    first, texture, rebuilt = (every[kind.name] for kind in (STYLIZE, TEXTURE, RECONSTRUCT))
    for name, answer, inputs, words in (
        (
            "stylize",
            do.stylize,
            [first.content, first.styles[0], first.preset, first.strength]
            + [first.settings[name] for name in ("size", "steps", "seed")],
            "Repaint a content picture in the style of another",
        ),
        (
            "texture",
            do.texture,
            [texture.styles[0]]
            + [texture.settings[n] for n in ("size", "aspect", "seamless", "steps", "seed")],
            "More of a style picture, in any size, to lie side by side without a seam if wanted",
        ),
        (
            "reconstruct",
            do.reconstruct,
            [rebuilt.content]
            + [rebuilt.settings[n] for n in ("content_layers", "size", "steps", "seed")],
            "What some layers of the network know of a picture",
        ),
    ):
        gr.Button(visible=False).click(
            answer,
            inputs,
            gr.File(visible=False, label="picture"),
            **_EVENT,
            api_name=name,
            api_description=f"{words}; gives a PNG with its settings inside.",
        )
