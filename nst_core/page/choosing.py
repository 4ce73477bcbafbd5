"""Choosing pictures, drawings and presets on a tab: all but the run itself."""

from threading import Lock
from typing import Any

import gradio as gr

from ..errors import NSTError
from ..files.samples import CONTENTS, STYLES
from ..settings import ServingSettings, Settings, preset_named
from .canvas import url_of
from .controls import explained, values_of
from .messages import shown
from .parts import Parts
from .pictures import Samples, check_upload
from .regions import COLORS, map_of_file, part_of_file

# What to change on the page: new values by component. What is not named stays as it is.
Changes = dict[Any, Any]
_UNUSABLE = "This picture cannot be used"


class Choosing:
    """Handlers of everything that is chosen before a run.

    Args:
        parts, samples, limits: of the page.
    """

    def __init__(self, parts: Parts, samples: Samples, limits: ServingSettings) -> None:
        self._parts, self._samples, self._limits = parts, samples, limits
        # A large picture takes hundreds of megabytes while it is looked at.
        self._one_at_a_time = Lock()

    def look_at(self, path: str | None) -> Any:
        """Tell at once what is wrong with a picture that was just chosen, and take it away."""
        if path is None:
            return gr.skip()
        try:
            with self._one_at_a_time:
                check_upload(path, self._limits)
        except NSTError as error:
            gr.Warning(shown(error), title=_UNUSABLE)
            return None
        return gr.skip()

    def content_sample(self, event: gr.SelectData) -> str:
        """The content that was clicked on."""
        return str(self._samples.files[list(CONTENTS)[event.index]])

    def style_sample(self, event: gr.SelectData) -> str:
        """The style that was clicked on."""
        return str(self._samples.files[list(STYLES)[event.index]])

    def swap(self, content: str | None, style: str | None) -> tuple[str | None, str | None]:
        """Each in the place of the other."""
        return style, content

    def map_upload(self, path: str | None, canvas: dict[str, str]) -> Any:
        """A map in place of what is painted over the content."""
        return self._drawn(canvas, map_of_file, path)

    def part_upload(self, index: int, path: str | None, canvas: dict[str, str]) -> Any:
        """A mask in place of what is painted over a style."""
        return self._drawn(canvas, part_of_file, path, COLORS[index])

    def _drawn(self, canvas: dict[str, str], read: Any, path: str | None, *color: str) -> Any:
        if path is None:
            return gr.skip()
        try:
            with self._one_at_a_time:
                png = read(path, *color, self._limits)
        except NSTError as error:
            gr.Warning(shown(error), title=_UNUSABLE)
            return gr.skip()
        return {**canvas, "map": url_of(png)}

    def preset(self, name: str) -> Changes:
        """Its explanation, strength 1, nothing left of a restored picture, its settings."""
        return preset_changes(self._parts, self._limits, name, 1, {}, preset_named(name).settings)


def preset_changes(
    parts: Parts,
    limits: ServingSettings,
    name: str,
    strength: float,
    rest: dict[str, Any],
    settings: Settings,
) -> Changes:
    """What settings look like on a tab."""
    values = values_of(settings, limits)
    return {
        parts.explanation: explained(name),
        parts.strength: strength,
        parts.rest: rest,
        **{component: values[setting] for setting, component in parts.settings.items()},
    }
