"""Resampling of a part of a picture: what `pyramid.resize` makes of the whole, cut out.

A style picture may be enlarged to many times the size of the result. It is looked at in tiles, and
each is made when its turn comes.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from ..gatys.statistics import Window
from ..gatys.vgg import size_of
from .pyramid import resize

# Pixels of a picture that is made as a whole.
WHOLE_PIXELS = 1 << 21
# Rows of a small copy of a large picture that are made at a time.
_STRIP = 64


@dataclass(frozen=True, eq=False)
class Resized:
    """A picture of (height, width) pixels of which crops are read.

    Attributes:
        source: (1, 3, h, w) in [0, 1].
        height, width: what it is resized to.
    """

    source: Tensor
    height: int
    width: int

    @property
    def shape(self) -> torch.Size:
        """(1, 3, height, width)."""
        return torch.Size((*self.source.shape[:2], self.height, self.width))

    def __getitem__(self, window: Window) -> Tensor:
        """A crop: the same as that of `resize(source, height, width)`, to rounding."""
        old = size_of(self.source)
        (rows, down), (columns, across) = (
            _weights(*sides, part)
            for sides, part in zip(
                zip(old, (self.height, self.width), strict=True), window[1:], strict=True
            )
        )
        source = self.source[..., rows, columns]
        return (down.to(source) @ (source @ across.to(source).mT)).clamp_(0, 1)


def resized_picture(image: Tensor, height: int, width: int) -> Tensor:
    """`resize`, but what would be large is made where it is looked at.

    What is asked of a style picture, its shape and its crops, a `Resized` has too.
    """
    if size_of(image) == (height, width):
        return image
    part = Resized(image, height, width)
    if height * width > WHOLE_PIXELS:
        return cast(Tensor, part)
    if not isinstance(image, Resized):
        return resize(image, height, width)
    strips = [slice(first, first + _STRIP) for first in range(0, height, _STRIP)]
    return torch.cat([part[..., rows, :] for rows in strips], dim=2)


def _weights(old: int, new: int, part: slice) -> tuple[slice, Tensor]:
    """The pixels of a side that some of the new ones are made of, and (new ones, pixels) weights.

    Those of PyTorch's bicubic resampling with antialiasing, which are Pillow's: Keys' kernel with
    a = -1/2, as wide as a new pixel if that is wider than an old one.
    """
    first, last, _ = part.indices(new)
    scale = old / new
    centers = scale * (torch.arange(first, last, dtype=torch.float64) + 0.5)
    support = 2.0 * max(scale, 1.0)
    begins = (centers - support + 0.5).clamp(min=0).floor()
    ends = (centers + support + 0.5).clamp(max=old).floor()
    read = slice(int(begins[0]), int(ends[-1]))
    places = torch.arange(read.start, read.stop, dtype=torch.float64)
    weights = _cubic((places - centers[:, None] + 0.5) / max(scale, 1.0))
    weights[(places < begins[:, None]) | (places >= ends[:, None])] = 0
    return read, weights / weights.sum(1, keepdim=True)


def _cubic(x: Tensor) -> Tensor:
    x = x.abs()
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
