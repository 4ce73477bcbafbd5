"""Films: frames one after the other to MP4 or GIF, whole or not at all, one frame in memory."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Protocol

from torch import Tensor

from ..errors import ImageError
from ..optional import imported
from .atomic import written_whole
from .paths import check_film
from .pixels import to_pil

# Frames a second. A hundredth of a second is what GIF counts in, and 5 of them are a frame.
RATE = 20


class Film(Protocol):
    """What frames are given to."""

    def add(self, image: Tensor, frames: int = 1) -> None:
        """Show a (1, 3, H, W) image in [0, 1], of the film's size, for as many frames."""


@contextmanager
def film_to(path: str | Path, height: int, width: int) -> Iterator[Film]:
    """A film of (height, width) pixels; it takes its place at the end, if nothing is raised.

    Args:
        path: ends in .mp4 (H.264, with PyAV) or .gif; an existing file is replaced.
        height, width: of all frames. For .mp4 both are even: H.264 stores colors at half the size.

    Raises:
        ImageError, SettingsError: the path cannot be written, or a package is missing.
    """
    check_film(path)
    path = Path(path)
    kind = _gif if path.suffix.lower() == ".gif" else _mp4
    try:
        with written_whole(path) as part, part.open("xb") as stream:
            with kind(stream, height, width) as film:
                yield film
    except OSError as error:
        raise ImageError(
            f"'{path}' could not be written: {error}. Check the free space, or use a smaller size."
        ) from error


def even(height: int, width: int) -> tuple[int, int]:
    """The size of a film for pictures of (height, width) pixels.

    >>> even(97, 64)
    (96, 64)
    """
    return max(2, height - height % 2), max(2, width - width % 2)


@contextmanager
def _mp4(stream: IO[bytes], height: int, width: int) -> Iterator[Film]:
    av = imported("av", "'nst-gram[film]'")
    with av.open(stream, "w", format="mp4") as container:
        video = container.add_stream("h264", rate=RATE)
        video.height, video.width = height, width
        # Paint is fine texture everywhere: half a bit for each pixel keeps it.
        video.bit_rate = height * width * RATE // 2
        video.pix_fmt = "yuv420p"  # the only one that every player knows
        yield _Mp4(av, container, video)
        container.mux(video.encode(None))


class _Mp4:
    def __init__(self, av: Any, container: Any, video: Any) -> None:
        self._av, self._container, self._video, self._count = av, container, video, 0

    def add(self, image: Tensor, frames: int = 1) -> None:
        for _ in range(frames):
            frame = self._av.VideoFrame.from_image(to_pil(image))
            frame.pts, frame.time_base = self._count, Fraction(1, RATE)
            self._count += 1
            self._container.mux(self._video.encode(frame))


@contextmanager
def _gif(stream: IO[bytes], height: int, width: int) -> Iterator[Film]:
    stream.write(gif_head(height, width))
    yield _Gif(stream)
    stream.write(GIF_END)


class _Gif:
    """Frame by frame, each with its palette; Pillow's own writer keeps all frames till the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def add(self, image: Tensor, frames: int = 1) -> None:
        self._stream.write(gif_frame(image, 100 * frames // RATE))


GIF_END = b";"


def gif_head(height: int, width: int) -> bytes:
    """The screen without a palette of its own, and the extension that repeats the film forever."""
    screen = b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + bytes(3)
    return screen + b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + bytes(3)


def gif_frame(image: Tensor, hundredths: int) -> bytes:
    """A (1, 3, H, W) image in [0, 1], shown for so many hundredths of a second, at most 65535."""
    single = io.BytesIO()
    to_pil(image).quantize().save(single, "GIF")
    # Of this GIF of one frame, the palette moves from the file to the frame.
    data = single.getvalue()
    size = data[10] & 7
    palette = data[13 : 13 + (6 << size)]
    at = 13 + len(palette)
    while data[at] != 0x2C:  # extensions, each a chain of blocks
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    control = b"\x21\xf9\x04\x00" + min(hundredths, 0xFFFF).to_bytes(2, "little") + bytes(2)
    own = data[at : at + 9] + bytes([data[at + 9] | 0x80 | size]) + palette
    return control + own + data[at + 10 : -1]
