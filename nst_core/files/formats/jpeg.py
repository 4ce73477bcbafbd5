"""JPEG: the first picture of a file, also if its last bytes are missing.

Downloads and phones leave such files, and every viewer shows them. How much is missing nobody says,
so it is measured: the file is decoded with two different ends, and what its own bytes tell is the
same in both. (ITU-T T.81, annexes B and G.)
"""

import io
import logging
import random
import re
import struct
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from ..damage import DAMAGE, Damaged, NotSupported, decoding
from ..directories import check_exif
from ..pixels import Pixels, pixels_of
from .opened import Opened

log = logging.getLogger(__name__)

# Each scan of a progressive picture goes over all of it. Encoders make about ten.
_SCANS = 100
# The largest share of a picture's pixels that may be missing.
_MISSING = 0.02
_END = b"\xff\xd9"
# Of a kind that decodes to something else than the gray that stands for nothing.
_NOISE = random.Random(0).randbytes(4096).replace(b"\xff", b"\x7f")
_JPEG_LS = b"\xff\xf7\x00"  # its start of frame, ITU-T T.87
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def open_jpeg(stream: IO[bytes], name: str) -> Opened:
    """The first picture, which is the main one where more pictures or a gain map follow."""
    data = stream.read()
    _check(data)
    stream.seek(0)
    try:
        with decoding("JPEG"):
            # Not Pillow's factory: it reads what the others are, and fails with them.
            picture = JpegImageFile(stream, "")
    except Damaged as error:
        if _JPEG_LS in data[: 2**16]:
            raise NotSupported("JPEG-LS picture") from error
        raise

    def decode() -> Pixels:
        try:
            picture.load()
        except DAMAGE as error:
            return pixels_of(_mended(data, name, error))
        return pixels_of(picture)

    return Opened("JPEG", picture.size, decode)


def _mended(data: bytes, name: str, damage: Exception) -> JpegImageFile:
    """The picture of a file that ends too early, if no more than `_MISSING` of it is lost."""
    data = data.rstrip(b"\xff")  # half a marker
    if data[-2:] == _END or not _all_begun(data):
        raise Damaged(str(damage)) from damage
    picture, values = _decoded(data + _END)
    _, others = _decoded(data + _other_end(data))
    height, width = values.shape[:2]
    differing = (values != others).reshape(height, width, -1).any(-1)
    if differing.any():
        # Everything after the first block that differs is missing. Where colors are stored
        # coarsely, its last known row and column may differ too.
        block = 8 * max(layer[2] for layer in picture.layer)
        row = int(differing.any(1).argmax())
        end = min(((row + 1) // block + 1) * block, height)
        column = int(differing[row:end].any(0).argmax())
        missing = (end - row) * (width - column) + (height - end) * width
        if missing > _MISSING * height * width:
            raise Damaged(f"{missing / height / width:.1%} of it is missing") from damage
        if row and "progressive" not in picture.info:  # which is complete, but coarser here
            values[row:end, column:] = values[row - 1, column:]
            values[end:] = values[end - 1]
            picture.frombytes(values.tobytes())
    log.warning("%s: its last bytes are missing; what they would have shown was filled in.", name)
    return picture


def _other_end(data: bytes) -> bytes:
    """Noise that a decoder takes for the rest, wherever in a restart interval the file ends."""
    restarts = _RESTART.findall(data, data.rfind(b"\xff\xda"))
    last = restarts[-1][0] - 0xD0 if restarts else -1
    markers = [bytes([0xFF, 0xD0 + (last + i) % 8]) for i in range(1, 4)]
    return _NOISE.join([b"", *markers, _END])


def _decoded(data: bytes) -> tuple[JpegImageFile, NDArray[np.uint8]]:
    with decoding("JPEG"):
        picture = JpegImageFile(io.BytesIO(data), "")
        picture.load()
        return picture, np.array(picture)


def _all_begun(data: bytes) -> bool:
    """Whether the last scan of every coefficient is at least begun.

    Else what is missing lies everywhere in the picture, not at its lower end.
    """
    lacking: set[tuple[int, int]] = set()
    progressive = False
    for marker, body in _segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            progressive = marker & 3 == 2
            lacking = {(component, k) for component in body[6::3] for k in range(64)}
        elif marker == 0xDA and len(body) >= 6:
            first, last, bits = body[-3:]
            if not progressive:
                first, last, bits = 0, 63, 0
            if bits & 15 == 0:
                lacking -= {(c, k) for c in body[1:-3:2] for k in range(first, last + 1)}
    return not lacking


def _check(data: bytes) -> None:
    """Damaged if it has so many scans, or so long EXIF, that to read it would take minutes."""
    scans, exif = 0, list[bytes]()
    for marker, body in _segments(data):
        scans += marker == 0xDA
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            exif.append(body[6 if exif else 0 :])  # Pillow joins them
        if scans > _SCANS:
            raise Damaged(f"it has more than {_SCANS} scans")
    if len(exif) > 1:
        check_exif(b"".join(exif))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, body) of each up to the end of the picture."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xD9:
        marker, (size,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        yield marker, data[at + 4 : at + 2 + size]
        at += 2 + max(size, 2)
        if marker == 0xDA:
            found = _NEXT_MARKER.search(data, at)
            at = found.start() if found else len(data)
