"""What every style statistic can do."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from ..guidance import Area
from ..losses import Normalization
from ..tiling import Window


class Statistic(ABC):
    """One way to compare the features of two pictures at one layer.

    Attributes:
        recordable: whether `sums` and `loss` never wait for the device (see `recording`).
    """

    recordable: ClassVar[bool] = False

    @abstractmethod
    def sums(self, features: Tensor, area: Area, window: Window) -> Tensor:
        """What a tile's own (1, N, h, w) features add to the picture's total."""

    @abstractmethod
    def gathered(
        self, so_far: Tensor | None, features: Tensor, area: Area, window: Window
    ) -> Tensor:
        """What is known of a style picture after one more of its tiles."""

    @abstractmethod
    def described(self, gathered: Tensor, positions: float) -> Tensor:
        """A whole style picture, in a form that can be averaged between pictures."""

    def target(self, description: Tensor) -> Tensor:
        """What to come close to, ready for `loss`."""
        return description

    @abstractmethod
    def loss(self, total: Tensor, area: Area, target: Tensor, norm: Normalization) -> Tensor:
        """What the whole picture's total is worth; zero where picture and style agree."""
