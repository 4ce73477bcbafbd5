"""The tab for videos: what stands where on it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..files.samples import STYLES
from ..settings import ServingSettings, preset_named
from .clip_asking import missing_packages
from .clip_live import WELCOME, limits_words
from .controls import VIDEO_SETTINGS, control, values_of
from .kinds import VIDEO
from .layout import FIRST_STYLE, gallery
from .live import CONTINUE_LABEL
from .parts import Parts
from .pictures import Samples, file_input, picture_input

# What a clip may be; a picture that does not move is refused with a sentence.
_ENDINGS = (
    *(".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".gif", ".webp", ".png", ".apng"),
    *(".MP4", ".MOV", ".GIF"),
)
# Videos are much work: what the tab begins with is smaller than of pictures.
_SIZE = 256


@dataclass(frozen=True, kw_only=True)
class ClipParts(Parts):
    """The components of the tab. The content is the clip; `picture` downloads the video.

    Attributes:
        example: the button for the sample.
        seen: the clip's first frame, and what is known of it.
        player: plays the video.
    """

    example: Any
    seen: Any
    player: Any

    @property
    def hidden(self) -> list[Any]:
        """What is out of sight while a run works."""
        return [self.resume, self.player, self.downloads, self.note]

    @property
    def shown(self) -> list[Any]:
        """What a run shows itself in."""
        result = [self.player, self.downloads, self.picture, self.note]
        return [self.status, self.resume, self.live, *result]

    def request_in(self, values: Any) -> dict[str, Any]:
        """The arguments of `Runs.request`: of one style, the share says nothing."""
        return {**super().request_in(values), "shares": None}


def arrange_clip(samples: Samples, limits: ServingSettings, weights_line: str) -> ClipParts | None:
    """Everything on the tab; None if packages are missing, and then it says only which."""
    words = missing_packages()
    if words:
        gr.Markdown(f"Videos need more than this server has. {words}", elem_id=VIDEO.id("missing"))
        return None
    gr.Markdown(VIDEO.words, elem_classes="nst-words")
    with gr.Row(elem_classes="nst-columns"):
        with gr.Column(elem_classes="nst-pictures"):
            parts = _chosen(samples, limits)
        with gr.Column(elem_classes="nst-result"):
            parts |= _result()
        with gr.Column(elem_classes="nst-controls"):
            parts |= _controls(limits)
            gr.Markdown(weights_line, elem_id=VIDEO.id("weights"), elem_classes="nst-small")
    return ClipParts(kind=VIDEO, preset=gr.State(VIDEO.presets[0]), rest=gr.State({}), **parts)


def _chosen(samples: Samples, limits: ServingSettings) -> dict[str, Any]:
    with gr.Row(equal_height=False, elem_classes="nst-pair"):
        with gr.Column(min_width=150):
            clip = file_input("Clip", VIDEO.id("clip"), *_ENDINGS)
            seen = gr.HTML(elem_id=VIDEO.id("seen"), elem_classes="nst-seen", min_height=0)
            example = gr.Button("Try a sample clip", size="sm", elem_id=VIDEO.id("example"))
            gr.Markdown(limits_words(limits), elem_id=VIDEO.id("limits"), elem_classes="nst-small")
        with gr.Column(min_width=150):
            style = picture_input("Style", VIDEO.id("style"), samples.files[FIRST_STYLE])
            styles = gallery(samples, list(STYLES), VIDEO.id("style_samples"), 3)
    with gr.Row(elem_classes="nst-buttons"):
        run = gr.Button("Run", variant="primary", elem_id=VIDEO.id("run"), min_width=110, scale=3)
        stop = gr.Button("Stop", variant="stop", elem_id=VIDEO.id("stop"), min_width=70, scale=1)
        resume = gr.Button(
            CONTINUE_LABEL, visible=False, elem_id=VIDEO.id("continue"), min_width=90, scale=1
        )
    plan = gr.HTML(elem_id=VIDEO.id("plan"), elem_classes="nst-small", min_height=0)
    chosen = {"content": clip, "seen": seen, "example": example, "styles": [style]}
    return {
        **chosen,
        "samples": {"style": styles},
        "run": run,
        "stop": stop,
        "resume": resume,
        "plan": plan,
    }


def _controls(limits: ServingSettings) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    usual = values_of(preset_named(VIDEO.presets[0]).settings, limits)
    usual["size"] = min(_SIZE, usual["size"])

    def add(name: str) -> None:
        value = {} if name in VIDEO_SETTINGS else {"value": usual[name]}
        settings[name] = control(name, limits, elem_id=VIDEO.id(name), **value)

    strength = control("style_strength", limits, elem_id=VIDEO.id("style_strength"))
    for name in VIDEO.main:
        if name not in VIDEO_SETTINGS:
            add(name)
    with gr.Row():
        for name in VIDEO_SETTINGS:
            add(name)
    for title, names in VIDEO.folded.items():
        panel = title.split(" ")[0].lower()
        with gr.Accordion(title, open=False, elem_id=VIDEO.id(f"{panel}_panel")), gr.Row():
            for name in names:
                add(name)
    return {"strength": strength, "settings": settings}


def _result() -> dict[str, Any]:
    status = gr.HTML(elem_id=VIDEO.id("status"), min_height=0)
    live = gr.HTML(WELCOME, elem_id=VIDEO.id("live"))
    player = gr.Video(
        label="The video",
        interactive=False,
        visible=False,
        autoplay=True,
        buttons=[],
        elem_id=VIDEO.id("player"),
    )
    with gr.Row(visible=False, elem_classes="nst-buttons") as downloads:
        video = gr.DownloadButton(
            "Download MP4", variant="primary", elem_id=VIDEO.id("download"), min_width=140
        )
    note = gr.Markdown(visible=False, elem_id=VIDEO.id("note"), elem_classes="nst-small")
    return {
        "status": status,
        "live": live,
        "player": player,
        "downloads": downloads,
        "picture": video,
        "note": note,
    }
