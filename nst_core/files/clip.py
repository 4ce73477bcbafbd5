"""A clip: frames with their times, out of a video, an animation or a folder of pictures."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from ..errors import ImageError
from ..settings.samples import SAMPLE
from .animation import animation_frames, animation_info, animation_times
from .listing import listing_of
from .paths import ANIMATION_ENDINGS
from .read_image import image_size, load_image
from .samples.scenes import moving_sample
from .video_in import (
    VideoFrame,
    VideoInfo,
    check_count,
    frames_of,
    is_high,
    times_of,
    video_info,
)

_BLOCK = 1 << 20
# Of moving samples: the longer side, frames, and frames a second.
_SAMPLE_SIZE, _SAMPLE_FRAMES, _SAMPLE_RATE = 768, 24, 12


@dataclass(frozen=True)
class Clip:
    """Frames with their times; one of them in memory.

    Attributes:
        path: of the file, or of the folder.
        info: what is known without decoding all of it.
        frames: every frame from an index on; ImageError where one cannot be read.
        stamps: when each frame is shown and for how long, in ticks; 0 is not known.
        files: all that is read.
        named: what is shown without files: a moving sample.
    """

    path: Path
    info: VideoInfo
    frames: Callable[[int], Iterator[VideoFrame]]
    stamps: Callable[[], Iterator[tuple[int, int]]]
    files: tuple[Path, ...]
    named: str = ""

    def times(self, every: int = 1) -> Iterator[tuple[int, int]]:
        """When each frame, or every so manieth, is shown and for how long, in ticks.

        That is till the next one; the last one is shown as long as the file says, or on average.
        """
        start = end = None
        for index, (ticks, duration) in enumerate(self.stamps()):
            end = ticks + (duration or self._usual)
            if index % every:
                continue
            if start is not None:
                yield start, max(1, ticks - start)
            start = ticks
        if start is not None and end is not None:
            yield start, max(1, end - start)

    def digest(self) -> str:
        """Of all that is read: clips with the same digest are the same."""
        found = hashlib.sha256(self.named.encode())
        try:
            for path in self.files:
                found.update(f"{os.path.getsize(path)} ".encode())
                with path.open("rb") as stream:
                    while block := stream.read(_BLOCK):
                        found.update(block)
        except OSError as error:
            raise ImageError(f"'{self.path}' cannot be read: {error}.") from error
        return found.hexdigest()

    @property
    def _usual(self) -> int:
        return max(1, round(1 / (self.info.rate * self.info.time_base)))


def clip_of(
    path: str | Path, *, max_pixels: int, rate: float = 25.0, max_frames: int | None = None
) -> Clip:
    """What a video file, an animation (GIF, APNG, WebP) or a folder of pictures shows.

    Args:
        path: of it; sample:NAME is a moving sample.
        max_pixels: the most that a frame may have.
        rate: frames a second of a folder.
        max_frames: the most that it may have; None is any number. A file that says too little of
            itself is refused when the first frame beyond them is read.

    Raises:
        ImageError: it cannot be read, or its frames are too large, too many or of several sizes.
        PackageError: PyAV is missing, which reads videos.
        SettingsError: there is no such sample.
    """
    clip = _opened(Path(path), max_pixels, rate, max_frames)
    check_count(path, clip.info.frames, max_frames)
    return clip if max_frames is None else replace(clip, frames=_at_most(max_frames, clip))


def _at_most(most: int, clip: Clip) -> Callable[[int], Iterator[VideoFrame]]:
    def frames(first: int) -> Iterator[VideoFrame]:
        for index, frame in enumerate(clip.frames(first), first):
            check_count(clip.path, index + 1, most)
            yield frame

    return frames


def clip_of_sample(name: str, *, size: int = _SAMPLE_SIZE) -> Clip:
    """Two seconds of a moving sample.

    Args:
        name: a key of `settings.samples.MOVING`.
        size: the longer side, in pixels.

    Raises:
        SettingsError: there is no such sample.
    """
    scene, rate = moving_sample(name), Fraction(_SAMPLE_RATE)

    def frames(first: int) -> Iterator[VideoFrame]:
        for index in range(first, _SAMPLE_FRAMES):
            yield VideoFrame(scene.frame(index / _SAMPLE_RATE, size), index)

    info = _plain_info(scene.frame(0.0, size), rate, _SAMPLE_FRAMES)
    return Clip(
        Path(f"{SAMPLE}{name}"),
        info,
        frames,
        lambda: ((index, 1) for index in range(_SAMPLE_FRAMES)),
        (),
        f"{name} {size}",
    )


def _opened(path: Path, max_pixels: int, rate: float, max_frames: int | None) -> Clip:
    if str(path).startswith(SAMPLE):
        return clip_of_sample(str(path).removeprefix(SAMPLE))
    if path.is_dir():
        return _of_folder(path, max_pixels, Fraction(rate).limit_denominator(1001))
    if path.suffix.lower() in ANIMATION_ENDINGS:
        info = animation_info(path, max_pixels=max_pixels, max_frames=max_frames)
        return Clip(
            path,
            info,
            lambda first: animation_frames(path, first=first),
            lambda: animation_times(path),
            (path,),
        )
    info = video_info(path, max_pixels=max_pixels)
    return Clip(
        path, info, lambda first: frames_of(path, first=first), lambda: times_of(path), (path,)
    )


def _of_folder(path: Path, max_pixels: int, rate: Fraction) -> Clip:
    """One picture a frame, in the order that people count in."""
    pictures = tuple(map(Path, listing_of(str(path)).pictures))
    size = image_size(pictures[0])
    for picture in pictures:
        if image_size(picture) != size:
            raise ImageError(
                f"'{picture}' has another size than '{pictures[0]}'. Frames of a video are of one "
                "size: resize them, or move other pictures away."
            )

    def frames(first: int) -> Iterator[VideoFrame]:
        for index, picture in enumerate(pictures[first:], first):
            yield VideoFrame(load_image(picture, max_pixels=max_pixels), index)

    info = _plain_info(load_image(pictures[0], max_pixels=max_pixels), rate, len(pictures))
    return Clip(
        path, info, frames, lambda: ((index, 1) for index in range(len(pictures))), pictures
    )


def _plain_info(image: Tensor, rate: Fraction, frames: int) -> VideoInfo:
    """Of frames of 8 bits that are shown equally long."""
    height, width = image.shape[-2:]
    return VideoInfo(
        height=height,
        width=width,
        rate=rate,
        time_base=1 / rate,
        frames=frames,
        bits=8,
        sound=False,
        full_range=False,
        bt709=is_high(height),
    )
