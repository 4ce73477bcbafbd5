"""What stands where on the page. Nothing here reacts to anything."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..samples import CONTENTS, STYLES
from ..settings import ServingSettings
from .controls import COLORS, LOSSES, SEARCH, control, explained, preset_names
from .live import WELCOME
from .pictures import Samples, file_input, picture_input

STYLE_SLOTS = 4
FIRST_CONTENT, FIRST_STYLE = next(iter(CONTENTS)), next(iter(STYLES))


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The components that something happens to or with; `settings` are by their names."""

    content: Any
    styles: list[Any]
    shares: list[Any]
    content_samples: Any
    style_samples: Any
    swap: Any
    preset: Any
    explanation: Any
    strength: Any
    settings: dict[str, Any]
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

    @property
    def pictures(self) -> list[Any]:
        """The content, then the styles."""
        return [self.content, *self.styles]

    @property
    def of_preset(self) -> list[Any]:
        """What a preset sets."""
        return [self.explanation, self.strength, self.rest, *self.settings.values()]

    @property
    def asked(self) -> list[Any]:
        """What a run is made from."""
        choices = [self.preset, self.strength, self.rest]
        return [*self.pictures, *self.shares, *choices, *self.settings.values()]

    @property
    def shown(self) -> list[Any]:
        """What a run shows itself in."""
        result = [self.slider, self.downloads, self.picture, self.workflow]
        return [self.status, self.live, *result, self.curve]


def arrange(samples: Samples, limits: ServingSettings, weights_line: str) -> Parts:
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
            settings: dict[str, Any] = {}
            parts |= _main_controls(limits, settings)
            gr.Markdown(weights_line, elem_id="weights")
            parts |= _more_styles(limits)
            _folded("Layers and weights", "losses", LOSSES, limits, settings)
            _folded("Colors", "color", COLORS, limits, settings)
            _folded("Start, scales, seed", "search", SEARCH, limits, settings)
            parts |= _restoring()
    parts["styles"] = [parts.pop("style"), *parts.pop("others")]
    return Parts(settings=settings, rest=gr.State({}), **parts)


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


def _main_controls(limits: ServingSettings, settings: dict[str, Any]) -> dict[str, Any]:
    preset = gr.Dropdown(
        preset_names(), value=preset_names()[0], label="Preset", elem_id="preset", filterable=False
    )
    explanation = gr.Markdown(explained(preset_names()[0]), elem_id="explanation")
    strength = control("style_strength", limits)
    settings |= {name: control(name, limits) for name in ("size", "steps")}
    return {"preset": preset, "explanation": explanation, "strength": strength}


def _more_styles(limits: ServingSettings) -> dict[str, Any]:
    others = []
    with gr.Accordion("More styles", open=False, elem_id="more_styles"):
        shares = [_share(1, limits, label="Share of the first style")]
        with gr.Row():
            for number in range(2, STYLE_SLOTS + 1):
                with gr.Column(min_width=150):
                    others.append(picture_input(f"Style {number}", f"style_{number}"))
                    shares.append(_share(number, limits, label="Share", info=None))
    return {"others": others, "shares": shares}


def _share(number: int, limits: ServingSettings, **look: Any) -> gr.components.Component:
    return control("style_share", limits, elem_id=f"share_{number}", **look)


def _folded(
    title: str,
    elem_id: str,
    names: tuple[str, ...],
    limits: ServingSettings,
    settings: dict[str, Any],
) -> None:
    """Controls under a title, which opens them; they are added to `settings`."""
    with gr.Accordion(title, open=False, elem_id=elem_id), gr.Row():
        settings |= {name: control(name, limits) for name in names}


def _restoring() -> dict[str, Any]:
    with gr.Accordion("Restore the settings of a picture", open=False, elem_id="restore"):
        dropped = file_input("Drop a PNG that was made here", "dropped", ".png")
        restored = gr.Markdown(elem_id="restored")
    return {"dropped": dropped, "restored": restored}


def _result() -> dict[str, Any]:
    status = gr.HTML(elem_id="status", min_height=0)
    live = gr.HTML(WELCOME, elem_id="live")
    slider = gr.ImageSlider(
        label="Before and after",
        type="filepath",
        interactive=False,
        visible=False,
        max_height=560,
        elem_id="slider",
    )
    with gr.Row(visible=False, elem_classes="nst-buttons") as downloads:
        picture = gr.DownloadButton(
            "Download PNG", variant="primary", elem_id="download", min_width=140
        )
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
