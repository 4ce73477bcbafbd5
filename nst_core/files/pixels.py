"""Pillow pictures of any mode to tensors and back: orientation, color profile, alpha, depth."""

import io
import logging
import struct
import zlib
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageCms
from torch import Tensor

log = logging.getLogger(__name__)

# What Pillow's plugins raise on damaged files. A Warning is among them because programs that
# turn warnings into errors (our tests do) get its remarks on bad metadata as exceptions.
DAMAGE: tuple[type[Exception], ...]
DAMAGE = (SyntaxError, OSError, EOFError, ValueError, TypeError, LookupError, struct.error)
DAMAGE += (RuntimeError, zlib.error, ImageCms.PyCMSError, Image.DecompressionBombError, Warning)

_ORIENTATION_TAG = 0x0112
# EXIF 2.3, tag Orientation: what turns the stored picture upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# 16 levels of each channel: enough colors to see whether an ICC transform changes any.
_PROBE = (17 * np.indices((16, 16, 16)).astype(np.uint8)).reshape(3, 64, 64).transpose(1, 2, 0)


def from_pil(picture: Image.Image) -> Tensor:
    """(1, 3, H, W) float32 RGB in [0, 1] from a Pillow picture of any mode.

    As `colors_and_alpha`, with transparency laid over white: paper is white, and the color hidden
    under a transparent pixel is arbitrary.
    """
    colors, alpha = colors_and_alpha(picture)
    return colors if alpha is None else colors * alpha + (1 - alpha)


def colors_and_alpha(picture: Image.Image) -> tuple[Tensor, Tensor | None]:
    """(1, 3, H, W) float32 RGB in [0, 1] and (1, 1, H, W) alpha, None where there is no such data.

    EXIF orientation is applied, and an ICC profile is converted to sRGB. Gray of more than 8 bits
    keeps its precision, without ICC.
    """
    # First, because TIFF turns itself upright as it loads: asked before, it would turn twice.
    picture.load()
    picture = _upright(picture)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _deep_gray(picture), None
    alpha = None
    gray = picture.mode in ("1", "L", "LA")
    if picture.has_transparency_data:
        # Straight to RGBA: palettes and single transparent colors survive no other conversion.
        rgba = picture.convert("RGBA")
        alpha = _channels(rgba.getchannel("A"))  # (1, 1, H, W)
        picture = picture if gray else rgba
    colors = _channels(_in_srgb(picture.convert("L") if gray else picture).convert("RGB"))
    return colors, alpha


def to_pil(image: Tensor) -> Image.Image:
    """8-bit picture of a (1, C, H, W) or (C, H, W) image, RGB or RGBA; clamped and rounded."""
    return Image.fromarray(levels_of(image, 255).astype(np.uint8))


def levels_of(image: Tensor, white: int) -> "np.ndarray[Any, np.dtype[Any]]":
    """(H, W, C) int32 in [0, white] of a (1, C, H, W) or (C, H, W) image, clamped and rounded."""
    pixels = image.detach().to("cpu", torch.float32).clamp(0, 1).mul(white).add(0.5)
    return pixels.to(torch.int32).reshape(image.shape[-3:]).permute(1, 2, 0).contiguous().numpy()


def _upright(picture: Image.Image) -> Image.Image:
    """`picture` rotated as its EXIF orientation says; damaged EXIF data says nothing."""
    try:
        orientation = picture.getexif().get(_ORIENTATION_TAG)
    except DAMAGE as error:
        log.warning("Damaged EXIF data ignored: %s", error)
        return picture
    return picture.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else picture


def _in_srgb(picture: Image.Image) -> Image.Image:
    """`picture` in sRGB if its ICC profile says it is not; an unusable profile says nothing."""
    icc = picture.info.get("icc_profile")
    if not icc:
        return picture
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if profile.profile.xcolor_space == "RGB " and picture.mode not in ("CMYK", "LAB"):
            picture = picture.convert("RGB")
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(profile, srgb, picture.mode, "RGB")
    except DAMAGE as error:
        log.warning("Unusable ICC profile ignored: %s", error)
        return picture
    if picture.mode == "RGB":
        # sRGB profiles are told by what they do, not by name, and leave every pixel as it is.
        # 2 of 255 is the rounding of their curve tables; other profiles move colors by tens.
        moved = np.asarray(transform.apply(Image.fromarray(_PROBE)), int) - _PROBE
        if abs(moved).max() <= 2:
            return picture
    return transform.apply(picture)


def _channels(picture: Image.Image) -> Tensor:
    """(1, C, H, W) float32 in [0, 1] from an 8-bit picture with C channels."""
    pixels = torch.from_numpy(np.array(picture)).view(picture.height, picture.width, -1)
    return pixels.permute(2, 0, 1)[None].contiguous().to(torch.float32).div_(255)


def _deep_gray(picture: Image.Image) -> Tensor:
    """(1, 3, H, W) in [0, 1] from gray of 16 bits (65535 is white), 32 bits or floats (1 is).

    Brighter values have no agreed white: the brightest of them is.
    """
    white = 1.0 if picture.mode == "F" else 65535.0
    values = torch.from_numpy(np.asarray(picture).astype(np.float32))  # (H, W)
    values = values.nan_to_num(0.0, posinf=white, neginf=0.0)
    values = (values / max(white, values.max().item())).clamp(0, 1)
    return values.expand(1, 3, -1, -1).contiguous()
