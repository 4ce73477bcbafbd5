"""Picture files to tensors; whatever is wrong with a file is an `ImageError`."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from PIL import Image
from torch import Tensor

from ..errors import ImageError
from ..settings.network import WHOLE_PIXELS
from .damage import Damaged, NotSupported, decoding
from .formats.gif import open_gif
from .formats.heif import brand_of, open_avif, open_heic
from .formats.jpeg import open_jpeg
from .formats.opened import Opened, opened_by_pillow
from .formats.png import open_png
from .formats.ppm import open_ppm
from .formats.tiff import open_tiff
from .paths import check_readable
from .pixels import Pixels
from .shrinking import Size, shrunk, strips_of_whole

log = logging.getLogger(__name__)

# Raster pictures only: Pillow would hand EPS and PDF to Ghostscript, which runs programs.
READABLE = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF", "HEIC")
_OPENERS: dict[str, Callable[[IO[bytes], str], Opened]]
_OPENERS = {"PNG": open_png, "JPEG": open_jpeg, "TIFF": open_tiff}
_OPENERS |= {"AVIF": open_avif, "HEIC": open_heic, "GIF": open_gif, "PPM": open_ppm}


# The (height, width) in which a picture is needed, of that as stored. EXIF may turn it, so both
# sides are treated alike.
Needed = Callable[[int, int], Size]


def load_image(
    source: str | Path | BinaryIO, *, max_pixels: int, needed: Needed | None = None
) -> Tensor:
    """Read the (first) picture of a file or binary stream, as `from_pil` describes.

    Args:
        source: A path, or a stream that is read from its beginning.
        max_pixels: The most pixels accepted; checked in the header, before anything is decoded.
        needed: In which size. A picture of more than `WHOLE_PIXELS` is shrunk to it as it is read,
            as resizing it later would, and never as a whole in memory where its format has strips.

    Returns:
        (1, 3, H, W) float32 RGB in [0, 1].

    Raises:
        ImageError: There is no such file, or it is empty, no picture, not supported, damaged or
            too large.
    """
    return load_pixels(source, max_pixels=max_pixels, needed=needed).over_white()


def load_pixels(
    source: str | Path | BinaryIO, *, max_pixels: int, needed: Needed | None = None
) -> Pixels:
    """The same, before transparency is laid over white."""
    with _opened(source) as (picture, name):
        width, height = picture.size
        if width * height > max_pixels:
            raise ImageError(
                f"{name} is {width}x{height}, which is {width * height:,} pixels, and the limit "
                f"is {max_pixels:,}. Make the picture smaller or raise the limit."
            )
        if needed is None or width * height <= WHOLE_PIXELS:
            return picture.decode()
        size = needed(height, width)
        if size[0] > height or size[1] > width:
            return picture.decode()
        log.info("%s: shrunk from %dx%d to %dx%d as it is read.", name, width, height, *size[::-1])
        strips = picture.strips(size) if picture.strips else strips_of_whole(picture.decode())
        return shrunk(strips, size)


def image_size(source: str | Path | BinaryIO) -> tuple[int, int]:
    """(height, width) as stored, out of the header alone; EXIF may swap them when it is read.

    Raises:
        ImageError: There is no such file, or it is empty, no picture or damaged.
    """
    with _opened(source) as (picture, _):
        width, height = picture.size
        return height, width


def read_metadata(path: str | Path) -> dict[str, str]:
    """The text before a PNG's pixels, as `write_image.save_image` puts it; {} for other formats.

    Raises:
        ImageError: There is no such file, or it is empty, no picture or damaged.
    """
    with _opened(path) as (picture, _):
        return dict(picture.texts)


@contextmanager
def _opened(source: str | Path | BinaryIO) -> Iterator[tuple[Opened, str]]:
    """The picture, its header read and its pixels not, and what to call it in a message."""
    with _stream_of(source) as (stream, name):
        kind = _kind_of(stream.read(64), name)
        stream.seek(0)
        try:
            picture = _OPENERS[kind](stream, name) if kind in _OPENERS else _plain(stream, kind)
            if min(picture.size) < 1:
                raise Damaged("it has no pixels")
            yield picture, name
        except NotSupported as error:
            raise ImageError(f"{name} is not supported ({error}): {error.instead}.") from error
        except Damaged as error:
            raise ImageError(
                f"{name} is a damaged or incomplete {kind} picture ({error}). "
                "Copy or download it again, or save it anew in an image editor."
            ) from error


@contextmanager
def _stream_of(source: str | Path | BinaryIO) -> Iterator[tuple[IO[bytes], str]]:
    """A seekable stream at its beginning, and what to call it in a message."""
    if not isinstance(source, str | Path):
        stream = source if source.seekable() else io.BytesIO(source.read())
        stream.seek(0)
        yield stream, "The picture"
        return
    path = Path(source)
    check_readable(path)
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise ImageError(f"'{path}' cannot be opened: {error}. Check its permissions.") from error
    with file:
        yield file if file.seekable() else io.BytesIO(file.read()), f"'{path}'"


def _kind_of(prefix: bytes, name: str) -> str:
    if not prefix:
        raise ImageError(f"{name} is empty (0 bytes). Copy or download the picture again.")
    if kind := brand_of(prefix):
        return kind
    Image.init()
    for kind in READABLE:
        # A kind is missing, or its `accept` is a sentence, when Pillow was built without it;
        # before Pillow 11, some of them index bytes that a shorter file does not have.
        _, accept = Image.OPEN.get(kind, (None, None))
        if accept is not None and accept(prefix.ljust(16)) is True:
            return kind
    raise ImageError(f"{name} is not a picture of a known kind. Use one of: {', '.join(READABLE)}.")


def _plain(stream: IO[bytes], kind: str) -> Opened:
    """By Pillow alone.

    Its `Image.open` without the decompression bomb check: our limit is the caller's, while
    Pillow's is a global that the host owns, and its warning has no thread-safe silencer.
    """
    with decoding(kind):
        picture = Image.OPEN[kind][0](stream, "")
    return opened_by_pillow(picture, kind)
