"""Videos to frames, one after the other: anything that FFmpeg reads, by PyAV."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import ImageError
from ..optional import VIDEO_INSTALL, imported
from .paths import check_readable
from .pixels import Pixels, upright

# EXIF's number for a picture that is shown turned by so many degrees counterclockwise.
_EXIF = {0: 1, 90: 8, 180: 3, 270: 6}
# FFmpeg's numbers of matrices (AVColorSpace) that say nothing, and of BT.601 and BT.709.
_UNSPECIFIED, _BT601, _BT709 = (0, 2), 5, 1
_FULL_RANGE = 2


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video before it is decoded.

    Attributes:
        height, width: as it is shown, in pixels.
        rate: frames a second, on average.
        time_base: seconds of a tick.
        frames: how many there are; 0 if the file does not say.
        bits: of each channel.
        sound: whether there is any.
        full_range, bt709: how its colors are stored.
    """

    height: int
    width: int
    rate: Fraction
    time_base: Fraction
    frames: int
    bits: int
    sound: bool
    full_range: bool
    bt709: bool


@dataclass(frozen=True, eq=False)
class VideoFrame:
    """A decoded frame.

    Attributes:
        image: (1, 3, H, W) RGB in [0, 1], upright.
        ticks: when it is shown, in the video's `time_base`.
    """

    image: Tensor
    ticks: int


def video_info(path: str | Path, *, max_pixels: int) -> VideoInfo:
    """Out of the header, and the first frame.

    Raises:
        ImageError: it cannot be read, is no video, or its frames are too large.
        PackageError: PyAV is missing.
    """
    with _opened(path) as container:
        stream = _pictures(container)
        pixels = stream.width * stream.height
        if pixels > max_pixels:
            raise ImageError(
                f"'{path}' has {stream.width}x{stream.height} px, which is {pixels:,} pixels a "
                f"frame, and the limit is {max_pixels:,}. Make it smaller or raise the limit."
            )
        first = next(container.decode(stream), None)
        if first is None:
            raise ImageError(f"'{path}' has no frame. Copy or download it again.")
        turned = _rotation(first) in (90, 270)
        height, width = (first.width, first.height) if turned else (first.height, first.width)
        return VideoInfo(
            height=height,
            width=width,
            rate=Fraction(stream.average_rate or stream.guessed_rate or 25),
            time_base=Fraction(stream.time_base),
            frames=stream.frames or _counted(path),
            bits=max(component.bits for component in first.format.components),
            sound=bool(container.streams.audio),
            full_range=first.color_range == _FULL_RANGE,
            bt709=_matrix(first) == _BT709,
        )


def check_count(path: str | Path, frames: int, most: int | None) -> None:
    """ImageError if there are more frames than are taken; None takes any number."""
    if most is not None and frames > most:
        raise ImageError(
            f"'{path}' has {frames:,} frames, and up to {most:,} are taken. Cut it shorter."
        )


def frames_of(path: str | Path, *, first: int = 0) -> Iterator[VideoFrame]:
    """Every frame in the order of time; one in memory.

    Args:
        path: of the video.
        first: the index of the first one that is wanted.

    Raises:
        ImageError: it cannot be read; also in the middle.
    """
    with _opened(path) as container:
        for index, frame in enumerate(_decoded(container)):
            if index >= first:
                yield VideoFrame(_picture(frame), _ticks(index, frame))


def times_of(path: str | Path) -> Iterator[tuple[int, int]]:
    """When each frame is shown and for how long, in ticks; 0 where the file does not say.

    Raises:
        ImageError: it cannot be read; also in the middle.
    """
    with _opened(path) as container:
        for index, frame in enumerate(_decoded(container)):
            yield _ticks(index, frame), frame.duration or 0


def _decoded(container: Any) -> Iterator[Any]:
    stream = _pictures(container)
    stream.thread_type = "AUTO"
    yield from container.decode(stream)


def _ticks(index: int, frame: Any) -> int:
    return index if frame.pts is None else int(frame.pts)


def _picture(frame: Any) -> Tensor:
    """16 bits a channel, or 8 if it has no more."""
    deep = max(component.bits for component in frame.format.components) > 8
    values = frame.to_ndarray(
        format="rgb48le" if deep else "rgb24",
        src_colorspace=_matrix(frame),
        src_color_range=frame.color_range or 1,
        dst_color_range=_FULL_RANGE,
        interpolation="BICUBIC",
    )
    white = 65535 if deep else 255
    colors = torch.from_numpy(np.ascontiguousarray(values).astype(np.float32) / white)
    image = colors.permute(2, 0, 1)[None].contiguous()
    return upright(Pixels(image), _EXIF.get(_rotation(frame), 1)).colors


def _rotation(frame: Any) -> int:
    """Degrees counterclockwise that it is to be turned by, from the display matrix."""
    degrees: int = round(frame.rotation / 90) * 90
    turned: int = degrees % 360
    return turned


def _matrix(frame: Any) -> int:
    """How YCbCr becomes RGB; where nothing says, by size, as players do."""
    if frame.colorspace not in _UNSPECIFIED:
        return int(frame.colorspace)
    return _BT709 if is_high(frame.height) else _BT601


def is_high(height: int) -> bool:
    """Whether a video of so many rows is taken for one in BT.709 where it does not say."""
    return height >= 720


def _counted(path: str | Path) -> int:
    """For containers that do not say how many frames there are: by reading all of it."""
    with _opened(path) as container:
        return sum(packet.size > 0 for packet in container.demux(_pictures(container)))


def _pictures(container: Any) -> Any:
    """The stream that moves."""
    return next(one for one in container.streams.video if not _is_cover(one))


def _is_cover(stream: Any) -> bool:
    """Whether it is a picture beside music."""
    kinds = imported("av.stream", VIDEO_INSTALL).Disposition
    return kinds.attached_pic in kinds(stream.disposition)  # a number, or already a flag


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    """Of a local file: a name never becomes an address, whatever FFmpeg could open."""
    av = imported("av", VIDEO_INSTALL)
    check_readable(path)
    try:
        with Path(path).open("rb") as file, av.open(file, "r") as container:
            if all(map(_is_cover, container.streams.video)):
                raise ImageError(f"'{path}' has no video in it, only other things. Name a video.")
            if _pictures(container).codec_context is None:
                raise ImageError(
                    f"'{path}' is in a codec that FFmpeg does not know here. Convert it to H.264 "
                    "in MP4."
                )
            yield container
    except (av.FFmpegError, OSError, ValueError) as error:
        raise ImageError(
            f"'{path}' could not be read as a video ({error}). Copy or download it again, or "
            "convert it to MP4."
        ) from error
