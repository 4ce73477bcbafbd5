"""Tensors to picture files, whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from ..errors import ImageError
from .atomic import written_whole
from .paths import WRITABLE, check_writable
from .pixels import to_pil


def save_image(
    image: Tensor,
    path: str | Path,
    *,
    metadata: Mapping[str, str] | None = None,
    quality: int = 95,
) -> None:
    """Write `image` in the format of the path's extension: all of it, or nothing.

    Args:
        image: (1, 3, H, W) or (3, H, W) RGB in [0, 1].
        path: Ends in .png, .jpg, .jpeg, .webp, .tif, .tiff or .bmp; an existing file is replaced.
        metadata: Text by name, stored in PNG text chunks; the other formats drop it.
        quality: 1 (smallest) to 100 (best), for JPEG and WebP; the other formats are lossless.

    Raises:
        ImageError: The path cannot be written, or the format cannot hold the picture.
    """
    check_writable(path)
    path = Path(path)
    kind = WRITABLE[path.suffix.lower()]
    options = _encoder_options(kind, metadata or {}, quality)
    try:
        with written_whole(path) as part, part.open("xb") as stream:
            to_pil(image).save(stream, kind, **options)
    except (OSError, ValueError) as error:
        raise ImageError(
            f"'{path}' could not be written as {kind}: {error}. "
            "Check the free space, or save a smaller picture or a .png."
        ) from error


def _encoder_options(kind: str, metadata: Mapping[str, str], quality: int) -> dict[str, Any]:
    chunks = PngInfo()
    for key, text in metadata.items():
        chunks.add_text(key, text)
    options: dict[str, dict[str, Any]] = {
        "PNG": {"pnginfo": chunks},
        # Color at full resolution: halving it smears the saturated strokes of a style.
        "JPEG": {"quality": quality, "subsampling": 0},
        "WEBP": {"quality": quality},
        "TIFF": {"compression": "tiff_deflate"},
        "BMP": {},
    }
    return options[kind]
