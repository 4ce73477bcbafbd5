"""Choosing pictures and presets, and settings out of a picture: all but the run itself."""

from threading import Lock
from typing import Any

import gradio as gr

from ..errors import NSTError
from ..samples import CONTENTS, STYLES
from ..settings import preset_named
from .controls import NAMES, explained, values_of
from .layout import STYLE_SLOTS
from .limits import Limits
from .pictures import SAMPLE, Samples, check_upload
from .restore import Restored, restore


class Choosing:
    """Handlers of everything that is chosen before a run.

    Args:
        samples, limits: of the page.
    """

    def __init__(self, samples: Samples, limits: Limits) -> None:
        self._samples, self._limits = samples, limits
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

    def preset(self, name: str) -> list[Any]:
        """Its explanation, strength 1, nothing left of a restored picture, its settings."""
        return [explained(name), 1, {}, *values_of(preset_named(name).settings, self._limits)]

    def restore(self, path: str | None) -> list[Any]:
        """All that a picture says: a message, then what `preset` gives, shares and pictures."""
        nothing = [gr.skip()] * (1 + 4 + len(NAMES) + 2 * STYLE_SLOTS + 1)
        if path is None:
            return nothing
        try:
            found = restore(path)
        except NSTError as error:
            gr.Warning(str(error), title="Nothing was restored")
            return nothing
        return [
            _words(found, self._limits),
            found.preset,
            explained(found.preset),
            found.strength,
            dict(found.rest),
            *values_of(found.settings, self._limits),
            *[*found.shares, *[1.0] * STYLE_SLOTS][:STYLE_SLOTS],
            *self._pictures(found),
        ]

    def _pictures(self, found: Restored) -> list[Any]:
        """Samples by name, empty places, and those that only the visitor has left as they are."""
        names = [*found.names, *[""] * STYLE_SLOTS][: STYLE_SLOTS + 1]
        chosen: list[Any] = []
        for name in names:
            file = self._samples.files.get(name.removeprefix(SAMPLE)) if SAMPLE in name else None
            chosen.append(str(file) if file else None if not name else gr.skip())
        return chosen


def _words(found: Restored, limits: Limits) -> str:
    words = ["The settings are restored."]
    settings = found.settings
    if settings.size > limits.max_size or settings.steps > limits.max_steps:
        words.append("Size and effort are as large as this page gives.")
    if found.missing:
        # Names come out of a file: as code, they can be neither links nor pictures.
        names = ", ".join(f"`{name.replace('`', '')}`" for name in found.missing)
        words.append(f"Choose these pictures again: {names}.")
    return " ".join(words)
