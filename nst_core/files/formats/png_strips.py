"""The rows of a PNG, strip by strip: each becomes a small PNG that Pillow decodes.

Its rows are one zlib stream, and a row's filter may look at the row above. So a strip is unpacked
here and packed again (not compressed) with that row before it, and Pillow undoes the filters.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from ..damage import Damaged, decoding
from ..deep import sixteen_bits
from ..pixels import Pixels, strip_rows
from .png_chunks import SIGNATURE, Chunk

# Samples of a pixel by color type, and the color type of 8 bits with so many bytes a pixel.
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_COLOR_OF_BYTES = {1: 0, 2: 4, 3: 2, 4: 6}
_READ = 1 << 20


def rows_of_png(
    stream: IO[bytes], header: bytes, decoded: Callable[[bytes, bytes], Pixels]
) -> Iterator[Pixels]:
    """The rows of a picture that is not interlaced.

    Args:
        stream: at the first chunk of pixels.
        header: the data of IHDR.
        decoded: the data of IHDR and IDAT to pixels, as stored.
    """
    width, height, depth, color = struct.unpack(">IIBB", header[:10])
    bits = _SAMPLES[color] * depth
    length = 1 + (width * bits + 7) // 8
    above = np.zeros(length - 1, np.uint8)
    left, count = height, strip_rows(width)
    for filtered in _unpacked(stream, length * count):
        rows, beyond = divmod(len(filtered), length)
        if (beyond and rows < left) or rows == 0:
            break
        rows = min(rows, left)
        raw = _unfiltered(b"\0" + above.tobytes() + filtered[: rows * length], header, rows + 1)[1:]
        above, left = raw[-1], left - rows
        plain = np.zeros((rows, length), np.uint8)
        plain[:, 1:] = raw
        yield decoded(struct.pack(">II", width, rows) + header[8:], zlib.compress(plain.data, 0))
        if not left:
            return
    raise Damaged("some of its rows are missing")


def _unpacked(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """All IDAT chunks, unpacked, `size` bytes at a time; the last may be fewer."""
    unpacker, ready = zlib.decompressobj(), bytearray()
    with decoding("PNG"):
        for packed in _idat(stream):
            while packed:
                ready += unpacker.decompress(packed, size - len(ready))
                packed = unpacker.unconsumed_tail
                if len(ready) == size:
                    yield bytes(ready)
                    ready.clear()
                if unpacker.eof:
                    break
    yield bytes(ready)


def _idat(stream: IO[bytes]) -> Iterator[bytes]:
    while len(head := stream.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if kind != b"IDAT":
            return
        while size and (data := stream.read(min(size, _READ))):
            size -= len(data)
            yield data
        stream.read(4)


def _unfiltered(filtered: bytes, header: bytes, rows: int) -> NDArray[np.uint8]:
    """(rows, bytes of a row) without the filters, which know bytes of a pixel and nothing else."""
    width, _, depth, color = struct.unpack(">IIBB", header[:10])
    pixel = max(1, _SAMPLES[color] * depth // 8)
    if pixel in _COLOR_OF_BYTES:
        across = len(filtered) // rows - 1
        form = struct.pack(">IIBB", across // pixel, rows, 8, _COLOR_OF_BYTES[pixel])
    else:
        form = struct.pack(">II", width, rows) + header[8:10]
    chunks = {b"IHDR": form + bytes(3), b"IDAT": zlib.compress(filtered, 0), b"IEND": b""}
    data = SIGNATURE + b"".join(Chunk.of(*chunk).whole() for chunk in chunks.items())
    with decoding("PNG"):
        if pixel in _COLOR_OF_BYTES:
            values = np.asarray(PngImageFile(io.BytesIO(data)))
        else:
            values = sixteen_bits(lambda: PngImageFile(io.BytesIO(data))).astype(">u2")
    return np.ascontiguousarray(values).view(np.uint8).reshape(rows, -1)
