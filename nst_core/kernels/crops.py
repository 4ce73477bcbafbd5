"""Convolutions whose output is cropped: PyTorch's margin of zeros can be left out instead."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..gatys.vgg import Crop, size_of

# Rows and columns of zeros around what is convolved, 0 or 1 of each.
Padding = tuple[int, int]


def forward_padding(crop: Crop) -> tuple[Padding, Crop]:
    """The padding of a convolution, and what is left to be cropped of its output."""
    left, right, top, bottom = crop
    rows, columns = int(not (top and bottom)), int(not (left and right))
    x, y = 1 - columns, 1 - rows  # lost on either side where there is no padding
    return (rows, columns), (left - x, right - x, top - y, bottom - y)


def cropped(values: Tensor, crop: Crop) -> Tensor:
    """A part of (1, N, h, w), which need not lie in one piece; negative crops add zeros."""
    if min(crop) < 0:
        return F.pad(values, [-dropped for dropped in crop])
    height, width = size_of(values)
    left, right, top, bottom = crop
    return values[..., top : height - bottom, left : width - right]


def cropped_relu(values: Tensor, crop: Crop) -> Tensor:
    """The ReLU of a part of channels-last values, in one piece; may overwrite them."""
    part = cropped(values, crop)
    if crop[:2] == (0, 0):  # rows that follow each other
        return part.relu_()
    return part.relu().contiguous(memory_format=torch.channels_last)


def backward_padding(crop: Crop) -> tuple[Padding, Crop]:
    """The same for the backward pass, which adds what was cropped; what is left may be negative.

    Without padding, the transposed convolution adds one row or column on either side.
    """
    left, right, top, bottom = crop
    rows, columns = int(not (top or bottom)), int(not (left or right))
    x, y = 1 - columns, 1 - rows
    return (rows, columns), (x - left, x - right, y - top, y - bottom)


def negative(crop: Crop) -> Crop:
    """What a crop takes away, to be added."""
    left, right, top, bottom = crop
    return -left, -right, -top, -bottom
