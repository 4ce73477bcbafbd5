"""Targets: what is computed once of the content and style pictures, at one layer.

A target says what to sum over the features of the picture, and what the loss of that sum is;
`objective` does the rest. `control.targets` makes them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from .functions import Normalization
from .statistics import WHOLE, Guidance, Statistic, Window


@dataclass(frozen=True, eq=False, kw_only=True)
class StyleTarget:
    """A statistic of the style at one layer."""

    name: str
    layer: str
    weight: float
    normalization: Normalization
    statistic: Statistic
    target: Tensor
    guidance: Guidance

    @property
    def asynchronous(self) -> bool:
        """Whether it never waits for the device."""
        return self.statistic.asynchronous

    def sums(self, features: Tensor, window: Window = WHOLE) -> Tensor:
        """What features inside a window add to the total."""
        return self.statistic.sums(features, self.guidance, window)

    def loss(self, sums: Tensor) -> Tensor:
        """The loss of the whole picture's sum, before the weight."""
        return self.statistic.loss(sums, self.guidance, self.target, self.normalization)


@dataclass(frozen=True, eq=False, kw_only=True)
class ContentTarget:
    """The content's features P at one layer."""

    name: str
    layer: str
    weight: float
    normalization: Normalization
    target: Tensor  # P, (1, N, h, w)
    guidance: Guidance
    size: Tensor  # sum of P²
    squared_error: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    asynchronous = True

    def sums(self, features: Tensor, window: Window = WHOLE) -> Tensor:
        """(F - P)² inside a window, a scalar."""
        return self.squared_error(features, self.target[window], self.guidance.at(window))

    def loss(self, sums: Tensor) -> Tensor:
        """The loss of the whole picture's sum, before the weight."""
        values = self.guidance.positions * self.target.shape[1]  # M N
        return self.normalization.content(sums, values, self.size)


Target = StyleTarget | ContentTarget
