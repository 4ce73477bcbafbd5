"""Pillow pictures of any mode to tensors and back: orientation, color profile, alpha, depth."""

import logging
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .color_profile import in_srgb, values_in_srgb
from .damage import DAMAGE, Damaged
from .deep import scaled
from .directories import check_exif
from .icc import ADOBE_PRIMARIES, Values, profile_of

log = logging.getLogger(__name__)

Levels: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
# Of a strip: 48 MB as float32 RGB.
_STRIP_PIXELS = 1 << 22

_ORIENTATION_TAG, _EXIF_IFD = 0x0112, 0x8769
_INTEROPERABILITY_IFD, _INTEROPERABILITY_INDEX = 0xA005, 1
# What reading it raises.
_BAD_EXIF: tuple[type[Exception], ...] = (Damaged, *DAMAGE)


class Pixels(NamedTuple):
    """A picture as it is shown.

    Args:
        colors: (1, 3, H, W) float32 sRGB in [0, 1]; arbitrary where nothing is to be seen.
        alpha: (1, 1, H, W) in [0, 1], 1 is opaque; None if all is.
    """

    colors: Tensor
    alpha: Tensor | None = None

    def over_white(self) -> Tensor:
        """(1, 3, H, W): paper is white, and so is what the engine is to see through a hole."""
        if self.alpha is None:
            return self.colors
        return self.colors * self.alpha + (1 - self.alpha)


def from_pil(picture: Image.Image) -> Tensor:
    """(1, 3, H, W) float32 RGB in [0, 1] from a Pillow picture of any mode.

    EXIF orientation is applied, an ICC profile is converted to sRGB, and transparency is laid
    over white: the engine has no alpha channel, paper is white, and the color hidden under a
    transparent pixel is arbitrary. Gray of more than 8 bits keeps its precision.
    """
    return pixels_of(picture).over_white()


def pixels_of(picture: Image.Image, orientation: int | None = None) -> Pixels:
    """The same as `from_pil`, before transparency is laid over anything.

    With an `orientation`, whatever EXIF says of it.
    """
    # First, because TIFF turns itself upright as it loads: asked before, it would turn twice.
    picture.load()
    if picture.mode in ("P", "PA") and picture.palette is None:
        raise Damaged("its palette is missing")
    orientation = orientation or orientation_of(picture)
    icc = _profile(picture)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        # 16 bits (65535 is white), 32 bits or floats (1 is).
        white = 1.0 if picture.mode == "F" else 65535.0
        return pixels_of_values(
            scaled(np.asarray(picture), white)[..., None], None, icc, orientation
        )
    alpha = None
    gray = picture.mode in ("1", "L", "LA")
    if picture.has_transparency_data:
        # Straight to RGBA: palettes and single transparent colors survive no other conversion.
        rgba = picture.convert("RGBA")
        alpha = _channels(rgba.getchannel("A"))
        picture = picture if gray else rgba
    colors = _channels(in_srgb(picture.convert("L") if gray else picture, icc).convert("RGB"))
    return upright(Pixels(colors, alpha), orientation)


def pixels_of_values(
    values: Values, alpha: Values | None, icc: bytes | None, orientation: int = 1
) -> Pixels:
    """From values in [0, 1].

    Args:
        values: (H, W, 3), or (H, W, 1) for gray.
        alpha: (H, W), or None if all is opaque.
        icc: The color profile of the values, or None for sRGB.
        orientation: How they are turned, as in EXIF.
    """
    colors = torch.from_numpy(values_in_srgb(values, icc)).permute(2, 0, 1)[None]
    colors = colors.expand(1, 3, -1, -1).contiguous()
    return upright(
        Pixels(colors, None if alpha is None else torch.from_numpy(alpha)[None, None]), orientation
    )


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turned as EXIF 2.3 has it, tag Orientation; a number that it has not turns nothing."""

    def turned(image: Tensor) -> Tensor:
        if orientation in (5, 6, 7, 8):
            image = image.transpose(2, 3)
        flips = {2: (3,), 3: (2, 3), 4: (2,), 6: (3,), 7: (2, 3), 8: (2,)}.get(orientation, ())
        return image.flip(flips).contiguous()

    if orientation not in range(2, 9):
        return pixels
    return Pixels(turned(pixels.colors), None if pixels.alpha is None else turned(pixels.alpha))


def to_pil(image: Tensor) -> Image.Image:
    """8-bit picture of a (1, C, H, W) or (C, H, W) image, RGB or RGBA; clamped and rounded."""
    height, width = image.shape[-2:]
    return pil_of_strips(level_strips(image, 255), height, width)


def pil_of_strips(strips: Iterable[Levels], height: int, width: int) -> Image.Image:
    """The same of its rows from top to bottom, each strip (h, W, C) in [0, 255]."""
    whole, top = None, 0
    for levels in strips:
        part = Image.fromarray(levels.astype(np.uint8))
        if len(levels) == height:
            return part
        whole = whole or Image.new(part.mode, (width, height))
        whole.paste(part, (0, top))
        top += len(levels)
    assert whole is not None
    return whole


def level_strips(image: Tensor, white: int) -> Iterator[Levels]:
    """`levels_of` an image from top to bottom: all at once would take three times its memory."""
    height, rows = image.shape[-2], strip_rows(image.shape[-1])
    for top in range(0, height, rows):
        yield levels_of(image[..., top : top + rows, :], white)


def strip_rows(width: int) -> int:
    """How many rows of a picture are worked on at once."""
    return max(1, _STRIP_PIXELS // width)


def levels_of(image: Tensor, white: int) -> Levels:
    """(H, W, C) int32 in [0, white] of a (1, C, H, W) or (C, H, W) image, clamped and rounded."""
    pixels = image.detach().to("cpu", torch.float32).clamp(0, 1).mul_(white).add_(0.5)
    return pixels.to(torch.int32).reshape(image.shape[-3:]).permute(1, 2, 0).contiguous().numpy()


def orientation_of(picture: Image.Image) -> int:
    """What EXIF says; damaged EXIF data says nothing."""
    try:
        return int(_exif_of(picture).get(_ORIENTATION_TAG, 1))
    except _BAD_EXIF as error:
        log.warning("Damaged EXIF data ignored: %s", error)
        return 1


def _profile(picture: Image.Image) -> bytes | None:
    """The embedded ICC profile, or Adobe RGB where only EXIF says so, as cameras do (DCF 2.0)."""
    embedded: bytes | None = picture.info.get("icc_profile")
    if embedded:
        return embedded
    try:
        exif = _exif_of(picture)
        if _INTEROPERABILITY_IFD not in exif.get_ifd(_EXIF_IFD):
            return None
        index = exif.get_ifd(_INTEROPERABILITY_IFD).get(_INTEROPERABILITY_INDEX)
    except _BAD_EXIF:
        return None  # `orientation_of` has said it
    return profile_of(2.19921875, ADOBE_PRIMARIES, gray=False) if index == "R03" else None


def _exif_of(picture: Image.Image) -> Image.Exif:
    stored = picture.info.get("exif")
    if stored is None and (words := picture.info.get("Raw profile type exif")):
        stored = bytes.fromhex("".join(words.split("\n")[3:]))  # as Pillow does
    if isinstance(stored, bytes):
        check_exif(stored)
    return picture.getexif()


def _channels(picture: Image.Image) -> Tensor:
    """(1, C, H, W) float32 in [0, 1] from an 8-bit picture with C channels."""
    pixels = torch.from_numpy(np.array(picture)).view(picture.height, picture.width, -1)
    return pixels.permute(2, 0, 1)[None].contiguous().to(torch.float32).div_(255)
