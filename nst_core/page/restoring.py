"""A picture that was made here, dropped: its tab, with everything as it was."""

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from ..errors import NSTError
from ..settings import ServingSettings
from ..settings.samples import SAMPLE
from .canvas import EMPTY
from .choosing import Changes, preset_changes
from .messages import shown
from .parts import Parts
from .pictures import Samples
from .restore import Restored, restore


class Restoring:
    """The handler of dropped pictures, the same on every tab.

    Args:
        tabs: what shows one of the tabs.
        parts: of every tab, by the name of its kind.
        samples, limits: of the page.
    """

    def __init__(
        self, tabs: Any, parts: Mapping[str, Parts], samples: Samples, limits: ServingSettings
    ) -> None:
        self._tabs, self._parts = tabs, parts
        self._samples, self._limits = samples, limits

    @property
    def outputs(self) -> list[Any]:
        """Everything that a dropped picture may set."""
        return [self._tabs, *(one for parts in self._parts.values() for one in parts.restorable)]

    def restore(self, path: str | None) -> Changes:
        """All that a picture says, on the tab of its kind."""
        if path is None:
            return {self._tabs: gr.skip()}
        try:
            found = restore(path)
        except NSTError as error:
            gr.Warning(shown(error), title="Nothing was restored")
            return {parts.restored: "" for parts in self._parts.values()}
        parts = self._parts[found.kind.name]
        return {
            self._tabs: gr.update(selected=found.kind.name),
            parts.restored: _words(found, self._limits),
            parts.restored_panel: gr.update(open=True),
            **({parts.map_panel: gr.update(open=True)} if found.map else {}),
            parts.preset: found.preset,
            **preset_changes(
                parts, self._limits, found.preset, found.strength, dict(found.rest), found.settings
            ),
            **dict(zip(parts.shares, found.shares, strict=True)),
            **self._pictures(parts, found),
            **_drawings(parts, found),
        }

    def _pictures(self, parts: Parts, found: Restored) -> Changes:
        """Samples by name, empty places, and those that only the visitor has left as they are.

        If something was painted, their places are emptied: paint goes with a picture that is left.
        """
        chosen: Changes = {}
        names = [found.content, *found.styles] if parts.content else found.styles
        drawn = any([found.map, *found.parts])
        for component, name in zip(parts.pictures, names, strict=True):
            file = self._samples.files.get(name.removeprefix(SAMPLE)) if SAMPLE in name else None
            if file or drawn or not name:
                chosen[component] = str(file) if file else None
        return chosen


def _drawings(parts: Parts, found: Restored) -> Changes:
    """What was painted. The pictures beneath follow."""
    drawings = [found.map, *found.parts] if parts.map else found.parts
    rows = zip(parts.canvases, drawings, strict=True) if parts.canvases else ()
    return {canvas: {**EMPTY, "map": drawing} for canvas, drawing in rows}


def _words(found: Restored, limits: ServingSettings) -> str:
    """What was restored, as HTML."""
    words = ["The settings are restored."]
    settings = found.settings
    if settings.size > limits.max_size or settings.steps > limits.max_steps:
        words.append("Size and effort are as large as this page gives.")
    if found.left_out:
        words.append(
            f"This page takes {len(found.styles)} styles; {found.left_out} more are left out."
        )
    if found.missing:
        # Names come out of a file, which anybody may have made.
        names = ", ".join(f"<code>{escape(name)}</code>" for name in found.missing)
        words.append(f"Choose these pictures again: {names}.")
    return " ".join(words)
