"""Whether strings of an HDF5 file can be read: HDF5 walks through heaps, and some have no end.

Strings of any length lie in global heap collections (HDF5 File Format Specification 3.0, III.E):
"GCOL", version, the size of the collection, then objects: index, references, 4 reserved bytes, size
and data. An object 0 is free space and says how far it goes; one that goes nowhere keeps HDF5's C
library there forever.
"""

import mmap
from pathlib import Path
from typing import IO

# The signature and version 1; no other occurs.
_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEADER, _OBJECT = 16, 16
# Files whose sizes are not of 8 bytes are rare and small.
_SUPERBLOCK = b"\x89HDF\r\n\x1a\n"
_LENGTHS = {0: 14, 1: 14, 2: 10, 3: 10}  # where it says of how many bytes sizes are, by version


def check_heaps(source: Path | IO[bytes]) -> None:
    """Look through every heap collection of a file.

    Raises:
        ValueError: one does not end, or sizes are not of 8 bytes.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            _check(file)
    else:
        _check(source)


def _check(file: IO[bytes]) -> None:
    file.flush()  # what was written a moment ago is looked at too
    file.seek(0)
    if not file.read(1):
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        place = data.find(_SIGNATURE)
        if place >= 0 and not _has_long_sizes(data):
            raise ValueError("its heaps have sizes of an unusual length")
        while place >= 0:
            _walk(data, place)
            place = data.find(_SIGNATURE, place + 1)


def _has_long_sizes(data: mmap.mmap) -> bool:
    place = data.find(_SUPERBLOCK)
    version = data[place + 8] if place >= 0 and place + 16 < len(data) else -1
    return version in _LENGTHS and data[place + _LENGTHS[version]] == 8


def _walk(data: mmap.mmap, start: int) -> None:
    """Through the objects of a collection, as HDF5 does."""
    end = start + int.from_bytes(data[start + 8 : start + _HEADER], "little")
    place = start + _HEADER
    while place + _OBJECT <= min(end, len(data)):
        index = int.from_bytes(data[place : place + 2], "little")
        size = int.from_bytes(data[place + 8 : place + _OBJECT], "little")
        # Free space counts its own header, objects do not, and are filled up to 8 bytes.
        step = size if index == 0 else _OBJECT + -(-size // 8) * 8
        if step < _OBJECT or place + step > end:
            raise ValueError(f"a heap at byte {start} does not end")
        place += step
