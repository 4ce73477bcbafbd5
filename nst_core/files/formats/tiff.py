"""TIFF: what Pillow reads right, Pillow reads; the rest is for tifffile or refused by its name."""

import io
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from ..damage import DAMAGE, Damaged, MissingPackage, NotSupported, decoding
from ..deep import keeps_16_bits, scaled, sixteen_bits
from ..directories import check_directories
from ..pixels import Pixels, pixels_of, pixels_of_values
from ..shrinking import Size, Strips, strips_of_whole
from .opened import Opened
from .studio_tiff import pixels_of_channels, studio_pixels
from .tiff_layout import CMYK, RGB, WHITE_IS_ZERO, YCBCR, Layout, read_layout
from .tiff_strips import parts_of_tiff

log = logging.getLogger(__name__)

# TIFF 6.0 and its supplements, tag Compression.
_NONE, _JPEG = 1, (6, 7)
_COMMON = (_NONE, 2, 3, 4, 5, *_JPEG, 8, 32773, 32946)


def open_tiff(stream: IO[bytes], name: str) -> Opened:
    """The first page."""
    check_directories(stream)
    big_endian_big = stream.read(4) == b"MM\0+"
    stream.seek(0)
    try:
        with decoding("TIFF"):
            layout = read_layout(stream)
    except Damaged as error:
        if big_endian_big:  # which Pillow takes for a plain TIFF
            raise NotSupported("big-endian BigTIFF picture") from error
        raise
    if layout.raw:
        raise NotSupported("raw picture of a camera", "develop it and save it as a PNG picture")

    def decode() -> Pixels:
        return _decoded(stream, layout, name)

    def rows(parts: Callable[[], Iterator[bytes]]) -> Iterator[Pixels]:
        for part in parts():
            yield open_tiff(io.BytesIO(part), name).decode()

    def strips(_: Size) -> Strips:
        with decoding("TIFF"):
            parts = parts_of_tiff(stream) if _in_parts(layout) else None
        if parts is None:
            return strips_of_whole(decode())
        return Strips(layout.size[::-1], rows(parts), lambda: layout.orientation)

    return Opened("TIFF", layout.size, decode, strips=strips)


def _decoded(stream: IO[bytes], layout: Layout, name: str) -> Pixels:
    """All of it."""
    try:
        return _by_pillow(stream, layout)
    except _NotForPillow:
        pass
    try:
        return studio_pixels(stream, layout)
    except MissingPackage as missing:
        if not _loses_bits_only(layout):
            raise
        try:
            picture = _pillow(stream)
        except DAMAGE:
            raise missing from None
    log.warning("%s: read with 8 of its 16 bits a channel; tifffile would read all.", name)
    with decoding("TIFF"):
        picture.load()
    return pixels_of(picture)


def _in_parts(layout: Layout) -> bool:
    """Whether parts can be read alone: old JPEG has common tables, large numbers a common white."""
    return layout.compression != 6 and layout.bits <= 16 and layout.sample_format == 1


class _NotForPillow(Exception):
    """Pillow cannot read it, or would read it wrong, or not all of its bits."""


def _pillow(stream: IO[bytes]) -> TiffImageFile:
    stream.seek(0)
    return TiffImageFile(stream, "")


def _by_pillow(stream: IO[bytes], layout: Layout) -> Pixels:
    try:
        picture = _pillow(stream)
    except DAMAGE as error:
        raise _NotForPillow from error
    gray = layout.samples == 1 and picture.mode[0] in "IF"
    color = layout.photometric == RGB and not layout.planes and keeps_16_bits(picture)
    if layout.deep and not gray and not color:
        raise _NotForPillow
    if layout.photometric == YCBCR and layout.compression not in _JPEG:
        raise _NotForPillow
    try:
        with decoding("TIFF"):
            if layout.deep and color:
                words = sixteen_bits(lambda: _pillow(stream))
            else:
                picture.load()
    except Damaged as error:
        if layout.compression in _COMMON:
            raise
        raise _NotForPillow from error  # Pillow may have been built without this compression
    if not layout.deep:
        return pixels_of(picture)
    return _deep_gray(picture, layout) if gray else _deep_color(words, layout)


def _loses_bits_only(layout: Layout) -> bool:
    """Whether Pillow reads it right, with 8 bits of 16: not planes that are not compressed."""
    return (
        layout.photometric in (RGB, CMYK)
        and (layout.bits, layout.sample_format) == (16, 1)
        and not (layout.planes and layout.compression == _NONE)
    )


def _deep_gray(picture: TiffImageFile, layout: Layout) -> Pixels:
    values = np.asarray(picture)
    if layout.sample_format == 1 and layout.bits == 32:
        values = values.view(np.uint32)  # which Pillow has no mode for
    shares = scaled(values, layout.white)
    if layout.photometric == WHITE_IS_ZERO:
        shares = 1 - shares
    # Pillow has turned it upright.
    return pixels_of_values(shares[..., None], None, layout.icc)


def _deep_color(words: NDArray[np.uint16], layout: Layout) -> Pixels:
    # Pillow has turned it upright, and left out what is neither color nor alpha.
    layout = replace(layout, orientation=1, samples=words.shape[-1])
    return pixels_of_channels(scaled(words, 65535), layout)
