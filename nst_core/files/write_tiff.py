"""TIFF strip by strip, of 8 or 16 bits a channel, and BigTIFF where 4 GB may not be enough.

Pillow cannot write 16 bits in color, needs the whole picture in memory, and ends at 4 GB.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

from ..settings.writing import MAX_32_BIT_FILE
from .pixels import Levels

# TIFF 6.0, section 2: types of a field, by their format and number.
_SHORT, _LONG, _UNDEFINED = ("H", 3), ("I", 4), ("B", 7)
_LONG8 = ("Q", 16)  # of BigTIFF
_Field = tuple[tuple[str, int], Any]


@dataclass(frozen=True)
class _Form:
    """What differs between the two kinds of file.

    Attributes:
        head: the file's first bytes, before the place of its fields.
        offset: the type of places and lengths in the file.
        count: the format of the number of fields.
    """

    head: bytes
    offset: tuple[str, int]
    count: str

    def pack(self, *numbers: int) -> bytes:
        """As many offsets."""
        return struct.pack(f"<{len(numbers)}{self.offset[0]}", *numbers)


_CLASSIC = _Form(b"II*\0", _LONG, "H")
_BIG = _Form(b"II+\0\x08\0\0\0", _LONG8, "Q")


def write_tiff(
    stream: IO[bytes],
    strips: Iterable[Levels],
    *,
    shape: tuple[int, int, int],
    rows: int,
    bits: int,
    profile: bytes,
    most: int = MAX_32_BIT_FILE,
) -> None:
    """Write a TIFF file (TIFF 6.0, little-endian), deflated with the horizontal predictor.

    Args:
        stream: where to, at its beginning; it can seek.
        strips: the rows from top to bottom, each strip (h, W, C) in [0, 2**bits - 1].
        shape: (H, W, C) of the whole, with C 3 or 4.
        rows: of each strip but the last, which may have fewer.
        bits: of each channel, 8 or 16.
        profile: ICC profile of the colors.
        most: bytes; a file that could be longer becomes a BigTIFF.
    """
    height, width, channels = shape
    # Deflate makes what does not pack a little longer; beside the pixels there is little.
    longest = height * width * channels * bits // 8 * 1.001 + len(profile) + 2**16
    form = _BIG if longest > most else _CLASSIC
    stream.write(form.head + form.pack(0))
    places, lengths = _write_strips(stream, strips, bits)
    fields: dict[int, _Field] = {
        256: (_LONG, [width]),
        257: (_LONG, [height]),
        258: (_SHORT, [bits] * channels),  # BitsPerSample
        259: (_SHORT, [8]),  # Compression: Deflate
        262: (_SHORT, [2]),  # PhotometricInterpretation: RGB
        273: (form.offset, places),  # StripOffsets
        277: (_SHORT, [channels]),
        278: (_LONG, [min(rows, height)]),  # RowsPerStrip
        279: (form.offset, lengths),
        317: (_SHORT, [2]),  # Predictor: horizontal differencing
        338: (_SHORT, [2] * (channels - 3)),  # ExtraSamples: alpha, not multiplied
        34675: (_UNDEFINED, profile),
    }
    at = _write_fields(stream, form, {tag: field for tag, field in fields.items() if field[1]})
    stream.seek(len(form.head))
    stream.write(form.pack(at))
    stream.seek(0, 2)


def _write_strips(
    stream: IO[bytes], strips: Iterable[Levels], bits: int
) -> tuple[list[int], list[int]]:
    """Where each begins, and how long it is."""
    places, lengths = [], []
    for levels in strips:
        pixels = _packed(levels, bits)
        places.append(stream.tell())
        lengths.append(len(pixels))
        stream.write(pixels + b"\0" * (len(pixels) % 2))  # a field's value begins on an even byte
    return places, lengths


def _packed(levels: Levels, bits: int) -> bytes:
    samples = levels.astype(f"<u{bits // 8}")
    samples[:, 1:] -= samples[:, :-1].copy()
    return zlib.compress(samples.data, 6)


def _write_fields(stream: IO[bytes], form: _Form, fields: dict[int, _Field]) -> int:
    """Values that do not fit into a field, then the fields; returns where these begin."""
    entries, room = b"", len(form.pack(0))
    for tag, ((letter, kind), values) in fields.items():
        data = struct.pack(f"<{len(values)}{letter}", *values)
        if len(data) > room:
            at = form.pack(stream.tell())
            stream.write(data + b"\0" * (len(data) % 2))
            data = at
        entries += struct.pack("<HH", tag, kind) + form.pack(len(values)) + data.ljust(room, b"\0")
    at_fields = stream.tell()
    stream.write(struct.pack(f"<{form.count}", len(fields)) + entries + form.pack(0))
    return at_fields
