"""TIFF pictures that Pillow has no mode for, decoded by tifffile, and what their channels mean.

Floating-point colors, deep gray with alpha, CMYK with alpha, Lab of 16 bits, rare compressions. The
packages tifffile and imagecodecs are optional, and imported only here.
"""

import io
import logging
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import PackageError
from ...optional import imported
from ..color_profile import in_srgb
from ..damage import DAMAGE, Damaged, MissingPackage, NotSupported
from ..deep import scaled
from ..icc import Values, xyz_to_srgb
from ..pixels import Pixels, pixels_of_values
from .tiff_layout import BLACK_IS_ZERO, CIELAB, CMYK, ICCLAB, RGB, WHITE_IS_ZERO, YCBCR, Layout

log = logging.getLogger(__name__)

_COLORS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, CMYK: 4, YCBCR: 3, CIELAB: 3, ICCLAB: 3}
_D50 = np.array([0.9642, 1.0, 0.8249], np.float32)
# Of one pixel: five channels of 64 bits. Without it, the limit of pixels is none of memory.
_MOST_BITS = 5 * 64
_CONTRADICT = "its tags contradict each other"


def studio_pixels(stream: IO[bytes], layout: Layout) -> Pixels:
    """The pixels of a page that Pillow cannot read, or would read wrong.

    Raises:
        NotSupported: tifffile cannot read it either, or is missing.
        Damaged: The file is not whole.
    """
    _check_meaning(layout)
    _check_whole(stream, layout)
    try:
        tifffile: Any = imported("tifffile", "tifffile")
    except PackageError as error:
        raise MissingPackage(
            f"{layout}, without the package tifffile",
            "install it (pip install tifffile imagecodecs), or save the picture as a 16-bit PNG",
        ) from error
    told = (*layout.size, layout.samples)
    stream.seek(0)
    try:
        with tifffile.TiffFile(stream) as file:
            page = file.pages[0]
            if (page.imagewidth, page.imagelength, page.samplesperpixel) != told:
                raise Damaged(_CONTRADICT)  # before room is made for it
            channels = page.asarray()
            axes = page.axes
    except (*DAMAGE, tifffile.TiffFileError, ArithmeticError, AssertionError, ImportError) as error:
        if "requires" in str(error) or "cannot" in str(error) or isinstance(error, ImportError):
            raise NotSupported(f"{layout}: {error}") from error
        raise Damaged(str(error)) from error
    if axes not in ("YX", "YXS", "SYX"):
        raise NotSupported(f"{layout} of the axes {axes}")
    channels = channels[..., None] if axes == "YX" else channels
    channels = np.moveaxis(channels, 0, -1) if axes == "SYX" else channels
    if channels.shape != (*layout.size[::-1], layout.samples):
        raise Damaged(_CONTRADICT)
    if layout.photometric in (CIELAB, ICCLAB):
        return pixels_of_values(_lab(channels, layout), None, None, layout.orientation)
    return pixels_of_channels(scaled(channels, layout.white), layout)


def pixels_of_channels(shares: Values, layout: Layout) -> Pixels:
    """Of (H, W, C) in [0, 1]: colors in sRGB, and alpha if a channel says that it is."""
    count = _COLORS[layout.photometric]
    colors, extras = shares[..., :count], list(layout.extras)
    if not extras and layout.samples == count + 1:
        extras = [2]  # what writers that leave the tag out mean, says Pillow
    alpha: Values | None = None
    for channel, kind in zip(range(count, shares.shape[-1]), extras, strict=False):
        if kind in (1, 2):
            alpha = np.ascontiguousarray(shares[..., channel])
            if kind == 1:
                colors = (colors / np.maximum(alpha, 1e-6)[..., None]).clip(0, 1)
            break
    if layout.photometric == CMYK:
        return pixels_of_values(_cmyk(colors, layout.icc), alpha, None, layout.orientation)
    if layout.photometric == YCBCR:
        picture = _rounded(colors, "YCbCr")
        colors = (np.asarray(picture.convert("RGB")) / 255).astype(np.float32)
    if layout.photometric == WHITE_IS_ZERO:
        colors = 1 - colors
    return pixels_of_values(np.ascontiguousarray(colors), alpha, layout.icc, layout.orientation)


def _check_meaning(layout: Layout) -> None:
    count = _COLORS.get(layout.photometric)
    plain = (
        count is not None
        and count <= layout.samples <= 16
        # Of several gray channels none says what it is.
        and not (count == 1 and layout.samples > 2)
        and not (layout.photometric == YCBCR and (layout.subsampling != (1, 1) or layout.deep))
        and not (layout.photometric == ICCLAB and layout.bits != 8)
        and not (layout.photometric == CIELAB and layout.bits not in (8, 16))
        and (layout.sample_format in (1, 2, 3) and layout.bits <= 64)
        and layout.samples * layout.bits <= _MOST_BITS
    )
    if not plain:
        raise NotSupported(str(layout))


def _check_whole(stream: IO[bytes], layout: Layout) -> None:
    """The package would show what is missing as black, and make room for tiles of any size."""
    end = stream.seek(0, io.SEEK_END)
    starts, sizes = layout.stored
    if not starts or any(a + b > end or not a for a, b in zip(starts, sizes, strict=False)):
        raise Damaged("some of its pixels are missing")
    width, height = layout.size
    if layout.tile_pixels > max(4 * width * height, 2**22):
        raise NotSupported(f"{layout} in tiles of {layout.tile_pixels:,} pixels")


def _cmyk(inks: Values, icc: bytes | None) -> Values:
    """(H, W, 3) sRGB: by the profile with 8 bits, or as inks that take away light."""
    if not icc:
        return (1 - inks[..., :3]) * (1 - inks[..., 3:])
    return (np.asarray(in_srgb(_rounded(inks, "CMYK"), icc).convert("RGB")) / 255).astype(
        np.float32
    )


def _rounded(shares: Values, mode: str) -> Image.Image:
    return Image.frombytes(
        mode, shares.shape[1::-1], (shares * 255 + 0.5).astype(np.uint8).tobytes()
    )


def _lab(channels: NDArray[np.generic], layout: Layout) -> Values:
    """(H, W, 3) sRGB from CIE L*a*b* under D50 (TIFF 6.0, section 23)."""
    lightness = scaled(channels[..., 0], layout.white) * 100
    if layout.photometric == ICCLAB:
        a, b = (channels[..., i].astype(np.float32) - 128 for i in (1, 2))
    else:
        signed = np.dtype(f"int{layout.bits}")
        unit = 2.0 ** (layout.bits - 8)
        a, b = (channels[..., i].astype(signed).astype(np.float32) / unit for i in (1, 2))
    y = (lightness + 16) / 116
    roots = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    xyz = np.where(roots > 6 / 29, roots**3, (roots - 4 / 29) * (108 / 841))
    return xyz_to_srgb((xyz * _D50).astype(np.float32))
