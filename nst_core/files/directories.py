"""Directories of tags, as TIFF and EXIF have them: whether they can be true, before they are read.

Pillow reads the values of all tags at once. Some thousand tags that share a megabyte are a small
file and would be gigabytes. (TIFF 6.0, section 2; BigTIFF.)
"""

import io
import struct
from collections.abc import Collection
from typing import IO

from .damage import Damaged

# Bytes of a value of each type.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}
# Tags whose value is the place of another directory: of EXIF, GPS and interoperability.
_INNER = (34665, 34853, 40965)
# Writers let small values share their bytes.
_SHARED = 2**16


def check_exif(exif: bytes) -> None:
    """Raises Damaged if the tags of an EXIF block say that they are far longer than it is."""
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    check_directories(io.BytesIO(exif))


def check_directories(stream: IO[bytes]) -> None:
    """The same of the first page of a TIFF stream, which is at its beginning afterwards."""
    end = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    big = order is not None and head[2:4] == struct.pack(f"{order}H", 43)
    try:
        if order is not None:
            (first,) = struct.unpack_from(
                f"{order}Q" if big else f"{order}I", head, 8 if big else 4
            )
            _check(stream, first, order, big, 2 * end + _SHARED)
    except (struct.error, OverflowError, ValueError, OSError):
        pass  # a place outside of the file: who reads the tags will say so
    stream.seek(0)


def _check(stream: IO[bytes], first: int, order: str, big: bool, most: int) -> None:
    places, seen, total = [first], set[int](), 0
    while places:
        place = places.pop()
        if place in seen:
            continue
        seen.add(place)
        for tag, size, value in _entries(stream, place, order, big):
            total += size if size > (8 if big else 4) else 0
            if tag in _INNER:
                places.append(value)
        if total > most:
            raise Damaged("its tags are longer than it is")


def _entries(
    stream: IO[bytes], place: int, order: str, big: bool
) -> Collection[tuple[int, int, int]]:
    """(tag, bytes of its value, the value or its place) of each in a directory."""
    count, entry = (f"{order}Q", f"{order}HHQQ") if big else (f"{order}H", f"{order}HHII")
    stream.seek(place)
    (tags,) = struct.unpack(count, stream.read(struct.calcsize(count)))
    size = struct.calcsize(entry)
    body = stream.read(size * min(tags, 2**16))
    rows = struct.iter_unpack(entry, body[: len(body) // size * size])
    return [(tag, _SIZES.get(kind, 0) * count, value) for tag, kind, count, value in rows]
