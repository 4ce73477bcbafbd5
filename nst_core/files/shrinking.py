"""Pictures shrunk as they are read, strip by strip: the whole is never in memory.

The same as `control.pyramid.resize` of the whole to rounding: bicubic (a = -0.5) with antialiasing,
each row by PyTorch and the columns here, by the same weights.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from .pixels import Pixels, orientation_of, pixels_of, strip_rows, upright

Size = tuple[int, int]
# Of a cubic, in pixels to each side.
_SUPPORT = 2.0
# Below this, what is beneath has no color: as 8 bits of alpha have it.
_NOTHING = 1 / 510


@dataclass(frozen=True)
class Strips:
    """A picture's rows.

    Args:
        size: (height, width) as stored.
        rows: from top to bottom, in sRGB and as stored; may raise Damaged or NotSupported.
        orientation: as in EXIF; asked for once all rows are read, because it may stand after them.
    """

    size: Size
    rows: Iterable[Pixels]
    orientation: Callable[[], int] = lambda: 1


def shrunk(strips: Strips, new: Size) -> Pixels:
    """The picture at (height, width), as stored; upright.

    Transparency is shrunk as such: colors count by their alpha.
    """
    height, (rows, columns) = strips.size[0], new
    sums: Tensor | None = None
    top = 0
    with _said_once():
        for pixels in strips.rows:
            part = _weighted(pixels)
            narrow = _narrowed(part, columns)
            if sums is None:
                sums = torch.zeros(part.shape[1], rows, columns)
            first, weights = _column_weights(height, rows, top, top + part.shape[2])
            sums[:, first : first + len(weights)] += torch.from_numpy(weights) @ narrow[0]
            top += part.shape[2]
    assert sums is not None
    return upright(_unweighted(sums[None]), strips.orientation())


def has_strips(picture: Image.Image) -> bool:
    """Whether `strips_of_pillow` takes it: what is brighter than white is scaled as a whole."""
    return picture.mode not in ("I", "F")


def strips_of_pillow(picture: Image.Image, loaded: Callable[[], Image.Image]) -> Strips:
    """Of a picture that Pillow decodes as a whole, 8 or 16 bits a channel.

    Args:
        picture: its header is read.
        loaded: decodes it.
    """

    def rows() -> Iterator[Pixels]:
        whole = loaded()
        count = strip_rows(whole.width)
        for top in range(0, whole.height, count):
            box = 0, top, whole.width, min(top + count, whole.height)
            yield pixels_of(whole.crop(box), orientation=1)

    return Strips((picture.height, picture.width), rows(), lambda: orientation_of(picture))


def strips_of_whole(pixels: Pixels) -> Strips:
    """Of a picture that is in memory."""
    height, width = pixels.colors.shape[-2:]
    count = strip_rows(width)

    def rows() -> Iterator[Pixels]:
        for top in range(0, height, count):
            part = slice(top, top + count)
            alpha = None if pixels.alpha is None else pixels.alpha[..., part, :]
            yield Pixels(pixels.colors[..., part, :], alpha)

    return Strips((height, width), rows())


class _Once(logging.Filter):
    """Passes each message once: what is wrong with a picture is wrong with each of its strips."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True
        new = record.getMessage() not in self._said
        self._said.add(record.getMessage())
        return new


@contextmanager
def _said_once() -> Iterator[None]:
    """While this lasts, this thread's readers of pictures say nothing twice."""
    package = __name__.rpartition(".")[0]
    names = ("color_profile", "deep", "pixels", "formats.png_chunks", "formats.tiff")
    loggers = [logging.getLogger(f"{package}.{name}") for name in names]
    once = _Once()
    for logger in loggers:
        logger.addFilter(once)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(once)


def _weighted(pixels: Pixels) -> Tensor:
    """(1, 3, h, W), or (1, 4, h, W) with alpha and colors times alpha."""
    if pixels.alpha is None:
        return pixels.colors
    return torch.cat([pixels.colors * pixels.alpha, pixels.alpha], dim=1)


def _unweighted(sums: Tensor) -> Pixels:
    if sums.shape[1] == 3:
        return Pixels(sums.clamp_(0, 1))
    alpha = sums[:, 3:]
    colors = sums[:, :3] / alpha.clamp(min=_NOTHING)
    return Pixels(colors.clamp_(0, 1), alpha.clamp(0, 1))


def _narrowed(part: Tensor, columns: int) -> Tensor:
    """(1, C, h, W) -> (1, C, h, columns), not clipped."""
    if part.shape[-1] == columns:
        return part
    size = part.shape[-2], columns
    return F.interpolate(part, size, mode="bicubic", antialias=True)


def _column_weights(old: int, new: int, top: int, stop: int) -> tuple[int, NDArray[np.float32]]:
    """What rows [top, stop) of `old` give to those of `new`: the first of these, and (n, rows)."""
    if old == new:
        return top, np.eye(stop - top, dtype=np.float32)
    scale = old / new
    reach = _SUPPORT * scale
    first = max(0, int((top - reach) / scale - 1))
    last = min(new, int((stop + reach) / scale + 1))
    centers = scale * (np.arange(first, last) + 0.5)
    begins = np.maximum((centers - reach + 0.5).astype(int), 0)
    ends = np.minimum((centers + reach + 0.5).astype(int), old)
    weights = np.zeros((last - first, stop - top), np.float32)
    for row, (center, begin, end) in enumerate(zip(centers, begins, ends, strict=True)):
        values = _cubic((np.arange(begin, end) - center + 0.5) / scale)
        inside = slice(max(begin, top), max(min(end, stop), max(begin, top)))
        own = values[inside.start - begin : inside.stop - begin] / values.sum()
        weights[row, inside.start - top : inside.stop - top] = own
    return first, weights


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution (IEEE ASSP 29(6), 1981) with a = -0.5."""
    x = np.abs(x)
    inner = (1.5 * x - 2.5) * x * x + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, inner, np.where(x < 2, outer, 0.0))
