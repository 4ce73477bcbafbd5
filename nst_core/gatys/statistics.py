"""What of a style's features is compared. The paper's is the Gram matrix."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import EllipsisType
from typing import ClassVar

from torch import Tensor

from .functions import Normalization, gram_sum, style_loss

# Rows and columns of a layer, whatever stands before them.
Window = tuple[EllipsisType, slice, slice]
WHOLE: Window = (..., slice(None), slice(None))


@dataclass(frozen=True, eq=False)
class Guidance:
    """Which positions of a layer count (a guidance map of Gatys et al., arXiv:1611.07865).

    Attributes:
        grid: (h, w) of the whole layer.
        map: (h, w) weight of each position in [0, 1]; None is 1 for each.
        positions: how many count: h·w, or the sum of the map.
    """

    grid: tuple[int, int]
    map: Tensor | None
    positions: float

    def at(self, window: Window) -> Tensor | None:
        """The map inside a window."""
        return None if self.map is None else self.map[window]


class Statistic(ABC):
    """One way to compare the features of two pictures at one layer: by a sum over positions.

    Attributes:
        asynchronous: whether `sums` and `loss` never wait for the device, as CUDA graphs need.
    """

    asynchronous: ClassVar[bool] = False

    @abstractmethod
    def sums(self, features: Tensor, guidance: Guidance, window: Window) -> Tensor:
        """What (1, N, h, w) features inside a window add to the picture's total."""

    def accumulated(
        self, so_far: Tensor | None, features: Tensor, guidance: Guidance, window: Window
    ) -> Tensor:
        """What is known of a style picture after one more window of it."""
        sums = self.sums(features, guidance, window)
        return sums if so_far is None else so_far + sums

    def finalized(self, accumulated: Tensor, positions: float) -> Tensor:
        """Of a whole style picture, in a form that can be averaged between pictures."""
        return accumulated / positions

    def target(self, mean: Tensor) -> Tensor:
        """What to come close to, ready for `loss`, from the average of what is finalized."""
        return mean

    @abstractmethod
    def loss(
        self, total: Tensor, guidance: Guidance, target: Tensor, normalization: Normalization
    ) -> Tensor:
        """The loss of the whole picture's total; zero where picture and style agree."""


@dataclass(frozen=True)
class Gram(Statistic):
    """The (N, N) Gram matrix of Gatys, Ecker and Bethge (arXiv:1508.06576), equation 3."""

    asynchronous = True
    gram: Callable[[Tensor, Tensor | None], Tensor] = gram_sum

    def sums(self, features: Tensor, guidance: Guidance, window: Window) -> Tensor:
        """F Fᵀ."""
        return self.gram(features, guidance.at(window))

    def loss(
        self, total: Tensor, guidance: Guidance, target: Tensor, normalization: Normalization
    ) -> Tensor:
        """The squared distance of the matrices, equation 4."""
        return style_loss(total / guidance.positions, target, normalization)
