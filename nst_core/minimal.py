"""Two arithmetics for 3x3 filters that multiply less than a sum over the filter's places.

Winograd, "Arithmetic Complexity of Computations" (1980); Lavin and Gray, "Fast Algorithms for
Convolutional Neural Networks" (arXiv:1509.09308). A picture's neighborhoods and the filters are
evaluated at points, where convolving is multiplying; from the products of all channels follow the
cores of the neighborhoods. Everything is done for one strip of a picture at a time, in a memory
that stays in the cache.
"""

import math
from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

from .memory import empty


class Scratch:
    """Memory for one strip at a time, used to and fro."""

    def __init__(self) -> None:
        self._block: Tensor | None = None

    def halves(self, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Twice `size` values, whose content is what the last user left."""
        block = self._block
        if block is None or len(block) < 2 * size or block.dtype != like.dtype:
            self._block = None  # before more is asked for
            block = self._block = empty(like, 2 * size)
        return block[:size], block[size : 2 * size]


class Minimal(ABC):
    """How to filter `core` x `core` places from their neighborhoods at once.

    Attributes:
        core, reach: places of a side that are computed together, and those that they look at.
        everywhere: the point that all places of a core share.
    """

    core: int
    reach: int
    everywhere: int

    @abstractmethod
    def pays(self, in_channels: int, channels: int, height: int, width: int) -> bool:
        """Whether it is quicker than the plain sum, of features with these sides."""

    @abstractmethod
    def neighborhoods(self, channels: int) -> int:
        """How many make a strip.

        Few enough to stay in the cache, enough to be worth the filters' way from memory.
        """

    @abstractmethod
    def filters(self, weight: Tensor) -> Tensor:
        """(channels, in_channels, 3, 3) -> (points, channels, in_channels)."""

    @abstractmethod
    def points(self, read: Tensor, one: Tensor, other: Tensor, *, turned: bool) -> Tensor:
        """What the neighborhoods come to, (points, neighborhoods, N), in `other`.

        Args:
            read: (rows, columns, N) of the picture with a margin of one place, in `other` too.
            one, other: the halves of the scratch.
            turned: for filters turned round, by the values of those that are not.
        """

    @abstractmethod
    def cores(
        self, products: Tensor, wide: int, one: Tensor, other: Tensor, *, turned: bool
    ) -> Tensor:
        """(points, neighborhoods, M), in `one` -> (count, core, wide, core, M), in a half."""

    def count(self, side: int) -> int:
        """Neighborhoods along a side."""
        return -(-side // self.core)


class ByProducts(Minimal):
    """4x4 places, 36 multiplications for 144; both transforms are small matrix products.

    Float32 keeps an error of a few 1e-6 of the features' size, ten times that of the plain sum.
    """

    core, reach = 4, 6
    everywhere = reach + 1  # the point (1, 1)
    # With infinity, these are closed under x -> 1 / x, which is what turning a filter round does.
    _POINTS = (0.0, 1.0, -1.0, 2.0, 0.5)
    _TURNED = (5, 1, 2, 4, 3, 0)  # the place of each point's inverse; infinity is the last
    _FEWEST, _CHANNELS = 64, 64

    def __init__(self) -> None:
        self._transforms = [self._made(turned) for turned in (False, True)]

    def pays(self, in_channels: int, channels: int, height: int, width: int) -> bool:
        """As of `Minimal`."""
        enough = self.count(height) * self.count(width) >= self._FEWEST
        return in_channels >= self._CHANNELS and enough

    def neighborhoods(self, channels: int) -> int:
        """As of `Minimal`."""
        return 256

    def filters(self, weight: Tensor) -> Tensor:
        """As of `Minimal`."""
        places = weight.permute(2, 3, 0, 1).flatten(2).flatten(0, 1)  # (9, channels · in)
        values = empty(weight, self.reach**2, places.shape[1])
        ahead = self._polynomials(3)
        torch.mm(torch.kron(ahead, ahead).to(weight), places, out=values)
        return values.view(-1, *weight.shape[:2])

    def points(self, read: Tensor, one: Tensor, other: Tensor, *, turned: bool) -> Tensor:
        """As of `Minimal`."""
        count, wide = (side // self.core for side in read.shape[:2])
        tiles, channels = count * wide, read.shape[2]
        row, column = read.stride()[:2]
        size = count, wide, self.reach, self.reach, channels
        strides = self.core * row, self.core * column, row, column, 1
        around = taken(one, *size)
        around.copy_(read.as_strided(size, strides, read.storage_offset()))
        evaluate, _ = self._transforms[turned]
        points = taken(other, tiles, self.reach**2, channels)
        around = around.view(tiles, -1, channels)
        torch.bmm(evaluate.expand(tiles, -1, -1), around, out=points)
        return points.movedim(1, 0)

    def cores(
        self, products: Tensor, wide: int, one: Tensor, other: Tensor, *, turned: bool
    ) -> Tensor:
        """As of `Minimal`."""
        _, tiles, made = products.shape
        _, gather = self._transforms[turned]
        cores = taken(other, tiles, self.core**2, made)
        torch.bmm(gather.expand(tiles, -1, -1), products.movedim(1, 0), out=cores)
        return cores.view(-1, wide, self.core, self.core, made).movedim(2, 1)

    def _polynomials(self, length: int) -> Tensor:
        """(6, length): what the coefficients of a polynomial come to at every point."""
        powers = torch.tensor(self._POINTS, dtype=torch.float64)[:, None] ** torch.arange(length)
        leading = F.one_hot(torch.tensor([length - 1]), length).double()  # at infinity
        return torch.cat([powers, leading])

    def _made(self, turned: bool) -> tuple[Tensor, Tensor]:
        """(36, 36) from a neighborhood to the points and (16, 36) from there to its core.

        Multiplying polynomials is evaluating both, multiplying the values and solving for the
        coefficients; filtering is the transpose of that.
        """
        evaluate = torch.linalg.inv(self._polynomials(self.reach)).mT
        gather = self._polynomials(self.core).mT
        if turned:
            order = list(self._TURNED)
            ahead, reverse = self._polynomials(3), self._polynomials(3).flip(1)
            scale = reverse.abs().sum(1) / ahead[order].abs().sum(1)
            evaluate, gather = (scale[:, None] * evaluate)[order], gather[:, order]
        return torch.kron(evaluate, evaluate).float(), torch.kron(gather, gather).float()


class BySums(Minimal):
    """2x2 places, 16 multiplications for 36; both transforms are sums of three at most.

    The points are 0, 1, -1 and infinity, so that nothing grows much: bfloat16 keeps nearly the
    accuracy of its plain sum, which larger cores would not.
    """

    core, reach = 2, 4
    everywhere = reach + 1  # the point (1, 1)
    _FILTERS = ((1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.0, 0.0, 1.0))
    _ORDERS = ((0, 1, 2, 3), (3, 1, 2, 0))  # turning a filter round swaps 0 and infinity
    # The sums cost as much for few channels as they save.
    _FEWEST, _CHANNELS = 64, 256 * 256

    def pays(self, in_channels: int, channels: int, height: int, width: int) -> bool:
        """As of `Minimal`."""
        enough = self.count(height) * self.count(width) >= self._FEWEST
        return in_channels * channels >= self._CHANNELS and enough

    def neighborhoods(self, channels: int) -> int:
        """As of `Minimal`."""
        return 393216 // channels

    def filters(self, weight: Tensor) -> Tensor:
        """As of `Minimal`."""
        at = torch.tensor(self._FILTERS, device=weight.device)
        values = torch.einsum("jc,ir,onrc->jion", at, at, weight.float())
        return values.flatten(0, 1).to(weight.dtype)

    def points(self, read: Tensor, one: Tensor, other: Tensor, *, turned: bool) -> Tensor:
        """As of `Minimal`."""
        rows, columns, channels = read.shape
        count, wide = self.count(rows - 2), self.count(columns - 2)
        by_row = taken(one, 4, count, columns, channels)
        order = self._ORDERS[turned]
        _evaluated([read[i : i + 2 * count : 2] for i in range(4)], by_row, order)
        points = taken(other, 4, 4, count, wide, channels)
        _evaluated([by_row[:, :, i : i + 2 * wide : 2] for i in range(4)], points, order)
        return points.view(16, count * wide, channels)

    def cores(
        self, products: Tensor, wide: int, one: Tensor, other: Tensor, *, turned: bool
    ) -> Tensor:
        """As of `Minimal`."""
        made = products.shape[2]
        at = products.view(4, 4, -1, wide, made)
        count, order = at.shape[2], self._ORDERS[turned]
        by_column = taken(other, 2, 4, count, wide, made)
        _gathered([at[i] for i in order], (by_column[0], by_column[1]))
        cores = taken(one, count, 2, wide, 2, made)
        for column in range(2):
            into = cores[:, 0, :, column], cores[:, 1, :, column]
            _gathered([by_column[column, i] for i in order], into)
        return cores


def _evaluated(places: list[Tensor], into: Tensor, order: tuple[int, ...]) -> None:
    """Four neighboring places at the points 0, 1, -1 and infinity."""
    zero, one, minus, infinity = (into[i] for i in order)
    torch.sub(places[0], places[2], out=zero)
    torch.add(places[1], places[2], out=one)
    torch.sub(places[2], places[1], out=minus)
    torch.sub(places[1], places[3], out=infinity)


def _gathered(points: list[Tensor], into: tuple[Tensor, Tensor]) -> None:
    """Two places from the products at the points."""
    zero, one, minus, infinity = points
    torch.add(one, minus, out=into[0]).add_(zero)
    torch.sub(one, minus, out=into[1]).sub_(infinity)


def taken(block: Tensor, *shape: int) -> Tensor:
    """The beginning of a block, in a shape."""
    return block[: math.prod(shape)].view(shape)


BY_PRODUCTS, BY_SUMS = ByProducts(), BySums()
