"""A convolution of VGG with its ReLU, and the gradient's way back through both."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Convolution(nn.Conv2d):
    """3x3 over a margin of zeros, as PyTorch computes it; a picture keeps its size.

    Args:
        in_channels, channels: of what comes in and what goes out.

    Attributes:
        kept: bytes; smaller blocks that a way through the network frees are better kept for the
            next. PyTorch's are.
    """

    kept = 32 << 20

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__(in_channels, channels, kernel_size=3, padding=1)

    @classmethod
    def extra_bytes(cls, in_channels: int, channels: int, height: int, width: int) -> int:
        """What a convolution of (height, width) features holds beside its weights."""
        return 0

    @classmethod
    def maker(cls) -> Callable[[int, int], "Convolution"]:
        """What makes the convolutions of one network."""
        return cls

    def forward(self, features: Tensor) -> Tensor:
        """(B, in_channels, h, w) -> (B, channels, h, w), after the ReLU."""
        return super().forward(features).relu_()

    def back(
        self,
        gradient: Tensor,
        features: Tensor | None = None,
        more: Callable[[], Tensor] | None = None,
    ) -> Tensor:
        """The gradient by what came in.

        Args:
            gradient: by what went out before the ReLU, (1, channels, h, w), channels-last.
            features: what came in, (1, in_channels, h, w), if it came from a ReLU: the gradient is
                0 where that was closed. May be overwritten.
            more: gives what else is to be added to the gradient, before that; may be overwritten.
        """
        gradient = F.conv_transpose2d(gradient, self.weight, padding=1)
        if more:
            gradient += more()
        return gradient if features is None else closed(gradient, features, gradient)


def closed(gradient: Tensor, features: Tensor, into: Tensor) -> Tensor:
    """The gradient, zero where the ReLU was closed that gave the features; written `into`."""
    torch.ops.aten.threshold_backward.grad_input(gradient, features, 0, grad_input=into)
    return into
