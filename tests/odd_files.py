"""Picture files of kinds that Pillow cannot write, made of bytes: PNG chunks and TIFF tags."""

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, body=b"", *, checksum=None):
    if checksum is None:
        checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png(pixels, color, *, depth=None, before=b"", after=b"", interlaced=False):
    """Of (H, W, C) uint8 or uint16; `before` and `after` are chunks around the pixels."""
    height, width = pixels.shape[:2]
    depth = depth or 8 * pixels.dtype.itemsize
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    passes = [(0, 0, 1, 1)]
    if interlaced:  # the first pixel's row and column, and the steps
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)]
        passes += [(2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b""
    for y, x, down, across in passes:
        for row in pixels[y::down, x::across]:
            rows += b"\0" + (
                packed(row, depth) if depth < 8 else row.astype(f">u{depth // 8}").tobytes()
            )
    data = chunk(b"IDAT", zlib.compress(rows))
    return SIGNATURE + chunk(b"IHDR", head) + before + data + after + chunk(b"IEND")


def packed(row, depth):
    """Values of 1, 2 or 4 bits in bytes, the first one in the highest bits."""
    bits = np.unpackbits(row.reshape(-1, 1).astype(np.uint8), axis=1)[:, 8 - depth :]
    return np.packbits(bits.ravel()).tobytes()


def tiff(pixels, photometric, *, order="<", planes=False, tags=(), bits=None, data=None, parts=1):
    """Of (H, W, C), not compressed unless `data` and a tag say so.

    `tags` are more tags or other values: {number: (type, values)}; types 3 and 4 are unsigned of
    16 and 32 bits, 7 is bytes.
    """
    height, width, channels = pixels.shape
    kind = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    stored = pixels.astype(pixels.dtype.newbyteorder(order))
    if data is None:
        data = (np.moveaxis(stored, -1, 0) if planes else stored).tobytes()
    count = channels if planes else parts
    size = len(data) // count
    entries = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [bits or 8 * pixels.dtype.itemsize] * channels),
        259: (3, [1]),
        262: (3, [photometric]),
        273: (4, [0] * count),
        277: (3, [channels]),
        278: (4, [height // parts]),
        279: (4, [size] * count),
        284: (3, [1 + planes]),
        339: (3, [kind] * channels),
        **dict(tags),
    }
    begin = 8 + 2 + 12 * len(entries) + 4
    room = sum(len(values) * {3: 2, 4: 4, 7: 1}[kind] + 1 for kind, values in entries.values())
    entries[273] = (4, [begin + room + i * size for i in range(count)])
    directory, values_after = struct.pack(order + "H", len(entries)), b""
    for tag, (kind, values) in sorted(entries.items()):
        body = struct.pack(f"{order}{len(values)}{ {3: 'H', 4: 'I', 7: 'B'}[kind] }", *values)
        directory += struct.pack(order + "HHI", tag, kind, len(values))
        if len(body) <= 4:
            directory += body.ljust(4, b"\0")
        else:
            directory += struct.pack(order + "I", begin + len(values_after))
            values_after += body
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + directory + bytes(4) + values_after.ljust(room, b"\0") + data
