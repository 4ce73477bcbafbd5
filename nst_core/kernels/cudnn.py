"""Convolutions as cuDNN computes them on NVIDIA's cards, asked for directly.

PyTorch's own calls take their rules from settings of the whole process, which belong to whoever
runs it: whether float32 may be rounded to TF32 on the way, and whether sums are always added up in
the same order. Here both are fixed, because a picture shall depend on its settings alone.
"""

import torch
from torch import Tensor

from ..gatys.vgg import NO_CROP, Crop
from .convolution import Convolution
from .crops import Padding, cropped, forward_padding

_ONE, _NONE = [1, 1], [0, 0]


class CudnnConvolution(Convolution):
    """The bias is added and the ReLU applied before the sums leave the chip, where cuDNN can.

    Attributes:
        rounded: whether factors of float32 products are rounded to 10 bits (TF32), many times as
            fast.
    """

    rounded = False

    def forward(self, features: Tensor, crop: Crop = NO_CROP) -> Tensor:
        """(B, in_channels, h, w) -> (B, channels, h, w) after the ReLU, cropped."""
        padding, rest = forward_padding(crop)
        values = cropped(self._convolved(features, padding), rest)
        return values.contiguous(memory_format=torch.channels_last)

    def _convolved(self, features: Tensor, padding: Padding) -> Tensor:
        if self.weight.dtype == torch.bfloat16:
            return torch.cudnn_convolution_relu(
                features, self.weight, self.bias, _ONE, padding, _ONE, 1
            )
        convolved = torch.cudnn_convolution(
            features, self.weight, padding, _ONE, _ONE, 1, False, True, self.rounded
        )
        assert self.bias is not None
        convolved += self.bias.view(-1, 1, 1)
        return convolved.relu_()

    def input_gradient(self, gradient: Tensor, padding: Padding = (1, 1)) -> Tensor:
        """The transposed convolution."""
        gradient = torch.cudnn_convolution_transpose(
            gradient, self.weight, padding, _NONE, _ONE, _ONE, 1, False, True, self.rounded
        )
        return gradient


class RoundedCudnnConvolution(CudnnConvolution):
    """With float32 products of rounded factors."""

    rounded = True
