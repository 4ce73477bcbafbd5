"""Tensors to picture files, whole or not at all."""

import io
import logging
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from ..errors import ImageError
from .atomic import written_whole
from .paths import TRANSPARENT, WRITABLE, check_bits, check_writable
from .pixels import levels_of, to_pil
from .write_deep import png_of, text_chunks, tiff_of

log = logging.getLogger(__name__)

# PNG's own word for sRGB (ISO/IEC 15948, 11.3.3.5), perceptual: shorter than a profile.
_SRGB = (b"sRGB", b"\0")


def save_image(
    image: Tensor,
    path: str | Path,
    *,
    metadata: Mapping[str, str] | None = None,
    quality: int = 95,
    alpha: Tensor | None = None,
    bits: int = 8,
) -> None:
    """Write `image` in the format of the path's extension: all of it, or nothing.

    The colors are sRGB, and all formats but BMP, where that is understood, say so.

    Args:
        image: (1, 3, H, W) or (3, H, W) RGB in [0, 1].
        path: Ends in .png, .jpg, .jpeg, .webp, .tif, .tiff or .bmp; an existing file is replaced.
        metadata: Text by name, stored in PNG text chunks; the other formats drop it.
        quality: 1 (smallest) to 100 (best), for JPEG and WebP; the other formats are lossless.
        alpha: (h, w) in [0, 1], how opaque the picture is, stretched over it; None is all of it.
            JPEG and BMP have none: there the picture is laid over white, and the log says so.
        bits: Of each channel, 8 or 16; 16 for PNG and TIFF alone.

    Raises:
        ImageError: The path cannot be written, or the format cannot hold the picture.
    """
    check_writable(path)
    check_bits(path, bits)
    path = Path(path)
    kind = WRITABLE[path.suffix.lower()]
    if alpha is not None and kind not in TRANSPARENT:
        log.warning("%s has no transparency: '%s' is laid over white. Use .png.", kind, path)
    pixels = with_alpha(image, alpha, keep=kind in TRANSPARENT)
    try:
        with written_whole(path) as part, part.open("xb") as stream:
            encoded = _deep if bits == 16 else partial(_plain, quality=quality)
            stream.write(encoded(pixels, kind, metadata or {}))
    except (OSError, ValueError) as error:
        raise ImageError(
            f"'{path}' could not be written as {kind}: {error}. "
            "Check the free space, or save a smaller picture or a .png."
        ) from error


def with_alpha(image: Tensor, alpha: Tensor | None, *, keep: bool) -> Tensor:
    """(4, H, W) RGBA of a (1, 3, H, W) or (3, H, W) picture, or RGB over white.

    Args:
        image: RGB in [0, 1].
        alpha: (h, w) in [0, 1], stretched over it; None gives the image itself.
        keep: whether the alpha stays beside the colors.
    """
    if alpha is None:
        return image
    image = image.detach().reshape(image.shape[-3:]).to("cpu", torch.float32).clamp(0, 1)
    stretched = alpha.detach().to(image)[None, None]
    if alpha.shape != image.shape[-2:]:
        size = image.shape[-2:]
        stretched = F.interpolate(stretched, size, mode="bilinear", antialias=True)
    layer = stretched[0]  # (1, H, W)
    return torch.cat([image, layer]) if keep else image * layer + (1 - layer)


@cache
def _profile() -> bytes:
    """Of sRGB, without the date on which it was made: the same picture shall be the same bytes."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes(12) + profile[36:]  # ICC.1:2022, 7.2: dateTimeNumber


def _deep(pixels: Tensor, kind: str, metadata: Mapping[str, str]) -> bytes:
    levels = levels_of(pixels, 65535)
    if kind == "TIFF":
        return tiff_of(levels, _profile())
    return png_of(levels, [_SRGB, *text_chunks(metadata)])


def _plain(pixels: Tensor, kind: str, metadata: Mapping[str, str], quality: int) -> bytes:
    """The file, in memory: Pillow's encoders write to the disk themselves if they can.

    They take a write that was cut short, as on a disk that is full, for a whole one.
    """
    chunks = PngInfo()
    chunks.add(*_SRGB)
    for key, text in metadata.items():
        chunks.add_text(key, text)
    options: dict[str, dict[str, Any]] = {
        "PNG": {"pnginfo": chunks},
        # Color at full resolution: halving it smears the saturated strokes of a style.
        "JPEG": {"quality": quality, "subsampling": 0, "icc_profile": _profile()},
        "WEBP": {"quality": quality, "icc_profile": _profile()},
        "TIFF": {"compression": "tiff_deflate", "icc_profile": _profile()},
        "BMP": {},
    }
    stream = io.BytesIO()
    to_pil(pixels).save(stream, kind, **options[kind])
    return stream.getvalue()
