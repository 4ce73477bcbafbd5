"""Sizes and steps from coarse to fine, and resampling."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

# The shorter side of the coarsest scale that is added on its own. relu5_1 sees 132 pixels: on
# smaller pictures the late layers look at little but padding.
COARSEST = 256


@dataclass(frozen=True)
class Scale:
    """One size of the picture, in pixels, and its share of the steps."""

    height: int
    width: int
    steps: int


def fit(height: int, width: int, longer: int) -> tuple[int, int]:
    """(height, width) with the same proportions and the longer side at `longer` pixels."""
    factor = longer / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def plan_scales(height: int, width: int, *, scales: int, steps: int) -> tuple[Scale, ...]:
    """Scales that end at (height, width), each about twice the one before.

    Args:
        height, width: of the finished picture, in pixels.
        scales: how many; 0 adds scales while the coarser one's longer side keeps `COARSEST`.
        steps: in all. They are shared evenly; coarse steps are cheap, so most of the time goes
            into the finest scale anyway.

    Returns:
        Coarse to fine.
    """
    if scales == 0:
        scales = 1
        while max(height, width) / 2**scales >= COARSEST:
            scales += 1
    sizes = [
        (max(1, round(height / 2**level)), max(1, round(width / 2**level)))
        for level in reversed(range(scales))
    ]
    share, rest = divmod(steps, scales)
    return tuple(
        Scale(rows, columns, share + (index < rest)) for index, (rows, columns) in enumerate(sizes)
    )


def resize(image: Tensor, height: int, width: int) -> Tensor:
    """(1, 3, h, w) in [0, 1] -> (1, 3, height, width) in [0, 1], bicubic with antialiasing.

    The same size gives the same picture.
    """
    if image.shape[-2:] == (height, width):
        return image
    resized = F.interpolate(image, (height, width), mode="bicubic", antialias=True)
    return resized.clamp(0, 1)  # bicubic overshoots at edges
