"""Where in a picture a loss is steep, from pairs of a step s and the gradient's change y.

A stroke that crosses an edge of the content changes more features than one in the sky. One pair is
noisy for a few pixels; ten pairs are enough.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# Pixels a side of a cell, how far from the whole picture's one may be, and how many average steps
# it has beside its own: a cell that never moved is like the whole.
_SIDE, _FARTHEST, _PRIOR = 4, 8.0, 0.01


class Places:
    """A grid of cells over (1, 3, height, width) images.

    Args:
        height, width: in pixels.

    Attributes:
        values: how many numbers are kept of a pair.
    """

    def __init__(self, height: int, width: int) -> None:
        self._size = height, width
        self._grid = -(-height // _SIDE), -(-width // _SIDE)
        self.values = 2 * self._grid[0] * self._grid[1]

    def of_pair(self, s: Tensor, y: Tensor) -> Tensor:
        """(values,): <s, s> and <s, y> of each cell."""
        sums = [
            F.avg_pool2d(_dot(s, other), _SIDE, ceil_mode=True, divisor_override=1)
            for other in (s, y)
        ]
        return torch.cat(sums).flatten()

    def steepness(self, pairs: Tensor) -> Tensor:
        """(1, 1, height, width) logarithms of <s, y> / <s, s>; 0 is that of the whole picture.

        Args:
            pairs: (count, values), zeros for a pair that is not there.
        """
        steps, changes = pairs.sum(0).view(2, 1, 1, *self._grid)
        overall = changes.sum() / steps.sum()
        prior = _PRIOR * steps.mean()
        ratio = (changes / overall + prior) / (steps + prior)
        logarithm = ratio.clamp(1 / _FARTHEST, _FARTHEST).log()
        return F.interpolate(logarithm, self._size, mode="bilinear")


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """(1, 3, H, W) twice -> (1, 1, H, W), color by color: a large picture's three are much."""
    total = a[:, :1] * b[:, :1]
    for color in range(1, a.shape[1]):
        total += a[:, color : color + 1] * b[:, color : color + 1]
    return total
