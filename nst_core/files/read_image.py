"""Picture files to tensors; whatever is wrong with a file is an `ImageError`."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from PIL import Image
from PIL.ImageFile import ImageFile
from torch import Tensor

from ..errors import ImageError
from .paths import check_readable
from .damage import DAMAGE
from .pixels import from_pil

# Raster pictures only: Pillow would hand EPS and PDF to Ghostscript, which runs programs.
READABLE = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF")


def load_image(source: str | Path | BinaryIO, *, max_pixels: int) -> Tensor:
    """Read the (first) picture of a file or binary stream, as `from_pil` describes.

    Args:
        source: A path, or a stream that is read from its beginning.
        max_pixels: The most pixels accepted; checked in the header, before anything is decoded.

    Returns:
        (1, 3, H, W) float32 RGB in [0, 1].

    Raises:
        ImageError: There is no such file, or it is empty, no picture, damaged or too large.
    """
    with _opened(source) as (stream, name):
        picture = _identify(stream, name)
        width, height = picture.size
        if width * height > max_pixels:
            raise ImageError(
                f"{name} is {width}x{height}, which is {width * height:,} pixels, and the limit "
                f"is {max_pixels:,}. Make the picture smaller or raise the limit."
            )
        try:
            picture.load()
        except DAMAGE as error:
            raise _damaged(name, picture.format, error) from error
        return from_pil(picture)


def image_size(source: str | Path | BinaryIO) -> tuple[int, int]:
    """(height, width) as stored, out of the header alone; EXIF may swap them when it is read.

    Raises:
        ImageError: There is no such file, or it is empty, no picture or damaged.
    """
    with _opened(source) as (stream, name):
        width, height = _identify(stream, name).size
        return height, width


def read_metadata(path: str | Path) -> dict[str, str]:
    """The text stored before a PNG's pixels, as `write_image.save_image` does; {} for other formats.

    Raises:
        ImageError: There is no such file, or it is empty, no picture or damaged.
    """
    with _opened(path) as (stream, name):
        picture = _identify(stream, name)
        # `picture.text` would decode the pixels, however many, to look behind them too.
        texts = picture.info.items() if picture.format == "PNG" else ()
        return {str(key): str(text) for key, text in texts if isinstance(text, str)}


@contextmanager
def _opened(source: str | Path | BinaryIO) -> Iterator[tuple[IO[bytes], str]]:
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


def _identify(stream: IO[bytes], name: str) -> ImageFile:
    """The picture in `stream`, its header read and its pixels not.

    `Image.open` without the decompression bomb check: our limit is the caller's, while Pillow's
    is a global that the host owns, and its warning has no thread-safe silencer.
    """
    Image.init()
    prefix = stream.read(16)
    if not prefix:
        raise ImageError(f"{name} is empty (0 bytes). Copy or download the picture again.")
    for kind in READABLE:
        # A kind is missing, or its `accept` is a sentence, when Pillow was built without it;
        # before Pillow 11, some of them index bytes that a shorter file does not have.
        factory, accept = Image.OPEN.get(kind, (None, None))
        if factory is None or accept is None or accept(prefix.ljust(16)) is not True:
            continue
        stream.seek(0)
        try:
            return factory(stream, "")
        except DAMAGE as error:
            raise _damaged(name, kind, error) from error
    raise ImageError(f"{name} is not a picture of a known kind. Use one of: {', '.join(READABLE)}.")


def _damaged(name: str, kind: str | None, error: Exception) -> ImageError:
    return ImageError(
        f"{name} is a damaged or incomplete {kind} picture ({error}). "
        "Copy or download it again, or save it anew in an image editor."
    )
