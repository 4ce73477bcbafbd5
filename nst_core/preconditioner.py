"""What L-BFGS assumes of an inverse Hessian before it has seen any curvature, and learns of it."""

from typing import Protocol

import torch
from torch import Tensor


class Matrix(Protocol):
    """An inverse Hessian, up to a factor; symmetric and positive."""

    def __call__(self, image: Tensor) -> Tensor:
        """The matrix times an image."""

    def energy(self, image: Tensor) -> Tensor:
        """The inner product of an image with the matrix times the image, a scalar."""


class Preconditioner(Protocol):
    """What an inverse Hessian is taken for, before any pair and from what pairs teach."""

    def lessons(self, count: int) -> Tensor:
        """(count, ...) room for so many lessons, of which none is known."""

    def lesson(self, step: Tensor, change: Tensor) -> Tensor:
        """What a step and the gradient's change teach, to be kept with the pair."""

    def matrix(self, lessons: Tensor) -> Matrix:
        """What the lessons make of it."""


class Identity:
    """The plain L-BFGS of the textbooks: nothing is assumed, nothing learned.

    Args:
        device: of the images.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def lessons(self, count: int) -> Tensor:
        """(count, 0)."""
        return torch.zeros(count, 0, device=self._device)

    def lesson(self, step: Tensor, change: Tensor) -> Tensor:
        """(0,)."""
        return torch.zeros(0, device=self._device)

    def matrix(self, lessons: Tensor) -> "Identity":
        """Itself."""
        return self

    def __call__(self, image: Tensor) -> Tensor:
        """The image itself."""
        return image

    def energy(self, image: Tensor) -> Tensor:
        """The image's square."""
        return image.square().sum()
