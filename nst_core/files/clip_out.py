"""Frames to a video, a GIF or a folder of PNG; whole or not at all, one frame in memory."""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from torch import Tensor

from ..errors import ImageError
from .atomic import written_whole
from .film import GIF_END, gif_frame, gif_head
from .paths import is_frames_folder
from .video_in import VideoInfo
from .video_out import VideoWriter, video_to
from .write_image import save_image

# Browsers show a frame of a GIF for at least so many hundredths of a second, or for ten.
_SHORTEST = 2


def clip_to(
    path: Path,
    height: int,
    width: int,
    like: VideoInfo,
    *,
    part: Path,
    sound: Path | None = None,
    bits: int = 8,
    sound_to_end: bool = True,
) -> AbstractContextManager[VideoWriter]:
    """What takes the frames of a clip of (height, width) pixels, as of `check_clip`.

    Args:
        path: takes its place at the end, if nothing is raised.
        height, width: even for a video.
        like: whose ticks, matrix and range it has.
        part: what lies there until then; on the same disk.
        sound: the video whose sound is copied, if the kind can hold one; None is silent.
        bits: of each channel: 8, 10 for videos, or 16 for folders.
        sound_to_end: as of `video_to`.

    Raises:
        ImageError: it cannot be written.
    """
    if is_frames_folder(path):
        return _folder(path, part, bits)
    if path.suffix.lower() == ".gif":
        return _gif(path, part, height, width, like)
    return video_to(
        path,
        height,
        width,
        like,
        sound=sound,
        bits=bits,
        part=part,
        sound_to_end=sound_to_end,
    )


@contextmanager
def _gif(path: Path, part: Path, height: int, width: int, like: VideoInfo) -> Iterator[VideoWriter]:
    try:
        with written_whole(path, part) as unfinished, unfinished.open("wb") as stream:
            stream.write(gif_head(height, width))
            yield _Gif(stream, like)
            stream.write(GIF_END)
    except OSError as error:
        raise ImageError(
            f"'{path}' could not be written: {error}. Check the free space."
        ) from error


class _Gif:
    def __init__(self, stream: IO[bytes], like: VideoInfo) -> None:
        self._stream, self._hundredth = stream, 100 * like.time_base

    def add(self, image: Tensor, ticks: int, duration: int = 0) -> None:
        # Of sums, so that what is rounded does not add up.
        start, end = (round(one * self._hundredth) for one in (ticks, ticks + duration))
        self._stream.write(gif_frame(image, max(_SHORTEST, end - start)))


@contextmanager
def _folder(path: Path, part: Path, bits: int) -> Iterator[VideoWriter]:
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        yield _Folder(part, bits)
        if path.is_dir():
            path.rmdir()  # it is empty
        os.replace(part, path)
    except OSError as error:
        raise ImageError(f"'{path}' could not be written: {error}. Choose another.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


class _Folder:
    def __init__(self, part: Path, bits: int) -> None:
        self._part, self._bits, self._count = part, bits, 0

    def add(self, image: Tensor, ticks: int, duration: int = 0) -> None:
        self._count += 1
        save_image(image, self._part / f"frame-{self._count:06}.png", bits=self._bits)
