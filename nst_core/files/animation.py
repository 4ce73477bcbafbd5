"""Animations to frames, one after the other: GIF, APNG and WebP, by Pillow."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from PIL import ImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..errors import ImageError
from .damage import Damaged, NotSupported, decoding
from .formats.gif import frames_alone
from .paths import ANIMATION_ENDINGS, check_readable
from .pixels import pixels_of
from .video_in import VideoFrame, VideoInfo, check_count, is_high

# A tick is a millisecond.
_TICKS = 1000
# What browsers make of a frame that says no time.
_USUAL = 100


def animation_info(
    path: str | Path, *, max_pixels: int, max_frames: int | None = None
) -> VideoInfo:
    """What is known of an animation; all of it is looked through.

    Raises:
        ImageError: it cannot be read, has a single frame, or its frames are too large or too many.
    """
    with _opened(path) as picture:
        width, height = picture.size
        if width * height > max_pixels:
            raise ImageError(
                f"'{path}' has {width}x{height} px, which is {width * height:,} pixels a frame, "
                f"and the limit is {max_pixels:,}. Make it smaller or raise the limit."
            )
        check_count(path, _count(picture), max_frames)
        durations = [duration for _, duration, _ in _frames(picture)]
        if len(durations) < 2:
            raise ImageError(f"'{path}' has one frame. For pictures there is nst stylize.")
        height, width = pixels_of(picture).colors.shape[-2:]  # upright
    return VideoInfo(
        height=height,
        width=width,
        rate=Fraction(len(durations) * _TICKS, sum(durations)),
        time_base=Fraction(1, _TICKS),
        frames=len(durations),
        bits=8,
        sound=False,
        full_range=False,
        bt709=is_high(height),
    )


def animation_frames(path: str | Path, *, first: int = 0) -> Iterator[VideoFrame]:
    """Every frame; what is transparent is laid over white.

    Args:
        path: of the animation.
        first: the index of the first one that is wanted.

    Raises:
        ImageError: it cannot be read; also in the middle.
    """
    with _opened(path) as picture:
        for index, (ticks, _, shown) in enumerate(_frames(picture)):
            if index >= first:
                yield VideoFrame(pixels_of(shown).over_white(), ticks)


def animation_times(path: str | Path) -> Iterator[tuple[int, int]]:
    """When each frame is shown and for how long, in milliseconds."""
    with _opened(path) as picture:
        for ticks, duration, _ in _frames(picture):
            yield ticks, duration


def _frames(picture: ImageFile.ImageFile) -> Iterator[tuple[int, int, ImageFile.ImageFile]]:
    """(milliseconds, for how many, the picture with this frame loaded) of each frame."""
    ticks = 0
    # The picture of an APNG for programs that know no animations need not be a frame of it.
    for number in range(int(getattr(picture, "default_image", False)), _count(picture)):
        with decoding("animation"):
            picture.seek(number)
            picture.load()
        duration = round(float(picture.info.get("duration", 0))) or _USUAL
        yield ticks, duration, picture
        ticks += duration


def _count(picture: ImageFile.ImageFile) -> int:
    with decoding("animation"):
        return int(getattr(picture, "n_frames", 1))


@contextmanager
def _opened(path: str | Path) -> Iterator[ImageFile.ImageFile]:
    check_readable(path)
    kind = ANIMATION_ENDINGS[Path(path).suffix.lower()]
    try:
        data = Path(path).read_bytes()
        with decoding(kind):
            if kind == "GIF":
                picture: ImageFile.ImageFile = GifImageFile(io.BytesIO(frames_alone(data)), "")
            else:
                reader = WebPImageFile if kind == "WEBP" else PngImageFile
                picture = reader(io.BytesIO(data), "")
        yield picture
    except NotSupported as error:
        raise ImageError(f"'{path}' is not supported ({error}): {error.instead}.") from error
    except (Damaged, OSError) as error:
        raise ImageError(
            f"'{path}' could not be read as an animation ({error}). Copy or download it again."
        ) from error
