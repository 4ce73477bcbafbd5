"""Choosing pictures and presets, and settings out of a picture: all but the run itself."""

from threading import Lock
from typing import Any

import gradio as gr

from ..errors import NSTError
from ..samples import CONTENTS, STYLES
from ..settings import ServingSettings, Settings, preset_named
from .controls import explained, values_of
from .layout import Parts
from .pictures import SAMPLE, Samples, check_upload
from .restore import Restored, restore

# What to change on the page: new values by component. What is not named stays as it is.
Changes = dict[Any, Any]


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
            gr.Warning(str(error), title="This picture cannot be used")
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

    def preset(self, name: str) -> Changes:
        """Its explanation, strength 1, nothing left of a restored picture, its settings."""
        return self._preset(name, 1, {}, preset_named(name).settings)

    def restore(self, path: str | None) -> Changes:
        """All that a picture says: a message, what a preset sets, shares and pictures."""
        parts = self._parts
        if path is None:
            return {parts.restored: gr.skip()}
        try:
            found = restore(path)
        except NSTError as error:
            gr.Warning(str(error), title="Nothing was restored")
            return {parts.restored: ""}
        return {
            parts.restored: _words(found, self._limits),
            parts.preset: found.preset,
            **self._preset(found.preset, found.strength, dict(found.rest), found.settings),
            **dict(zip(parts.shares, (*found.shares, *[1.0] * len(parts.shares)), strict=False)),
            **self._pictures(found),
        }

    def _preset(
        self, name: str, strength: float, rest: dict[str, Any], settings: Settings
    ) -> Changes:
        parts, values = self._parts, values_of(settings, self._limits)
        return {
            parts.explanation: explained(name),
            parts.strength: strength,
            parts.rest: rest,
            **{component: values[setting] for setting, component in parts.settings.items()},
        }

    def _pictures(self, found: Restored) -> Changes:
        """Samples by name, empty places, and those that only the visitor has left as they are."""
        chosen: Changes = {}
        names = (*found.names, *[""] * len(self._parts.pictures))
        for component, name in zip(self._parts.pictures, names, strict=False):
            file = self._samples.files.get(name.removeprefix(SAMPLE)) if SAMPLE in name else None
            if file or not name:
                chosen[component] = str(file) if file else None
        return chosen


def _words(found: Restored, limits: ServingSettings) -> str:
    words = ["The settings are restored."]
    settings = found.settings
    if settings.size > limits.max_size or settings.steps > limits.max_steps:
        words.append("Size and effort are as large as this page gives.")
    if found.missing:
        # Names come out of a file: as code, they can be neither links nor pictures.
        names = ", ".join(f"`{name.replace('`', '')}`" for name in found.missing)
        words.append(f"Choose these pictures again: {names}.")
    return " ".join(words)
