"""GIF by Pillow, its first frame or all of them, without what stands in it for people.

Pillow puts a comment together by adding piece to piece, which takes minutes for a few megabytes.
(GIF89a, appendix A.)
"""

import io
from typing import IO

from PIL.GifImagePlugin import GifImageFile

from ..damage import Damaged, decoding
from ..pixels import Pixels, pixels_of
from .opened import Opened

_EXTENSION, _GRAPHIC_CONTROL, _IMAGE = 0x21, 0xF9, 0x2C


def open_gif(stream: IO[bytes], name: str) -> Opened:
    """The first frame."""
    data = stream.read()
    with decoding("GIF"):
        picture = GifImageFile(io.BytesIO(_plain(data)), "")

    def decode() -> Pixels:
        with decoding("GIF"):
            picture.load()
        return pixels_of(picture)

    return Opened("GIF", picture.size, decode)


def frames_alone(data: bytes) -> bytes:
    """The file without its comments, texts and loops, all its frames kept.

    Raises:
        Damaged: a frame goes beyond the screen, whose size is that of the picture.
    """
    at = _after_head(data)
    kept = [data[:at]]
    width, height = _number(data, 6), _number(data, 8)
    while (kind := data[at : at + 1]) in (bytes([_EXTENSION]), bytes([_IMAGE])):
        start = at
        if kind == bytes([_IMAGE]):
            left, top, columns, rows = (_number(data, at + place) for place in (1, 3, 5, 7))
            if left + columns > width or top + rows > height:
                raise Damaged("a frame goes beyond the screen")
            flags = data[at + 9] if at + 9 < len(data) else 0
            at = _end(data, at + 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0))
            kept.append(data[start:at])
            continue
        at = _end(data, at + 2)
        if data[start + 1 : start + 2] == bytes([_GRAPHIC_CONTROL]):
            kept.append(data[start:at])
    return b"".join([*kept, data[at:]])


def _plain(data: bytes) -> bytes:
    """The file without its comments, texts and loops; a file that is cut short as it is."""
    at = _after_head(data)
    kept = [data[:at]]
    while data[at : at + 1] == bytes([_EXTENSION]):
        start, at = at, _end(data, at + 2)
        if data[start + 1 : start + 2] == bytes([_GRAPHIC_CONTROL]):
            kept = [kept[0], data[start:at]]  # the last one counts
    return b"".join([*kept, data[at:]])


def _after_head(data: bytes) -> int:
    """Where the first block begins, after the palette of all frames."""
    return 13 + (3 << (data[10] & 7) + 1 if data[10:11] and data[10] & 0x80 else 0)


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _end(data: bytes, at: int) -> int:
    """Where the blocks that begin at `at` end."""
    while size := (data[at] if at < len(data) else 0):
        at += 1 + size
    return at + 1
