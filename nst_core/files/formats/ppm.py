"""PPM and its relatives, by Pillow, without their comments.

Pillow copies all that follows for each comment, which takes minutes for a few megabytes. (netpbm's
ppm(5); comments reach from # to the end of a line.)
"""

import io
import re
from typing import IO

from PIL.PpmImagePlugin import PpmImageFile

from ..damage import decoding
from ..pixels import Pixels, pixels_of
from .opened import Opened

_COMMENT = re.compile(rb"#[^\r\n]*")
# Kinds whose pixels are written as text, and how many numbers stand before them.
_TEXTS = (b"P1", b"P2", b"P3")
_NUMBERS = {b"P1": 2, b"P4": 2}


def open_ppm(stream: IO[bytes], name: str) -> Opened:
    """The first picture."""
    with decoding("PPM"):
        picture = PpmImageFile(io.BytesIO(_plain(stream.read())), "")

    def decode() -> Pixels:
        with decoding("PPM"):
            picture.load()
        return pixels_of(picture)

    return Opened("PPM", picture.size, decode)


def _plain(data: bytes) -> bytes:
    if data[:2] in _TEXTS:
        return _COMMENT.sub(b"", data)
    head, at = [data[:2]], 2
    for _ in range(_NUMBERS.get(data[:2], 3)):
        found = re.compile(rb"(?:\s|#[^\r\n]*)*([^\s#]*)").match(data, at)
        if found is None:
            return data
        head.append(found[1])
        at = found.end()
    return b" ".join(head) + data[at:]
