"""The transforms of Winograd's convolutions F(m x m, 3x3).

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv:1509.09308); Winograd,
"Arithmetic Complexity of Computations" (1980). The input is cut into overlapping tiles. Input tiles
and filters are polynomials; the input and the filter transform evaluate them at points, where
convolving is multiplying; the output transform takes the products, summed over channels, to output
tiles. One strip of tiles is done at a time, in a workspace that stays in the cache.
"""

import math
from abc import ABC, abstractmethod

from torch import Tensor

from .mapped_memory import empty_mapped


class Workspace:
    """Memory for one strip of tiles: each transform reads one half and writes the other."""

    def __init__(self) -> None:
        self._block: Tensor | None = None

    def halves(self, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Twice `size` values, whose content is what the last user left."""
        block = self._block
        if block is None or len(block) < 2 * size or block.dtype != like.dtype:
            self._block = None  # before more is asked for
            block = self._block = empty_mapped(like, 2 * size)
        return block[:size], block[size : 2 * size]


class Transforms(ABC):
    """F(m x m, 3x3): m x m outputs from (m + 2) x (m + 2) inputs.

    Attributes:
        outputs, inputs: sides of an output tile, m, and of an input tile, m + 2.
        bias_point: the point (1, 1), whose value every output adds once: a bias added there is
            added to all of them.
    """

    outputs: int
    inputs: int
    bias_point: int

    @abstractmethod
    def pays(self, in_channels: int, channels: int, height: int, width: int) -> bool:
        """Whether it is quicker than the direct sum, for features with these sides."""

    @abstractmethod
    def tiles_per_strip(self, channels: int) -> int:
        """Few enough to stay in the cache, enough to pay for reading the filters from memory."""

    @abstractmethod
    def filter_transform(self, weight: Tensor) -> Tensor:
        """(channels, in_channels, 3, 3) -> (points, channels, in_channels)."""

    @abstractmethod
    def input_transform(self, read: Tensor, one: Tensor, other: Tensor, *, rotated: bool) -> Tensor:
        """Input tiles at the points, (points, tiles, N), in `other`.

        Args:
            read: (rows, columns, N) of the picture with a margin of one pixel, in `other` too.
            one, other: the halves of the workspace.
            rotated: for filters rotated by 180 degrees (the backward pass), given the transform of
                those that are not.
        """

    @abstractmethod
    def output_transform(
        self, products: Tensor, wide: int, one: Tensor, other: Tensor, *, rotated: bool
    ) -> Tensor:
        """(points, tiles, M), in `one` -> (count, m, wide, m, M) output tiles, in a half."""

    def tiles_along(self, side: int) -> int:
        """Tiles along a side."""
        return -(-side // self.outputs)


def reshaped(block: Tensor, *shape: int) -> Tensor:
    """The beginning of a block, as a tensor of this shape."""
    return block[: math.prod(shape)].view(shape)
