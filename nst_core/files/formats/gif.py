"""GIF: its first frame, by Pillow, without what stands before it for people.

Pillow puts a comment together by adding piece to piece, which takes minutes for a few megabytes.
(GIF89a, appendix A.)
"""

import io
from typing import IO

from PIL.GifImagePlugin import GifImageFile

from ..damage import decoding
from ..pixels import Pixels, pixels_of
from .opened import Opened

_EXTENSION, _GRAPHIC_CONTROL = 0x21, 0xF9


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


def _plain(data: bytes) -> bytes:
    """The file without its comments, texts and loops; a file that is cut short as it is."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10:11] and data[10] & 0x80 else 0)
    kept = [data[:at]]
    while data[at : at + 1] == bytes([_EXTENSION]):
        start, at = at, _end(data, at + 2)
        if data[start + 1 : start + 2] == bytes([_GRAPHIC_CONTROL]):
            kept = [kept[0], data[start:at]]  # the last one counts
    return b"".join([*kept, data[at:]])


def _end(data: bytes, at: int) -> int:
    """Where the blocks that begin at `at` end."""
    while size := (data[at] if at < len(data) else 0):
        at += 1 + size
    return at + 1
