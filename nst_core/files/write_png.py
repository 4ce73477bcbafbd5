"""PNG strip by strip, of 8 or 16 bits a channel.

Pillow cannot write 16 bits in color, and needs the whole picture in memory.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import IO

import numpy as np
from numpy.typing import NDArray

from .pixels import Levels

# Bytes of a chunk of pixels: what is packed and not yet written.
_PART = 1 << 24


def write_png(
    stream: IO[bytes],
    strips: Iterable[Levels],
    *,
    shape: tuple[int, int, int],
    bits: int,
    chunks: Iterable[tuple[bytes, bytes]],
) -> None:
    """Write a PNG file (ISO/IEC 15948).

    Args:
        stream: where to.
        strips: the rows from top to bottom, each strip (h, W, C) in [0, 2**bits - 1].
        shape: (H, W, C) of the whole, with C 3 or 4.
        bits: of each channel, 8 or 16.
        chunks: name and data of those between the header and the pixels.
    """
    height, width, channels = shape
    header = struct.pack(">IIBBBBB", width, height, bits, {3: 2, 4: 6}[channels], 0, 0, 0)
    stream.write(b"\x89PNG\r\n\x1a\n")
    for name, data in [(b"IHDR", header), *chunks]:
        _write_chunk(stream, name, data)
    packer, packed = zlib.compressobj(6), bytearray()
    for filtered in _filtered(strips, bits):
        packed += packer.compress(filtered.data)
        while len(packed) > _PART:
            _write_chunk(stream, b"IDAT", packed[:_PART])
            del packed[:_PART]
    _write_chunk(stream, b"IDAT", packed + packer.flush())
    _write_chunk(stream, b"IEND", b"")


def text_chunks(metadata: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Texts by name, in UTF-8 and as they are."""
    return [
        (b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + text.encode())
        for key, text in metadata.items()
    ]


def _filtered(strips: Iterable[Levels], bits: int) -> Iterator[NDArray[np.uint8]]:
    """By the filter Up: each byte without the one above it, which is smaller and packs better."""
    above: NDArray[np.uint8] | None = None
    for levels in strips:
        rows = levels.astype(">u2" if bits == 16 else np.uint8).view(np.uint8)
        rows = rows.reshape(len(levels), -1)
        filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
        filtered[:, 0] = 2
        filtered[0, 1:] = rows[0] if above is None else rows[0] - above
        np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
        above = rows[-1]
        yield filtered


def _write_chunk(stream: IO[bytes], name: bytes, data: bytes | bytearray) -> None:
    checksum = zlib.crc32(data, zlib.crc32(name))
    stream.write(struct.pack(">I", len(data)) + name)
    stream.write(data)
    stream.write(struct.pack(">I", checksum))
