"""Which part of the picture is painted like which style: maps and masks on the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from ..color import luma_of
from ..errors import SettingsError
from ..recipes import Region, shares_in
from ..regions import is_color, masks_of_map
from ..settings import Settings
from .files import read_picture


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


def regions_of(words: Words, settings: Settings) -> list[Region]:
    """The regions that were asked for, their pictures read.

    Raises:
        SettingsError, ImageError: what does not fit together, or cannot be read.
    """
    if not words.styles:
        return []
    words.check()
    shares = shares_in(settings.style_shares) or (1.0,) * len(words.styles)
    if len(shares) != len(words.styles):
        raise SettingsError(
            f"There are {len(words.styles)} style pictures but {len(shares)} shares. "
            "Give one share for each."
        )
    masks = _masks(words, settings)
    return [
        Region(
            styles=tuple(read_picture(words.pairs[index][1], settings) for index in chosen),
            mask=mask,
            shares=tuple(shares[index] for index in chosen),
            style_masks=tuple(_style_mask(words, index, settings) for index in chosen),
        )
        for color, mask in masks.items()
        if (chosen := [i for i, (of, _) in enumerate(words.pairs) if of == color])
    ]


def _masks(words: Words, settings: Settings) -> Mapping[str | None, Tensor | None]:
    """{color: where}; None stands for what no color claims."""
    if words.mask:
        return {None: _gray(words.mask, settings)}
    if not words.regions:
        return {None: None}
    colors = list(dict.fromkeys(color for color, _ in words.pairs if color))
    found = masks_of_map(read_picture(words.regions, settings), colors)
    rest = 1 - sum(found[1:], found[0])
    return {**dict(zip(colors, found, strict=True)), None: rest}


def _style_mask(words: Words, index: int, settings: Settings) -> Tensor | None:
    """Which part of a style picture counts."""
    maps = words.style_regions or words.style_masks
    if not maps:
        return None
    name = maps[0] if len(maps) == 1 else maps[index]
    if words.style_masks:
        return _gray(name, settings)
    color = words.pairs[index][0]
    return None if color is None else masks_of_map(read_picture(name, settings), [color])[0]


def _gray(name: str, settings: Settings) -> Tensor:
    return luma_of(read_picture(name, settings))[0, 0]
