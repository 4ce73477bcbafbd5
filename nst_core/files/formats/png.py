"""PNG: Pillow decodes the pixels, and what stands beside them is read here.

Pillow calls a picture damaged when a text or a color profile is longer than its global limits,
which belong to the host, and of 16-bit colors it keeps 8 bits. (PNG, third edition, 5 and 11.)
"""

import io
import struct
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from ..damage import Damaged, decoding
from ..deep import scaled, sixteen_bits
from ..icc import Values
from ..pixels import Pixels, orientation_of, pixels_of, pixels_of_values
from ..shrinking import Size, Strips
from .opened import Opened
from .png_chunks import KEPT, SIGNATURE, Chunk, Extras, chunks_before_pixels, chunks_from_here
from .png_strips import rows_of_png

_Info = dict[str | tuple[int, int], Any]


def open_png(stream: IO[bytes], name: str) -> Opened:
    """The header, and what stands before the pixels."""
    chunks, extras = chunks_before_pixels(stream), Extras(name)
    first = next(chunks, None)
    if first is None or first.kind != b"IHDR" or len(first.data) != 13:
        raise Damaged("its header is missing")
    width, height, depth, color = struct.unpack(">IIBB", first.data[:10])
    head = [first]
    for chunk in chunks:
        if chunk.kind in (b"PLTE", b"tRNS"):
            head.append(chunk)
        elif chunk.kind in KEPT:
            extras.add(chunk)
    at = stream.tell()

    def rest(*, pixels: bool = True) -> Iterator[Chunk]:
        """What follows, without what stands beside the pixels."""
        stream.seek(at)
        for chunk in chunks_from_here(stream, pixels=pixels):
            if chunk.kind in (b"IDAT", b"IEND"):
                yield chunk
            elif chunk.kind in KEPT:
                extras.add(chunk)

    def decode() -> Pixels:
        return _decoded([*head, *rest()], extras, depth, color)

    def of_strip(header: bytes, pixels: bytes) -> Pixels:
        ends = Chunk.of(b"IDAT", pixels), Chunk.of(b"IEND", b"")
        chunks = [Chunk.of(b"IHDR", header), *head[1:], *ends]
        return _decoded(chunks, extras, depth, color, orientation=1)

    def orientation() -> int:
        list(rest(pixels=False))
        return _orientation(_info(extras, gray=color in (0, 4)))

    def strips(_: Size) -> Strips:
        stream.seek(at)
        return Strips((height, width), rows_of_png(stream, first.data, of_strip), orientation)

    plain = first.data[12] == 0 and color in (0, 2, 3, 4, 6)
    texts = dict(extras.texts)
    return Opened("PNG", (width, height), decode, texts, strips if plain else None)


def _decoded(
    chunks: list[Chunk], extras: Extras, depth: int, color: int, orientation: int | None = None
) -> Pixels:
    # What color of 16 bits is transparent, Pillow would look for among colors of 8 bits.
    hole = next((chunk.data for chunk in chunks if chunk.kind == b"tRNS"), b"")
    data = SIGNATURE + b"".join(c.whole() for c in chunks if depth < 16 or c.kind != b"tRNS")
    info = _info(extras, gray=color in (0, 4))
    if depth == 16 and color != 3:
        return _deep_pixels(data, info, hole, color, orientation or _orientation(info))
    with decoding("PNG"):
        picture = PngImageFile(io.BytesIO(data))
        picture.load()
    picture.info.update(info)
    if picture.mode == "L" and depth < 8 and "transparency" in picture.info:
        # Pillow stretches the levels to 0..255, but not the one that is transparent.
        level = picture.info["transparency"] & (2**depth - 1)
        picture.info["transparency"] = level * 255 // (2**depth - 1)
    return pixels_of(picture, orientation)


def _deep_pixels(data: bytes, info: _Info, hole: bytes, color: int, orientation: int) -> Pixels:
    with decoding("PNG"):
        if color == 0:
            values = np.asarray(PngImageFile(io.BytesIO(data)))[..., None]
        else:
            values = sixteen_bits(lambda: PngImageFile(io.BytesIO(data)))
    alpha: Values | None = None
    if color & 4:
        values, alpha = values[..., :-1], scaled(values[..., -1], 65535)
    elif len(hole) == 2 * values.shape[-1]:
        alpha = (values != np.frombuffer(hole, ">u2")).any(-1).astype(np.float32)
    return pixels_of_values(scaled(values, 65535), alpha, info.get("icc_profile"), orientation)


def _orientation(info: _Info) -> int:
    bearer = Image.Image()
    bearer.info.update(info)
    return orientation_of(bearer)


def _info(extras: Extras, *, gray: bool) -> _Info:
    """What `pixels_of` looks for, as Pillow would have stored it."""
    info: _Info = {"icc_profile": extras.color_profile(gray=gray)}
    if b"eXIf" in extras.chunks:
        info["exif"] = b"Exif\0\0" + extras.chunks[b"eXIf"]
    for key in ("Raw profile type exif", "XML:com.adobe.xmp"):
        if key in extras.texts:
            info[key] = extras.texts[key]
    return info
