"""Max pooling that keeps small indices, and nothing else of its input for the backward pass.

PyTorch's own indices are 8 bytes each, as much as two of the four values they choose from; two
rows of a picture need 2.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..gatys.vgg import size_of
from .mapped_memory import empty_mapped

_PART = 16  # strips


@dataclass(frozen=True, eq=False)
class Pooled:
    """A max pooling of a ReLU's features.

    Attributes:
        features: (1, N, h // 2, w // 2), the maxima; 0 where the ReLU let nothing pass.
        indices: (h // 2, N, 1, w // 2), place of each maximum in its two rows.
        height, width: of the input.
    """

    features: Tensor
    indices: Tensor
    height: int
    width: int

    def backward(self, gradient: Tensor) -> Tensor:
        """The gradient by the input, (1, N, h, w), from that by the maxima."""
        gradient = _strips(gradient, 1)
        count, channels = self.indices.shape[:2]
        strips = empty_mapped(gradient, count, 2, self.width, channels).movedim(-1, 1)
        for part in _parts(gradient):
            torch.ops.aten.max_pool2d_with_indices_backward.grad_input(
                gradient[part],
                strips[part],  # only its shape is read
                [2, 2],
                [2, 2],
                [0, 0],
                [1, 1],
                False,
                self.indices[part].long(),
                grad_input=strips[part],
            )
        left_over = self.height % 2  # a row that was not pooled
        return F.pad(_whole(strips), (0, 0, 0, 1)) if left_over else _whole(strips)


def max_pool(features: Tensor) -> Pooled:
    """2x2 max pooling of (1, N, h, w) features, channels-last."""
    height, width = size_of(features)
    strips = _strips(features, 2)
    count, channels = strips.shape[:2]
    pooled = empty_mapped(features, count, 1, width // 2, channels).movedim(-1, 1)
    dtype = torch.int16 if 2 * width <= torch.iinfo(torch.int16).max else torch.int32
    indices = empty_mapped(features, count, 1, width // 2, channels, dtype=dtype).movedim(-1, 1)
    for part in _parts(pooled):
        pooled[part], indices[part] = F.max_pool2d(strips[part], kernel_size=2, return_indices=True)
    return Pooled(_whole(pooled), indices, height, width)


def _parts(strips: Tensor) -> Iterator[slice]:
    """On a processor a few at a time, which stay in the cache: PyTorch's indices are large."""
    step = _PART if strips.device.type == "cpu" else len(strips)
    return (slice(first, first + step) for first in range(0, len(strips), step))


def _strips(features: Tensor, rows: int) -> Tensor:
    """(1, N, h, w) -> (h // rows, N, rows, w), free of charge for channels-last features.

    PyTorch's pooling backward works on the pictures of a batch at once, and on no part of one.
    """
    _, channels, height, width = features.shape
    count = height // rows
    whole = features[:, :, : count * rows].movedim(1, -1)
    return whole.reshape(count, rows, width, channels).movedim(-1, 1)


def _whole(strips: Tensor) -> Tensor:
    """(count, N, rows, w) -> (1, N, count · rows, w), likewise."""
    return strips.movedim(1, -1).flatten(0, 1)[None].movedim(-1, 1)
