"""VGG's convolutions with the gradient by their input, by hand."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..gatys import vgg
from ..gatys.vgg import NO_CROP, Crop
from .crops import Padding, backward_padding, cropped, cropped_relu, forward_padding


class Convolution(vgg.Convolution):
    """PyTorch's own convolution, and its backward with the ReLU before it.

    Attributes:
        kept: bytes; blocks smaller than this that one evaluation frees are kept for the next. The
            larger ones would leave holes in the heap, a third of all that a run takes.
    """

    kept = 4 << 20

    @classmethod
    def extra_bytes(cls, in_channels: int, channels: int, height: int, width: int) -> int:
        """What a convolution of (height, width) features holds beside its weights."""
        return 0

    @classmethod
    def maker(cls) -> Callable[[int, int], "Convolution"]:
        """What makes the convolutions of one network."""
        return cls

    def forward(self, features: Tensor, crop: Crop = NO_CROP) -> Tensor:
        """(B, in_channels, h, w) -> (B, channels, h, w) after the ReLU, cropped."""
        padding, rest = forward_padding(crop)
        return cropped_relu(F.conv2d(features, self.weight, self.bias, padding=padding), rest)

    def backward(
        self,
        gradient: Tensor,
        features: Tensor | None = None,
        extra: Tensor | None = None,
        crop: Crop = NO_CROP,
    ) -> Tensor:
        """The gradient by the input, or by what went into the ReLU that gave the input.

        Args:
            gradient: by the output before its ReLU, (1, channels, h, w), channels-last.
            features: the input, (1, in_channels, h, w), if it came from a ReLU, whose backward is
                then applied too. May be overwritten.
            extra: a gradient by the input to add, before that. May be overwritten.
            crop: that of the output.
        """
        padding, rest = backward_padding(crop)
        gradient = cropped(self.input_gradient(gradient, padding), rest)
        if extra is not None:
            gradient += extra
        if features is None:
            return gradient.contiguous(memory_format=torch.channels_last)
        return relu_backward(gradient, features, gradient if rest == NO_CROP else features)

    def input_gradient(self, gradient: Tensor, padding: Padding = (1, 1)) -> Tensor:
        """The transposed convolution."""
        return F.conv_transpose2d(gradient, self.weight, padding=padding)


def relu_backward(gradient: Tensor, features: Tensor, into: Tensor) -> Tensor:
    """The gradient where the ReLU's output `features` is above 0, else 0; written `into`."""
    torch.ops.aten.threshold_backward.grad_input(gradient, features, 0, grad_input=into)
    return into
