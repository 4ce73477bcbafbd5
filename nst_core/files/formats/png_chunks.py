"""The chunks of a PNG (third edition, 5 and 11), and what stands beside its pixels."""

import io
import logging
import struct
import zlib
from collections.abc import Collection, Iterator
from typing import IO, NamedTuple

import numpy as np

from ..damage import Damaged
from ..icc import SRGB_PRIMARIES, profile_of

log = logging.getLogger(__name__)

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Kinds that are kept beside the pixels.
KEPT = (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf", b"tEXt", b"zTXt", b"iTXt")
# The most that the texts and the profile of one picture may take unpacked, together, in bytes.
_UNPACKED = 64 * 2**20
# Chunks that a file may have whatever their size, and how long they are on average beyond these.
_CHUNKS, _MEAN = 10_000, 256


class Chunk(NamedTuple):
    """As it stands in the file: its four letters, its data, and the checksum of both."""

    kind: bytes
    data: bytes
    crc: bytes

    @classmethod
    def of(cls, kind: bytes, data: bytes) -> "Chunk":
        """With the checksum that belongs to it."""
        return cls(kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))

    def whole(self) -> bytes:
        """Its bytes in a file."""
        return struct.pack(">I", len(self.data)) + self.kind + self.data + self.crc


class Extras:
    """What stands beside the pixels, as far as it can be kept."""

    def __init__(self, name: str):
        self.name = name
        self.chunks: dict[bytes, bytes] = {}
        self.texts: dict[str, str] = {}
        self.profile: bytes | None = None
        self._left = _UNPACKED

    def add(self, chunk: Chunk) -> None:
        """Keep a chunk of a kind in `KEPT`, or say why not."""
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

    def _add_text(self, chunk: Chunk) -> None:
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


def chunks_before_pixels(stream: IO[bytes]) -> Iterator[Chunk]:
    """Those before the pixels, where the stream then is."""
    if stream.read(len(SIGNATURE)) != SIGNATURE:
        raise Damaged("its first bytes are wrong")
    yield from chunks_from_here(stream, until=(b"IDAT", b"IEND"))


def chunks_from_here(
    stream: IO[bytes], *, pixels: bool = True, until: Collection[bytes] = ()
) -> Iterator[Chunk]:
    """All chunks; the last one may be cut short, which Pillow tells from its checksum.

    Args:
        stream: at the beginning of one.
        pixels: whether those of pixels are among them.
        until: a chunk of such a kind is not read any more.
    """
    here = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(here)
    count = 0
    while len(head := stream.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        count += 1
        if count > _CHUNKS + end // _MEAN:
            raise Damaged("it is cut into far too many chunks")
        if not kind.isalpha():
            raise Damaged(f"no chunk is called {kind!r}")
        if kind in until:
            stream.seek(-8, io.SEEK_CUR)
            return
        if kind == b"IDAT" and not pixels:
            stream.seek(min(size + 4, end), io.SEEK_CUR)
            continue
        # Asked for more than there is, some streams would first make room for it.
        yield Chunk(kind, stream.read(min(size, end)), stream.read(4))
        if kind == b"IEND":
            return
