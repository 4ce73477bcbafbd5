"""The components of a tab that something happens to or with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .kinds import Kind


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Components by what they are for; what a kind does not have is None or missing.

    Attributes:
        kind: what the tab makes.
        samples: galleries, by what their pictures are for: "content", "style".
        map, map_panel: the canvas over the content, and what it is folded in.
        parts: the canvases over the styles.
        uploads: buttons for a picture in place of what is painted: of `map`, then of each of
            `parts`.
        settings: by their names.
        rest: settings that have no control, out of a restored picture.
        dropped, restored, restored_panel: such a picture, words about it, and what holds both.
    """

    kind: Kind
    content: Any = None
    styles: list[Any] = field(default_factory=list)
    shares: list[Any] = field(default_factory=list)
    samples: dict[str, Any]
    swap: Any = None
    map: Any = None
    map_panel: Any = None
    parts: list[Any] = field(default_factory=list)
    uploads: list[Any] = field(default_factory=list)
    preset: Any
    explanation: Any = None
    strength: Any
    settings: dict[str, Any]
    rest: Any
    plan: Any
    run: Any
    stop: Any
    resume: Any
    dropped: Any = None
    restored: Any = None
    restored_panel: Any = None
    status: Any
    live: Any
    slider: Any = None
    downloads: Any
    picture: Any
    workflow: Any = None
    note: Any
    curve: Any = None

    @property
    def pictures(self) -> list[Any]:
        """The content, if the tab takes one, then the styles."""
        return [*([self.content] if self.content else []), *self.styles]

    @property
    def canvases(self) -> list[Any]:
        """Of the content, then of each style."""
        return [*([self.map] if self.map else []), *self.parts]

    @property
    def under(self) -> list[Any]:
        """The pictures under the canvases."""
        return self.pictures if self.map else self.styles if self.parts else []

    @property
    def of_preset(self) -> list[Any]:
        """What a preset sets."""
        return [self.explanation, self.strength, self.rest, *self.settings.values()]

    @property
    def chosen(self) -> list[Any]:
        """What a run is made from, but for what is painted."""
        choices = [self.preset, self.strength, self.rest]
        return [*self.pictures, *self.shares, *choices, *self.settings.values()]

    @property
    def asked(self) -> list[Any]:
        """What a run is made from."""
        return [*self.chosen, *self.canvases]

    @property
    def restorable(self) -> list[Any]:
        """What the settings in a picture set."""
        inputs = [*self.shares, *self.pictures, *self.canvases]
        panels = [self.restored_panel, *([self.map_panel] if self.map else [])]
        return [*panels, self.restored, self.preset, *self.of_preset, *inputs]

    @property
    def hidden(self) -> list[Any]:
        """What is out of sight while a run works."""
        return [self.resume, self.slider, self.downloads, self.note]

    @property
    def shown(self) -> list[Any]:
        """What a run shows itself in."""
        result = [self.slider, self.downloads, self.picture, self.workflow, self.note]
        return [self.status, self.resume, self.live, *result, self.curve]

    def request_in(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        """The arguments of `Runs.request` among the values of components."""
        given = {name: values[component] for name, component in self.settings.items()}
        return {
            "content": values.get(self.content),
            "styles": [values[component] for component in self.styles],
            "shares": [values[component] for component in self.shares],
            "preset": values[self.preset],
            "strength": values[self.strength],
            "given": {**values[self.rest], **given},
            "map_": values.get(self.map),
            "parts": [values.get(component) for component in self.parts],
        }
