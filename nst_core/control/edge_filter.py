"""Values spread along a picture, not across its edges: the domain transform, recursively.

After Gastal and Oliveira, "Domain Transform for Edge-Aware Image and Video Processing"
(SIGGRAPH 2011).
"""

import math

import torch
from torch import Tensor

_ITERATIONS = 3


def spread(values: Tensor, picture: Tensor, *, pixels: float, colors: float) -> Tensor:
    """Means of values, over pixels that no edge of the picture parts.

    Args:
        values: (1, C, H, W).
        picture: (1, 3, H, W) RGB in [0, 1].
        pixels: standard deviation in a picture without edges.
        colors: a change of color, all channels added up, that counts as far as `pixels`.
    """
    across, down = (_distances(picture, axis, pixels / colors) for axis in (-1, -2))
    for iteration in range(_ITERATIONS):
        # Equation 14: each pass has half the width of the one before.
        share = math.sqrt(3) * 2 ** (_ITERATIONS - 1 - iteration) / math.sqrt(4**_ITERATIONS - 1)
        feedback = math.exp(-math.sqrt(2) / (pixels * share))
        values = _recursive(values, feedback**across)
        values = _recursive(values.mT, feedback**down.mT).mT
    return values


def _distances(picture: Tensor, axis: int, steepness: float) -> Tensor:
    """(1, 1, H, W), from each pixel to the one before it, in the domain of equation 11."""
    change = picture.diff(dim=axis, prepend=picture.narrow(axis, 0, 1)).abs().sum(1, keepdim=True)
    return 1 + steepness * change


def _recursive(values: Tensor, kept: Tensor) -> Tensor:
    """Along rows, to the right and back (equation 21); `kept` is a^d, of each pixel's left side."""
    columns = list(values.unbind(-1))
    factors = kept.unbind(-1)
    for x in range(1, len(columns)):
        columns[x] = torch.lerp(columns[x], columns[x - 1], factors[x])
    for x in range(len(columns) - 2, -1, -1):
        columns[x] = torch.lerp(columns[x], columns[x + 1], factors[x + 1])
    return torch.stack(columns, -1)
