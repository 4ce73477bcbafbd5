"""3x3 convolutions with a quarter of the multiplications: minimal filtering on 4x4 pixels.

Winograd, "Arithmetic Complexity of Computations" (1980); Lavin and Gray, "Fast Algorithms for
Convolutional Neural Networks" (arXiv:1509.09308), there F(4x4, 3x3). A picture's 6x6 neighborhoods
and the filters are evaluated at 36 points, where convolving is multiplying; the products of all
channels are 36 matrix products. Float32 keeps an error of a few 1e-6 of the features' size, ten
times that of the plain sum.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter

import torch
import torch.nn.functional as F
from torch import Tensor

from .convolution import Convolution, closed
from .memory import empty

# Places of a side that are computed together, and those that they look at.
_CORE, _REACH = 4, 6
# With infinity, these are closed under x -> 1 / x, which is what turning a filter round does.
_POINTS = (0.0, 1.0, -1.0, 2.0, 0.5)
_TURNED = (5, 1, 2, 4, 3, 0)  # the place of each point's inverse; infinity is the last
# What is added at the point (1, 1) is added to every place of the core.
_EVERYWHERE = _REACH + 1
# Neighborhoods of one strip: few enough to stay in the cache, enough to be worth the filters' way
# from memory. With fewer of them in all, or few channels, the plain sum is as fast.
_STRIP, _FEWEST, _CHANNELS = 256, 64, 64
# Pixels of a plain strip; PyTorch hands pictures of fewer than 6826 to a slower convolution.
_PIXELS = 8192


class Scratch:
    """Memory for one strip at a time, which stays in the cache from strip to strip."""

    def __init__(self) -> None:
        self._block: Tensor | None = None

    def halves(self, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Twice `size` values, whose content is what the last user left."""
        block = self._block
        if block is None or len(block) < 2 * size or block.dtype != like.dtype:
            self._block = None  # before more is asked for
            block = self._block = empty(like, 2 * size)
        return block[:size], block[size : 2 * size]


class Winograd(Convolution):
    """The same convolution, without a gradient of its own: `back` is the only way.

    Args:
        in_channels, channels: as of `Convolution`.
        scratch: shared by convolutions that follow each other.
    """

    kept = 4 << 20  # larger ones are mapped by `empty`, and leave no holes

    def __init__(self, in_channels: int, channels: int, scratch: Scratch | None = None) -> None:
        super().__init__(in_channels, channels)
        self._scratch = scratch or Scratch()

    @staticmethod
    def extra_bytes(in_channels: int, channels: int, height: int, width: int) -> int:
        """The filters at the 36 points, in float32."""
        used = _pays(in_channels, height, width)
        return 4 * _REACH**2 * in_channels * channels if used else 0

    @classmethod
    def maker(cls) -> Callable[[int, int], Convolution]:
        """One scratch for all that it makes."""
        return partial(cls, scratch=Scratch())

    def forward(self, features: Tensor) -> Tensor:
        """(1, in_channels, h, w), channels-last -> (1, channels, h, w), after the ReLU."""
        if self.in_channels < _CHANNELS:
            return self._plain(features)
        if not _pays(self.in_channels, *features.shape[-2:]):
            return super().forward(features)
        rows = features[0].movedim(0, -1)
        out = empty(rows, *rows.shape[:2], self.out_channels)
        for values, part in _filtered(rows, self._filters.mT, _THERE, self._scratch, self.bias):
            torch.clamp(values, min=0, out=part(out))
        return out[None].movedim(-1, 1)

    def _plain(self, features: Tensor) -> Tensor:
        """A few rows at a time, which stay in the cache, into memory of our own."""
        height, width = features.shape[-2:]
        out = empty(features, height, width, self.out_channels)[None].movedim(-1, 1)
        step = max(1, _PIXELS // width)
        for first in range(0, height, step):
            top, bottom = max(0, first - 1), min(height, first + step + 1)
            values = F.conv2d(features[:, :, top:bottom], self.weight, self.bias, padding=1)
            rows = slice(first, first + step)
            torch.clamp(values[:, :, first - top :][:, :, :step], min=0, out=out[:, :, rows])
        return out

    def back(
        self,
        gradient: Tensor,
        features: Tensor | None = None,
        more: Callable[[], Tensor] | None = None,
    ) -> Tensor:
        """As of `Convolution`, and the result lies where `more` or `features` lay."""
        if not _pays(self.in_channels, *gradient.shape[-2:]):
            return super().back(gradient, features, more)
        rows = gradient[0].movedim(0, -1)
        mask = None if features is None else features[0].movedim(0, -1)
        plus = more()[0].movedim(0, -1) if more else None
        into = mask if plus is None else plus
        if into is None:
            into = empty(rows, *rows.shape[:2], self.in_channels)
        for values, part in _filtered(rows, self._filters, _BACK, self._scratch):
            if plus is not None:
                values += part(plus)
            if mask is None:
                part(into).copy_(values)
            else:
                closed(values, part(mask), part(into))
        return into[None].movedim(-1, 1)

    @property
    def _filters(self) -> Tensor:
        """(36, channels, in_channels), made once."""
        if not hasattr(self, "_made"):
            weight = self.weight.detach()
            places = weight.permute(2, 3, 0, 1).flatten(2).flatten(0, 1)  # (9, channels · in)
            values = empty(weight, _REACH**2, places.shape[1])
            torch.mm(_at_points(3).to(weight), places, out=values)
            self._made = values.view(-1, *weight.shape[:2])
        return self._made


def _filtered(
    features: Tensor,
    filters: Tensor,
    transforms: tuple[Tensor, Tensor],
    scratch: Scratch,
    bias: Tensor | None = None,
) -> Iterator[tuple[Tensor, Callable[[Tensor], Tensor]]]:
    """(h, w, N) convolved with (36, N, M) filters: values of one strip after the other.

    With them comes what gives that strip of any (h, w, M), in the values' shape. Each strip of
    neighborhoods goes to and fro between the halves of the scratch.
    """
    evaluate, gather = transforms
    (height, width, channels), made = features.shape, filters.shape[2]
    tall, wide = _count(height), _count(width)
    step = max(1, min(tall, _STRIP // wide))
    one, other = scratch.halves(features, step * wide * _REACH**2 * max(channels, made))
    for first in range(0, tall, step):
        count = min(step, tall - first)
        tiles = count * wide
        around = _taken(one, tiles, _REACH**2, channels)
        read = _taken(other, count * _CORE + 2, wide * _CORE + 2, channels)
        _neighborhoods(features, first * _CORE - 1, read, around.view(count, wide, -1, channels))
        points = _taken(other, tiles, _REACH**2, channels)
        torch.bmm(evaluate.expand(tiles, -1, -1), around, out=points)
        products = _taken(one, _REACH**2, tiles, made)
        torch.bmm(points.movedim(1, 0), filters, out=products)
        if bias is not None:
            products[_EVERYWHERE] += bias
        cores = _taken(other, tiles, _CORE**2, made)
        torch.bmm(gather.expand(tiles, -1, -1), products.movedim(1, 0), out=cores)
        cores = cores.view(count, wide, _CORE, _CORE, made).movedim(2, 1)
        strip = slice(first * _CORE, min(height, (first + count) * _CORE))
        if strip.stop - strip.start == count * _CORE and width == wide * _CORE:
            yield cores, partial(_in_tiles, strip=strip, shape=cores.shape)
        else:
            whole = cores.reshape(count * _CORE, wide * _CORE, made)
            yield whole[: strip.stop - strip.start, :width], itemgetter(strip)


def _in_tiles(image: Tensor, strip: slice, shape: torch.Size) -> Tensor:
    return image[strip].view(shape)


def _neighborhoods(features: Tensor, top: int, read: Tensor, around: Tensor) -> None:
    """Write the rows from `top` with a margin of zeros into `read`, their tiles into `around`."""
    height, width, channels = features.shape
    bottom = top + len(read)
    inside = slice(max(0, -top), len(read) - max(0, bottom - height))
    read[: inside.start] = 0
    read[inside.stop :] = 0
    read[:, 0] = 0
    read[:, width + 1 :] = 0
    read[inside, 1 : width + 1] = features[max(0, top) : bottom]
    row, column = read.stride()[:2]
    count, wide = around.shape[:2]
    size = count, wide, _REACH, _REACH, channels
    strides = _CORE * row, _CORE * column, row, column, 1
    around.view(size).copy_(read.as_strided(size, strides, read.storage_offset()))


def _taken(block: Tensor, *shape: int) -> Tensor:
    return block[: math.prod(shape)].view(shape)


def _pays(in_channels: int, height: int, width: int) -> bool:
    return in_channels >= _CHANNELS and _count(height) * _count(width) >= _FEWEST


def _count(side: int) -> int:
    return -(-side // _CORE)


def _polynomials(length: int) -> Tensor:
    """(6, length): what the coefficients of a polynomial come to at every point."""
    powers = torch.tensor(_POINTS, dtype=torch.float64)[:, None] ** torch.arange(length)
    leading = F.one_hot(torch.tensor([length - 1]), length).double()  # at infinity
    return torch.cat([powers, leading])


def _at_points(length: int) -> Tensor:
    """The same in two dimensions, (36, length²)."""
    return torch.kron(_polynomials(length), _polynomials(length))


def _transforms(turned: bool) -> tuple[Tensor, Tensor]:
    """(36, 36) from a neighborhood to the points and (16, 36) from there to its core.

    Multiplying polynomials is evaluating both, multiplying the values and solving for the
    coefficients; filtering is the transpose of that. `turned` is for filters turned round, by the
    values of those that are not.
    """
    evaluate, gather = torch.linalg.inv(_polynomials(_REACH)).mT, _polynomials(_CORE).mT
    if turned:
        order = list(_TURNED)
        ahead, reverse = _polynomials(3), _polynomials(3).flip(1)
        scale = reverse.abs().sum(1) / ahead[order].abs().sum(1)
        evaluate, gather = (scale[:, None] * evaluate)[order], gather[:, order]
    return torch.kron(evaluate, evaluate).float(), torch.kron(gather, gather).float()


_THERE, _BACK = _transforms(turned=False), _transforms(turned=True)
