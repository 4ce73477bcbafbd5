"""The page put together: who calls whom."""

from pathlib import Path
from typing import Any

import gradio as gr

from ..settings import ServingSettings
from .api import Api
from .choosing import Choosing
from .layout import Parts, arrange
from .network import Network
from .pictures import Samples
from .runs import Runs
from .watching import Watching

# Seconds between clearings of temporary files, and their age then.
CLEARED = (600, 3600)
# Gradio's queue holds nobody up: what has to wait, waits in the line of the device, where Stop and
# leaving reach it. All are events of the queue nevertheless: Gradio shows messages of no others.
_EVENT: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden"}
_OURS: dict[str, Any] = {**_EVENT, "api_visibility": "private"}


def build(network: Network, limits: ServingSettings, folder: Path) -> gr.Blocks:
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
        _wire_choosing(parts, Choosing(parts, samples, limits))
        _wire_running(page, parts, Watching(parts, runs))
        _wire_api(parts, Api(runs))
    # Ours come first and are friendlier; this is for programs that ask past the page.
    page.queue(max_size=4 * limits.max_waiting)
    return page


def _wire_choosing(parts: Parts, do: Choosing) -> None:
    for picture in parts.pictures:
        # The last of several: emptied and filled at once, the second must not be dropped.
        picture.input(do.look_at, picture, picture, trigger_mode="always_last", **_OURS)
    parts.content_samples.select(do.content_sample, None, parts.content, **_OURS)
    parts.style_samples.select(do.style_sample, None, parts.styles[0], **_OURS)
    pair = [parts.content, parts.styles[0]]
    parts.swap.click(do.swap, pair, pair, **_OURS)
    # `input`, not `change`: a restored picture sets the preset and keeps its own settings.
    parts.preset.input(do.preset, parts.preset, parts.of_preset, **_OURS)
    restored = [parts.restored, parts.preset, *parts.of_preset, *parts.shares, *parts.pictures]
    parts.dropped.upload(do.restore, parts.dropped, restored, **_OURS)


def _wire_running(page: gr.Blocks, parts: Parts, do: Watching) -> None:
    # A set: the handler gets one dictionary, by component.
    begun = parts.run.click(do.begin, set(parts.asked), parts.status, **_OURS)
    # Two events, because Gradio lets a button do nothing while its own is at work: so a second
    # click is told that there is a run already.
    watched = begun.success(do.watch, None, parts.shown, scroll_to_output=True, **_OURS)
    watched.failure(do.failed, None, parts.status, **_OURS)
    parts.stop.click(do.stop, None, None, **_OURS)
    page.unload(do.leave)


def _wire_api(parts: Parts, do: Api) -> None:
    settings = [parts.settings[name] for name in ("size", "steps", "seed")]
    button, answer = gr.Button(visible=False), gr.File(visible=False, label="picture")
    button.click(
        do.stylize,
        [parts.content, parts.styles[0], parts.preset, parts.strength, *settings],
        answer,
        **_EVENT,
        api_name="stylize",
        api_description="Repaint a content picture in the style of another; gives a PNG with its "
        "settings inside.",
    )
