"""Which part of the picture is painted like which style: drawings and maps to regions."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..control.alpha import both
from ..control.color import luma_of
from ..control.pyramid import fit, resize
from ..control.regions import colors_in, masks_of_map
from ..errors import ImageError, SettingsError
from ..files.shrinking import Size
from ..gatys.vgg import size_of
from ..run.recipes import Region
from ..settings import ServingSettings
from .canvas import SIZE, pixels_of, png_of
from .job import Picture, Request
from .pictures import load_named

# Of the styles by their places, and of what stays as it is.
COLORS = ("red", "blue", "yellow", "cyan")
KEEP = "black"
_ALL = (*COLORS, KEEP)


def map_of_file(path: str, limits: ServingSettings) -> bytes:
    """A picture with one flat color per region, as a drawing.

    Raises:
        ImageError: it cannot be read, or paints nothing.
    """
    name = Path(path).name
    map_ = _reduced(load_named(path, name, limits, _drawn))
    colors = colors_in(map_, _ALL)
    if not colors:
        raise ImageError(
            f"'{name}' paints nothing: it has no {', '.join(COLORS)} or {KEEP}. Give each region "
            "one of these colors, flat, and leave white what is for all styles."
        )
    return png_of(dict(zip(colors, masks_of_map(map_, colors), strict=True)))


def part_of_file(path: str, color: str, limits: ServingSettings) -> bytes:
    """A picture whose white says which part of a style counts, as a drawing in the style's color.

    Raises:
        ImageError: it cannot be read, or nothing in it is white.
    """
    name = Path(path).name
    counts = luma_of(_reduced(load_named(path, name, limits, _drawn)))[0, 0]
    if not bool((counts > 0.5).any()):
        raise ImageError(f"Nothing in '{name}' is white. What counts is white, the rest black.")
    return png_of({color: counts})


def _reduced(image: Tensor) -> Tensor:
    height, width = size_of(image)
    longer = max(height, width)
    return image if longer <= SIZE else resize(image, *_drawn(height, width)).clamp(0, 1)


def _drawn(height: int, width: int) -> Size:
    return fit(height, width, SIZE)


def painted_in(map_: bytes | None) -> list[str]:
    """The colors of a drawing."""
    return [] if map_ is None else colors_in(pixels_of(map_), _ALL)


def check_painted(request: Request) -> None:
    """Raise SettingsError if a color is painted whose style is not there.

    What takes longer is looked at when it is the run's turn, by `regions_of`.
    """
    there = {style.color for style in request.styles}
    for color in painted_in(request.map):
        if color != KEEP and color not in there:
            number = COLORS.index(color) + 1
            raise SettingsError(
                f"Style {number} has a region ({color}), but no picture, or its share is 0. Choose "
                "its picture under 'More styles', or erase its color under 'Regions'."
            )


def regions_of(request: Request, pictures: Sequence[tuple[Tensor, Tensor | None]]) -> list[Region]:
    """The regions that were asked for; `nst stylize --regions` means the same.

    A style whose color is painted goes there and nowhere else. The others fill what no color
    claims. What then has no style stays as it is.

    Args:
        request: with its drawings.
        pictures: of its styles, each with its alpha.

    Raises:
        SettingsError: nothing is left to be painted, or a drawing is none.
    """
    parts = [
        both(_part(style), alpha)
        for style, (_, alpha) in zip(request.styles, pictures, strict=True)
    ]
    regions = [
        Region(
            styles=tuple(pictures[i][0] for i in chosen),
            mask=mask,
            shares=tuple(request.styles[i].share for i in chosen),
            style_masks=tuple(parts[i] for i in chosen),
        )
        for chosen, mask in _places(request)
    ]
    if request.styles and not regions:
        raise SettingsError(
            "All of the picture is painted to stay as it is. Erase some of it under 'Regions'."
        )
    return regions


def _places(request: Request) -> list[tuple[list[int], Tensor | None]]:
    """(which styles, where) of each region; None is the whole picture."""
    styles, masks = request.styles, _masks(request.map)
    places: list[tuple[list[int], Tensor | None]] = [
        ([i], masks[style.color]) for i, style in enumerate(styles) if style.color in masks
    ]
    free = [i for i, style in enumerate(styles) if style.color not in masks]
    left = 1 - torch.stack(list(masks.values())).sum(0) if masks else None
    if free and (left is None or bool(left.any())):
        places.append((free, left))
    return places


def _masks(map_: bytes | None) -> Mapping[str, Tensor]:
    """{color: (H, W) where it is painted}."""
    if map_ is None:
        return {}
    pixels = pixels_of(map_)
    colors = colors_in(pixels, _ALL)
    return dict(zip(colors, masks_of_map(pixels, colors), strict=True))


def _part(style: Picture) -> Tensor | None:
    """Which part of a style picture counts; None is all of it."""
    return _masks(style.part).get(style.color)
