"""Frames to videos, with the times and the sound of another one."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Protocol

from torch import Tensor

from ..errors import ImageError
from ..optional import VIDEO_INSTALL, imported
from .atomic import written_whole
from .pixels import levels_of
from .video_in import VideoInfo

# x264's constant quality: paint is fine texture everywhere, and this keeps it.
_QUALITY = {"crf": "16", "preset": "medium"}
_BT601, _BT709, _LIMITED, _FULL = 5, 1, 1, 2
# FFmpeg's flag: how long a frame is shown is what the frame says.
_DURATIONS = 1 << 8
KINDS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}


class VideoWriter(Protocol):
    """What frames are given to, in the order of time."""

    def add(self, image: Tensor, ticks: int, duration: int = 0) -> None:
        """Show a (1, 3, H, W) image in [0, 1] from that time on, for so long; 0 is not known."""


@contextmanager
def video_to(
    path: str | Path,
    height: int,
    width: int,
    like: VideoInfo,
    *,
    sound: str | Path | None = None,
    bits: int = 8,
    part: Path | None = None,
    sound_to_end: bool = True,
) -> Iterator[VideoWriter]:
    """A video of (height, width) pixels; it takes its place at the end, if nothing is raised.

    Args:
        path: ends in .mp4, .mov or .mkv; an existing file is replaced.
        height, width: of all frames, both even: colors are stored at half the size.
        like: whose ticks, matrix and range it has.
        sound: the video whose sound is copied; None is silent.
        bits: of each channel, 8 or 10.
        part: where it lies until then, as of `written_whole`.
        sound_to_end: whether sound goes on to its end, or ends with the last frame.

    Raises:
        ImageError: it cannot be written.
    """
    av = imported("av", VIDEO_INSTALL)
    path = Path(path)
    try:
        with written_whole(path, part) as unfinished, unfinished.open("wb+") as stream:
            with _container(av, stream, KINDS[path.suffix.lower()]) as container:
                yield from _writing(av, container, (height, width), like, sound, bits, sound_to_end)
    except (av.FFmpegError, OSError) as error:
        raise ImageError(
            f"'{path}' could not be written: {error}. Check the free space, or end the name in "
            ".mkv, which takes most sounds."
        ) from error


def check_sound(path: str | Path, sound: str | Path) -> None:
    """ImageError if that kind of video cannot hold the sound, which would only show at the end."""
    av, kind = imported("av", VIDEO_INSTALL), KINDS[Path(path).suffix.lower()]
    try:
        with av.open(str(sound)) as source, av.open(io.BytesIO(), "w", format=kind) as container:
            for stream in source.streams.audio:
                container.add_stream_from_template(stream)
            container.start_encoding()
    except (av.FFmpegError, OSError, ValueError) as error:
        raise ImageError(
            f"'{path}' cannot hold the sound of '{sound}' ({error}). End the name in .mkv, which "
            "takes most sounds."
        ) from error


@contextmanager
def _container(av: Any, stream: IO[bytes], kind: str) -> Iterator[Any]:
    options = {"movflags": "+faststart"} if kind != "matroska" else {}
    with av.open(stream, "w", format=kind, options=options) as container:
        yield container


def _writing(
    av: Any,
    container: Any,
    size: tuple[int, int],
    like: VideoInfo,
    sound: str | Path | None,
    bits: int,
    sound_to_end: bool,
) -> Iterator[VideoWriter]:
    video = container.add_stream("libx264", rate=like.rate, options=_QUALITY)
    video.height, video.width = size
    video.pix_fmt = "yuv420p" if bits == 8 else "yuv420p10le"
    video.codec_context.time_base = like.time_base
    video.codec_context.flags |= _DURATIONS
    video.codec_context.colorspace = _BT709 if like.bt709 else _BT601
    video.codec_context.color_range = _FULL if like.full_range else _LIMITED
    if sound is None:
        writer = _Writer(av, container, video, like, None)
        yield writer
        writer.end(sound_to_end)
        return
    with av.open(str(sound)) as source:
        streams = [container.add_stream_from_template(one) for one in source.streams.audio]
        writer = _Writer(av, container, video, like, _Sound(source, streams))
        yield writer
        writer.end(sound_to_end)


class _Sound:
    """The packets of a video's sound, copied as time goes on."""

    def __init__(self, source: Any, streams: list[Any]) -> None:
        own = source.streams.audio
        self._to = dict(zip((one.index for one in own), streams, strict=True))
        self._packets = source.demux(*own)
        self._next: Any = next(self._packets, None)

    def until(self, container: Any, seconds: Fraction | None) -> None:
        """Copy what is heard before a time; None is all the rest."""
        while self._next is not None:
            packet = self._next
            if packet.dts is not None:
                if seconds is not None and packet.dts * packet.time_base > seconds:
                    return
                packet.stream = self._to[packet.stream.index]
                container.mux(packet)
            self._next = next(self._packets, None)


class _Writer:
    def __init__(
        self, av: Any, container: Any, video: Any, like: VideoInfo, sound: _Sound | None
    ) -> None:
        self._av, self._container, self._video = av, container, video
        self._like, self._sound = like, sound
        self._end = 0

    def add(self, image: Tensor, ticks: int, duration: int = 0) -> None:
        levels = levels_of(image, 65535).astype("uint16")
        frame = self._av.VideoFrame.from_ndarray(levels, format="rgb48le")
        frame = frame.reformat(
            format=self._video.pix_fmt,
            dst_colorspace=_BT709 if self._like.bt709 else _BT601,
            src_color_range=_FULL,
            dst_color_range=_FULL if self._like.full_range else _LIMITED,
            interpolation="BICUBIC",
        )
        frame.pts, frame.time_base = ticks, self._like.time_base
        frame.duration = duration
        self._end = ticks + duration
        if self._sound:
            self._sound.until(self._container, ticks * self._like.time_base)
        self._container.mux(self._video.encode(frame))

    def end(self, sound_to_end: bool) -> None:
        """What the encoder still holds, and the rest of the sound."""
        self._container.mux(self._video.encode(None))
        if self._sound:
            last = self._end * self._like.time_base
            self._sound.until(self._container, None if sound_to_end else last)
