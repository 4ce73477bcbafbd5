"""What was said about regions on the command line, and whether it fits together."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..control.color_names import is_color
from ..errors import SettingsError


@dataclass(frozen=True)
class Words:
    """What was said about regions.

    Attributes:
        styles: as typed: FILE, or COLOR=FILE for the region of that color.
        regions: the map over the content, one color per region.
        mask: white is painted, black is kept.
        style_regions: maps over the styles, one for all or one for each.
        style_masks: white counts, black does not; one for all or one for each.
    """

    styles: Sequence[str]
    regions: str | None = None
    mask: str | None = None
    style_regions: Sequence[str] = ()
    style_masks: Sequence[str] = ()

    @property
    def pairs(self) -> list[tuple[str | None, str]]:
        """(color or None, file) of each style."""
        return [self._pair(style) for style in self.styles]

    def _pair(self, style: str) -> tuple[str | None, str]:
        color, equals, file = style.partition("=")
        if not equals or not is_color(color):
            return None, style
        if self.regions is None:
            raise SettingsError(
                f"'{style}' names a region, but there is no map. Add --regions MAP.png."
            )
        return color.lower(), file

    @property
    def files(self) -> list[str]:
        """Every picture that is named, to be read or at least not to be overwritten."""
        maps = [one for one in (self.regions, self.mask) if one]
        return [file for _, file in self.pairs] + maps + [*self.style_regions, *self.style_masks]

    def check(self) -> None:
        """SettingsError if the words contradict each other."""
        if self.regions and self.mask:
            raise SettingsError(
                "--regions and --mask both say what is painted. Give one of them: a mask is a map "
                "of white and black."
            )
        if self.style_regions and not self.regions:
            raise SettingsError("--style-regions needs --regions: the same colors on the content.")
        if self.style_regions and self.style_masks:
            raise SettingsError("--style-regions and --style-mask exclude each other. Give one.")
        for flag, given in (
            ("--style-regions", self.style_regions),
            ("--style-mask", self.style_masks),
        ):
            if len(given) not in (0, 1, len(self.styles)):
                raise SettingsError(
                    f"There are {len(self.styles)} styles and {len(given)} times {flag}. "
                    "Give it once for all of them, or once for each."
                )
        if self.regions and not any(color for color, _ in self.pairs):
            raise SettingsError(
                "The map needs styles with a color. Write COLOR=STYLE, such as red=painting.jpg."
            )
