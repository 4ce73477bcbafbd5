"""PNG: Pillow decodes the pixels, and what stands beside them is read here.

Pillow calls a picture damaged when a text or a color profile is longer than its global limits,
which belong to the host, and of 16-bit colors it keeps 8 bits. (PNG, third edition, 5 and 11.)
"""

import io
import logging
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from ..damage import Damaged, decoding
from ..deep import scaled, sixteen_bits
from ..icc import SRGB_PRIMARIES, Values, profile_of
from ..pixels import Pixels, orientation_of, pixels_of, pixels_of_values
from .opened import Opened

log = logging.getLogger(__name__)

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The most that the texts and the profile of one picture may take unpacked, together, in bytes.
_UNPACKED = 64 * 2**20
# Chunks that a file may have whatever their size, and how long they are on average beyond these.
_CHUNKS, _MEAN = 10_000, 256
_KEPT = (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf", b"tEXt", b"zTXt", b"iTXt")


class _Chunk(NamedTuple):
    kind: bytes
    data: bytes
    crc: bytes

    def whole(self) -> bytes:
        return struct.pack(">I", len(self.data)) + self.kind + self.data + self.crc


class _Extras:
    """What stands beside the pixels, as far as it can be kept."""

    def __init__(self, name: str):
        self.name = name
        self.chunks: dict[bytes, bytes] = {}
        self.texts: dict[str, str] = {}
        self.profile: bytes | None = None
        self._left = _UNPACKED

    def add(self, chunk: _Chunk) -> None:
        try:
            if chunk.crc != struct.pack(">I", zlib.crc32(chunk.kind + chunk.data)):
                raise ValueError("its checksum is wrong")
            if chunk.kind == b"iCCP":
                self.profile = self._unpacked(chunk.data.partition(b"\0")[2][1:])
            elif chunk.kind[1:] in (b"EXt", b"TXt"):
                self._add_text(chunk)
            else:
                self.chunks.setdefault(chunk.kind, chunk.data)
        except (ValueError, zlib.error) as error:
            kind = chunk.kind.decode("ascii")
            log.warning("%s: a chunk %s was left out: %s.", self.name, kind, error)

    def _add_text(self, chunk: _Chunk) -> None:
        key, _, text = chunk.data.partition(b"\0")
        encoding = "latin-1"
        if chunk.kind == b"zTXt":
            text = self._unpacked(text[1:])
        elif chunk.kind == b"iTXt":
            packed, encoding = text[:1] == b"\1", "utf-8"
            # The language and the translated name are of no use here.
            text = text[2:].partition(b"\0")[2].partition(b"\0")[2]
            text = self._unpacked(text) if packed else text
        if key:
            self.texts[key.decode("latin-1")] = text.decode(encoding)

    def _unpacked(self, data: bytes) -> bytes:
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(data, self._left + 1)
        self._left -= len(unpacked)
        if self._left < 0:
            self._left = 0
            raise ValueError(f"unpacked, there are more than {_UNPACKED // 2**20} MB of them")
        return unpacked

    def color_profile(self, *, gray: bool) -> bytes | None:
        """The embedded one, or what gAMA and cHRM say; None is sRGB."""
        if self.profile or b"sRGB" in self.chunks or b"gAMA" not in self.chunks:
            return self.profile
        try:
            (gamma,) = struct.unpack(">I", self.chunks[b"gAMA"])
            primaries = SRGB_PRIMARIES
            if b"cHRM" in self.chunks:
                given = struct.unpack(">8I", self.chunks[b"cHRM"])
                primaries = tuple(number / 100_000 for number in given)
            # Within rounding what sRGB pictures say, whose curve is no power: left as it is.
            same = max(abs(a - b) for a, b in zip(primaries, SRGB_PRIMARIES, strict=True)) < 0.002
            if (same or gray) and abs(gamma - 45455) < 500:
                return None
            return profile_of(100_000 / gamma, primaries, gray=gray)
        except (ValueError, ArithmeticError, struct.error, np.linalg.LinAlgError) as error:
            log.warning("%s: unusable gAMA or cHRM ignored: %s", self.name, error)
            return None


def open_png(stream: IO[bytes], name: str) -> Opened:
    """The header, and what stands before the pixels."""
    chunks, extras = _chunks(stream), _Extras(name)
    first = next(chunks, None)
    if first is None or first.kind != b"IHDR" or len(first.data) != 13:
        raise Damaged("its header is missing")
    width, height, depth, color = struct.unpack(">IIBB", first.data[:10])
    head = [first]
    for chunk in chunks:
        if chunk.kind in (b"IDAT", b"IEND"):
            head.append(chunk)
            break
        if chunk.kind in (b"PLTE", b"tRNS"):
            head.append(chunk)
        elif chunk.kind in _KEPT:
            extras.add(chunk)

    def decode() -> Pixels:
        kept = list(head)
        for chunk in chunks:
            if chunk.kind in (b"IDAT", b"IEND"):
                kept.append(chunk)
            elif chunk.kind in _KEPT:
                extras.add(chunk)
        return _decoded(kept, extras, depth, color)

    return Opened("PNG", (width, height), decode, dict(extras.texts))


def _chunks(stream: IO[bytes]) -> Iterator[_Chunk]:
    """All chunks; the last one may be cut short, which Pillow tells from its checksum."""
    start = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(start)
    if stream.read(len(SIGNATURE)) != SIGNATURE:
        raise Damaged("its first bytes are wrong")
    count = 0
    while len(head := stream.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        count += 1
        if count > _CHUNKS + end // _MEAN:
            raise Damaged("it is cut into far too many chunks")
        if not kind.isalpha():
            raise Damaged(f"no chunk is called {kind!r}")
        # Asked for more than there is, some streams would first make room for it.
        yield _Chunk(kind, stream.read(min(size, end)), stream.read(4))
        if kind == b"IEND":
            return


def _decoded(chunks: list[_Chunk], extras: _Extras, depth: int, color: int) -> Pixels:
    # What color of 16 bits is transparent, Pillow would look for among colors of 8 bits.
    hole = next((chunk.data for chunk in chunks if chunk.kind == b"tRNS"), b"")
    data = SIGNATURE + b"".join(c.whole() for c in chunks if depth < 16 or c.kind != b"tRNS")
    info = _info(extras, gray=color in (0, 4))
    if depth == 16 and color != 3:
        return _deep_pixels(data, info, hole, color)
    with decoding("PNG"):
        picture = PngImageFile(io.BytesIO(data))
        picture.load()
    picture.info.update(info)
    if picture.mode == "L" and depth < 8 and "transparency" in picture.info:
        # Pillow stretches the levels to 0..255, but not the one that is transparent.
        level = picture.info["transparency"] & (2**depth - 1)
        picture.info["transparency"] = level * 255 // (2**depth - 1)
    return pixels_of(picture)


def _deep_pixels(
    data: bytes, info: dict[str | tuple[int, int], Any], hole: bytes, color: int
) -> Pixels:
    with decoding("PNG"):
        if color == 0:
            values = np.asarray(PngImageFile(io.BytesIO(data)))[..., None]
        else:
            values = sixteen_bits(lambda: PngImageFile(io.BytesIO(data)))
    alpha: Values | None = None
    if color & 4:
        values, alpha = values[..., :-1], scaled(values[..., -1], 65535)
    elif len(hole) == 2 * values.shape[-1]:
        alpha = (values != np.frombuffer(hole, ">u2")).any(-1).astype(np.float32)
    bearer = Image.Image()
    bearer.info.update(info)
    orientation = orientation_of(bearer)
    return pixels_of_values(scaled(values, 65535), alpha, info.get("icc_profile"), orientation)


def _info(extras: _Extras, *, gray: bool) -> dict[str | tuple[int, int], Any]:
    """What `pixels_of` looks for, as Pillow would have stored it."""
    info: dict[str | tuple[int, int], Any] = {"icc_profile": extras.color_profile(gray=gray)}
    if b"eXIf" in extras.chunks:
        info["exif"] = b"Exif\0\0" + extras.chunks[b"eXIf"]
    for key in ("Raw profile type exif", "XML:com.adobe.xmp"):
        if key in extras.texts:
            info[key] = extras.texts[key]
    return info
