"""The rows of a TIFF, strip by strip: each becomes a small TIFF of a few strips or rows of tiles.

What is stored of one strip or tile can be decoded without the others (TIFF 6.0, sections 3 and 15),
so whatever reads the whole reads a part, and finds the same.
"""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from ..damage import Damaged
from ..pixels import strip_rows

# Tags that say how pixels are stored, and the color profile. Not how they are turned: that is done
# once, with the whole.
_KEPT = {256, 258, 259, 262, 266, 277, 284, 292, 293, 317, 320, 322, 323, 332, 334, 336}
_KEPT |= {338, 339, 340, 341, 347, 529, 530, 531, 532, 34675}
_HEIGHT, _ROWS, _TILE_HEIGHT = 257, 278, 323
_YCBCR = 6  # whose colors may be stored for several rows
# Where the strips or tiles begin, and their bytes.
_STRIPS, _TILES = (273, 279), (324, 325)
# Types: bytes and format of one value; those of places in the file are not among them.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_LONG = 4


@dataclass(frozen=True)
class _Fields:
    """The first page's, by tag: type, count and bytes of the values, in the file's byte order."""

    order: str
    values: dict[int, tuple[int, int, bytes]]

    def numbers(self, tag: int) -> list[int]:
        """Those of a tag; none if it is not there."""
        kind, count, data = self.values.get(tag, (3, 0, b""))
        return list(struct.unpack(f"{self.order}{count}{_NUMBERS[kind]}", data))


def parts_of_tiff(stream: IO[bytes]) -> Callable[[], Iterator[bytes]] | None:
    """What gives a TIFF file for each strip; None if there is but one.

    Raises:
        struct.error, LookupError: The tags are damaged.
    """
    fields = _fields(stream)
    (height,), (width,) = fields.numbers(_HEIGHT), fields.numbers(256)
    tiled = 322 in fields.values
    tags = _TILES if tiled else _STRIPS
    starts, sizes = map(fields.numbers, tags)
    rows = (fields.numbers(_TILE_HEIGHT if tiled else _ROWS) or [height])[0]
    samples = (fields.numbers(277) or [1])[0]
    planes = samples if fields.numbers(284) == [2] else 1
    if not tiled and fields.numbers(259) in ([], [1]) and fields.numbers(262) != [_YCBCR]:
        bits = (fields.numbers(258) or [1])[0] * samples // planes
        starts, sizes, rows = _cut(starts, height, rows, (width * bits + 7) // 8)
    down = -(-height // max(1, rows))
    across, beyond = divmod(len(starts), planes * down)
    if down < 2 or beyond or not across or len(starts) != len(sizes):
        return None
    together = max(1, strip_rows(width) // rows)

    def parts() -> Iterator[bytes]:
        for first in range(0, down, together):
            last = min(first + together, down)
            chosen = [
                plane * down * across + index
                for plane in range(planes)
                for index in range(first * across, last * across)
            ]
            stored = [_read(stream, starts[i], sizes[i]) for i in chosen]
            yield _small(fields, tags, stored, min(last * rows, height) - first * rows, rows)

    return parts


def _cut(
    starts: list[int], height: int, rows: int, length: int
) -> tuple[list[int], list[int], int]:
    """Strips of pixels that are not compressed, cut into single rows: starts, sizes and rows."""
    heights = [min(rows, height - top) for top in range(0, height, max(1, rows))]
    every = [
        start + row * length
        for start, count in zip(starts, heights * (len(starts) // len(heights)), strict=False)
        for row in range(count)
    ]
    return every, [length] * len(every), 1


def _fields(stream: IO[bytes]) -> _Fields:
    stream.seek(0)
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    offset, width, count = ("Q", 8, "Q") if big else ("I", 4, "H")
    stream.seek(struct.unpack_from(f"{order}{offset}", head, 8 if big else 4)[0])
    (entries,) = struct.unpack(f"{order}{count}", stream.read(struct.calcsize(count)))
    table = stream.read(min(entries, 2**16) * (4 + 2 * width))
    values = {}
    for at in range(0, len(table) - 3 - 2 * width, 4 + 2 * width):
        tag, kind, number = struct.unpack_from(f"{order}HH{offset}", table, at)
        if kind not in _SIZES:
            continue
        size, data = number * _SIZES[kind], table[at + 4 + width : at + 4 + 2 * width]
        if size > width:
            data = _read(stream, struct.unpack(f"{order}{offset}", data)[0], size)
        values[tag] = kind, number, data[:size]
    return _Fields(order, values)


def _read(stream: IO[bytes], start: int, size: int) -> bytes:
    # Asked for more than there is, some streams would first make room for it.
    size = min(size, stream.seek(0, io.SEEK_END))
    stream.seek(start)
    data = stream.read(size)
    if len(data) < size:
        raise Damaged("some of its pixels are missing")
    return data


def _small(
    fields: _Fields, tags: tuple[int, int], stored: list[bytes], height: int, rows: int
) -> bytes:
    """A TIFF file of `height` rows, out of strips or tiles as they are stored."""
    order, body, starts = fields.order, b"", []
    for data in stored:
        starts.append(8 + len(body))
        body += data + b"\0" * (len(data) % 2)
    values = {tag: value for tag, value in fields.values.items() if tag in _KEPT}
    own = {_HEIGHT: [height], tags[0]: starts, tags[1]: [len(data) for data in stored]}
    if tags == _STRIPS:
        own[_ROWS] = [rows]
    for tag, numbers in own.items():
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        values[tag] = _LONG, len(numbers), packed
    entries = b""
    for tag, (kind, number, data) in sorted(values.items()):
        if len(data) > 4:
            at = struct.pack(f"{order}I", 8 + len(body))
            body += data + b"\0" * (len(data) % 2)
            data = at
        entries += struct.pack(f"{order}HHI", tag, kind, number) + data.ljust(4, b"\0")
    head = b"II*\0" if order == "<" else b"MM\0*"
    place = struct.pack(f"{order}I", 8 + len(body))
    return head + place + body + struct.pack(f"{order}H", len(values)) + entries + bytes(4)
