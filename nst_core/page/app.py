"""The page put together: who calls whom."""

from pathlib import Path
from typing import Any

import gradio as gr

from .api import Api
from .choosing import Choosing
from .controls import NAMES
from .layout import STYLE_SLOTS, Parts, arrange
from .limits import Limits
from .network import Network
from .pictures import Samples
from .runs import Runs
from .watching import Watching

# Everything that computes shares one place, however many buttons and programs ask for it.
DEVICE = "device"
# Seconds between clearings of temporary files, and their age then.
CLEARED = (600, 3600)
# Nobody waits for these. They are events of the queue all the same: Gradio shows messages
# (gr.Info, gr.Warning) of no others.
_AT_ONCE: dict[str, Any] = {
    "concurrency_limit": None,
    "show_progress": "hidden",
    "api_visibility": "private",
}


def build(network: Network, limits: Limits, folder: Path) -> gr.Blocks:
    """The page.

    Args:
        network: loaded already, so that the first visitor does not wait for it.
        limits: of what a visitor may ask for.
        folder: Gradio's own, where files for visitors are written.
    """
    samples = Samples(folder)
    runs = Runs(network, samples, limits, folder)
    with gr.Blocks(
        title="Neural style transfer", analytics_enabled=False, delete_cache=CLEARED
    ) as page:
        parts = arrange(samples, limits, network.line())
        _wire_choosing(parts, Choosing(samples, limits))
        _wire_running(page, parts, Watching(runs, STYLE_SLOTS))
        _wire_api(parts, Api(runs))
    # Ours come first and are friendlier; this is for programs that ask past the page.
    page.queue(max_size=4 * limits.max_waiting, default_concurrency_limit=8)
    return page


def _wire_choosing(parts: Parts, do: Choosing) -> None:
    pictures = [parts.content, *parts.styles]
    for picture in pictures:
        picture.input(do.look_at, picture, picture, **_AT_ONCE)
    parts.content_samples.select(do.content_sample, None, parts.content, **_AT_ONCE)
    parts.style_samples.select(do.style_sample, None, parts.styles[0], **_AT_ONCE)
    pair = [parts.content, parts.styles[0]]
    parts.swap.click(do.swap, pair, pair, **_AT_ONCE)
    of_preset = [parts.explanation, parts.strength, parts.rest, *parts.settings]
    # `input`, not `change`: a restored picture sets the preset and keeps its own settings.
    parts.preset.input(do.preset, parts.preset, of_preset, **_AT_ONCE)
    parts.dropped.upload(
        do.restore,
        parts.dropped,
        [parts.restored, parts.preset, *of_preset, *parts.shares, *pictures],
        **_AT_ONCE,
    )


def _wire_running(page: gr.Blocks, parts: Parts, do: Watching) -> None:
    inputs = [parts.content, *parts.styles, *parts.shares, parts.preset, parts.strength, parts.rest]
    outputs = [
        *(parts.status, parts.live, parts.slider, parts.downloads),
        *(parts.picture, parts.workflow, parts.curve),
    ]
    announced = parts.run.click(
        do.announce,
        None,
        parts.status,
        **_AT_ONCE,
    )
    running = announced.success(
        do.run,
        [*inputs, *parts.settings],
        outputs,
        concurrency_id=DEVICE,
        concurrency_limit=1,
        show_progress="full",
        show_progress_on=parts.status,
        scroll_to_output=True,
        api_visibility="private",
    )
    running.failure(do.failed, None, outputs, **_AT_ONCE)
    parts.stop.click(do.stop, None, None, **_AT_ONCE)
    page.unload(do.leave)


def _wire_api(parts: Parts, do: Api) -> None:
    named = dict(zip(NAMES, parts.settings, strict=True))
    button, answer = gr.Button(visible=False), gr.File(visible=False, label="picture")
    button.click(
        do.stylize,
        [
            *(parts.content, parts.styles[0], parts.preset, parts.strength),
            *(named["size"], named["steps"], named["seed"]),
        ],
        answer,
        concurrency_id=DEVICE,
        concurrency_limit=1,
        api_name="stylize",
        api_description="Repaint a content picture in the style of another; gives a PNG with its "
        "settings inside.",
    )
