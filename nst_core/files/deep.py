"""Channels of more than 8 bits: all their bits out of Pillow, and numbers to [0, 1]."""

import logging
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.ImageFile import ImageFile

from .icc import Values

log = logging.getLogger(__name__)

# Pillow has 8 bits a channel and keeps the upper ones. Told of the other byte order, it takes
# the lower ones instead.
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def keeps_16_bits(picture: ImageFile) -> bool:
    """Whether `sixteen_bits` can read this picture, of which Pillow alone would lose 8 bits."""
    return picture.mode in ("RGB", "RGBA") and all(
        _rawmode(tile[3])[-4:-1] == ";16" and _rawmode(tile[3])[-1] in _OTHER_ORDER
        for tile in picture.tile
    )


def sixteen_bits(opened: Callable[[], ImageFile]) -> NDArray[np.uint16]:
    """(H, W, C) with C 2 for gray with alpha, 3 or 4: decoded twice, for 8 of the 16 bits each.

    Args:
        opened: Opens the picture anew, its pixels not yet decoded.
    """
    first = opened()
    if _rawmode(first.tile[0][3]).startswith("LA;16"):
        # As many bits a pixel as RGBA with 8: so its four channels are our two, in two halves.
        halves = _decoded(first, lambda rawmode: "RGBA").astype(np.uint16)
        return halves[..., ::2] * 256 + halves[..., 1::2]
    # Premultiplied colors ("RGBa") are taken as they are.
    upper = _decoded(first, lambda rawmode: rawmode.replace("RGBa", "RGBA"))
    lower = _decoded(opened(), lambda r: r[:-1].replace("RGBa", "RGBA") + _OTHER_ORDER[r[-1]])
    return upper.astype(np.uint16) * 256 + lower


def scaled(values: NDArray[np.generic], white: float) -> Values:
    """float32 in [0, 1]: 0 is black and `white` is white; what is no number is black.

    Brighter values have no agreed white: the brightest of them is, so that nothing is clipped.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # of float64 beyond float32
        floats = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=white, neginf=0.0)
    brightest = float(floats.max())
    if brightest > white:
        log.info(
            "Values up to %g, brighter than white (%g): the brightest became white.",
            brightest,
            white,
        )
    shares: Values = (floats / np.float32(max(white, brightest))).clip(0, 1)
    return shares


def _rawmode(args: object) -> str:
    return str(args[0] if isinstance(args, tuple) else args)


def _decoded(picture: ImageFile, renamed: Callable[[str], str]) -> NDArray[np.uint8]:
    tiles: list[Any] = []
    for tile in picture.tile:
        *place, args = tile
        args = (renamed(args[0]), *args[1:]) if isinstance(args, tuple) else renamed(str(args))
        # A plain tuple before Pillow 11.
        tiles.append(getattr(type(tile), "_make", tuple)((*place, args)))
    picture.tile = tiles
    picture.load()
    return np.asarray(picture)
