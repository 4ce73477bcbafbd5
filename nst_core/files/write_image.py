"""Tensors to picture files, whole or not at all."""

import io
import logging
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any

import torch
import torch.nn.functional as F
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from ..errors import ImageError
from .atomic import written_whole
from .paths import DEEP, TRANSPARENT, WRITABLE, check_bits, check_sides, check_writable
from .pixels import Levels, levels_of, pil_of_strips, strip_rows
from .write_png import text_chunks, write_png
from .write_tiff import write_tiff

log = logging.getLogger(__name__)

# PNG's own word for sRGB (ISO/IEC 15948, 11.3.3.5), perceptual: shorter than a profile.
_SRGB = (b"sRGB", b"\0")
# Pixels up to which Pillow writes PNG and TIFF of 8 bits. It packs PNG a little better, but needs
# the whole picture.
_BY_PILLOW = 1 << 26


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
    check_sides(path, max(image.shape[-2:]))
    path = Path(path)
    kind = WRITABLE[path.suffix.lower()]
    if alpha is not None and kind not in TRANSPARENT:
        log.warning("%s has no transparency: '%s' is laid over white. Use .png.", kind, path)
    rows = _Rows(image, alpha, keep=kind in TRANSPARENT, white=2**bits - 1)
    by_hand = bits == 16 or (kind in DEEP and rows.height * rows.width > _BY_PILLOW)
    try:
        with written_whole(path) as part, part.open("xb") as stream:
            if by_hand:
                _save_by_hand(rows, stream, kind, metadata or {}, bits)
            else:
                stream.write(_plain(rows, kind, metadata or {}, quality))
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
    layer = _stretched(alpha, *image.shape[-2:])[None].to(image)
    return torch.cat([image, layer]) if keep else image * layer + (1 - layer)


def _stretched(alpha: Tensor, height: int, width: int) -> Tensor:
    """(h, w) -> (height, width)."""
    if alpha.shape == (height, width):
        return alpha.detach()
    whole = alpha.detach().to("cpu", torch.float32)[None, None]
    return F.interpolate(whole, (height, width), mode="bilinear", antialias=True)[0, 0]


class _Rows:
    """The levels of a picture to be written, in strips.

    As a whole they would take as much memory again as the picture.

    Args:
        image, alpha: as of `save_image`.
        keep: whether the alpha stays beside the colors.
        white: the highest level.
    """

    def __init__(self, image: Tensor, alpha: Tensor | None, *, keep: bool, white: int) -> None:
        self.height, self.width = image.shape[-2:]
        self.channels = 4 if alpha is not None and keep else 3
        self.of_strip = strip_rows(self.width)
        self._image, self._keep, self._white = image, keep, white
        self._alpha = None if alpha is None else _stretched(alpha, self.height, self.width)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return self.height, self.width, self.channels

    def __iter__(self) -> Iterator[Levels]:
        for top in range(0, self.height, self.of_strip):
            rows = slice(top, top + self.of_strip)
            alpha = None if self._alpha is None else self._alpha[rows]
            strip = with_alpha(self._image[..., rows, :], alpha, keep=self._keep)
            yield levels_of(strip, self._white)


@cache
def _profile() -> bytes:
    """Of sRGB, without the date on which it was made: the same picture shall be the same bytes."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes(12) + profile[36:]  # ICC.1:2022, 7.2: dateTimeNumber


def _save_by_hand(
    rows: _Rows, stream: IO[bytes], kind: str, metadata: Mapping[str, str], bits: int
) -> None:
    if kind == "TIFF":
        write_tiff(
            stream, rows, shape=rows.shape, rows=rows.of_strip, bits=bits, profile=_profile()
        )
    else:
        chunks = [_SRGB, *text_chunks(metadata)]
        write_png(stream, rows, shape=rows.shape, bits=bits, chunks=chunks)


def _plain(rows: _Rows, kind: str, metadata: Mapping[str, str], quality: int) -> bytes:
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
    pil_of_strips(rows, rows.height, rows.width).save(stream, kind, **options[kind])
    return stream.getvalue()
