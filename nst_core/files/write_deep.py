"""PNG and TIFF with 16 bits a channel, which Pillow cannot write in color."""

import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

Levels: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
# Bytes of a PNG's chunk of pixels; none may have 2**31.
_PART = 1 << 30
# TIFF 6.0, section 2: types of a field, by their format and number.
_SHORT, _LONG, _UNDEFINED = ("H", 3), ("I", 4), ("B", 7)


def png_of(levels: Levels, chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG file (ISO/IEC 15948).

    Args:
        levels: (H, W, 3) or (H, W, 4) in [0, 65535].
        chunks: name and data of those between the header and the pixels.
    """
    height, width, channels = levels.shape
    rows = levels.astype(">u2").view(np.uint8).reshape(height, -1)
    # The filter Up: each byte without the one above it, which is smaller and packs better.
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    filtered = np.hstack([np.full((height, 1), 2, np.uint8), rows - above])
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    pixels = zlib.compress(filtered.tobytes(), 6)
    parts = [(b"IDAT", pixels[at : at + _PART]) for at in range(0, len(pixels), _PART)]
    whole = [(b"IHDR", header), *chunks, *parts, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in whole)


def text_chunks(metadata: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Texts by name, in UTF-8 and as they are."""
    return [
        (b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + text.encode())
        for key, text in metadata.items()
    ]


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + checksum


def tiff_of(levels: Levels, profile: bytes) -> bytes:
    """A TIFF file (TIFF 6.0, little-endian), deflated with the horizontal predictor.

    Args:
        levels: (H, W, 3) or (H, W, 4) in [0, 65535].
        profile: ICC profile of the colors.
    """
    height, width, channels = levels.shape
    samples = levels.astype("<u2")
    samples[:, 1:] -= samples[:, :-1].copy()
    pixels = zlib.compress(samples.tobytes(), 6)
    fields: dict[int, tuple[tuple[str, int], Any]] = {
        256: (_LONG, [width]),
        257: (_LONG, [height]),
        258: (_SHORT, [16] * channels),  # BitsPerSample
        259: (_SHORT, [8]),  # Compression: Deflate
        262: (_SHORT, [2]),  # PhotometricInterpretation: RGB
        273: (_LONG, [8]),  # StripOffsets: one strip, after the file's header
        277: (_SHORT, [channels]),
        278: (_LONG, [height]),  # RowsPerStrip
        279: (_LONG, [len(pixels)]),
        317: (_SHORT, [2]),  # Predictor: horizontal differencing
        338: (_SHORT, [2] * (channels - 3)),  # ExtraSamples: alpha, not multiplied
        34675: (_UNDEFINED, profile),
    }
    # A field's value begins on an even byte.
    pixels += b"\0" * (len(pixels) % 2)
    return _tiff(pixels, {tag: field for tag, field in fields.items() if len(field[1])})


def _tiff(pixels: bytes, fields: Mapping[int, tuple[tuple[str, int], Any]]) -> bytes:
    """Header, pixels, values that do not fit into a field, and last the fields."""
    body, entries = b"", b""
    for tag, ((form, kind), values) in fields.items():
        data = struct.pack(f"<{len(values)}{form}", *values)
        if len(data) > 4:
            at = struct.pack("<I", 8 + len(pixels) + len(body))
            body += data + b"\0" * (len(data) % 2)
            data = at
        entries += struct.pack("<HHI", tag, kind, len(values)) + data.ljust(4, b"\0")
    header = b"II*\0" + struct.pack("<I", 8 + len(pixels) + len(body))
    return header + pixels + body + struct.pack("<H", len(fields)) + entries + bytes(4)
