"""Masks over the picture to weights over a layer's positions."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from .tiling import Window
from .vgg import LAYERS


@dataclass(frozen=True, eq=False)
class Area:
    """The positions of a layer that count.

    Attributes:
        grid: (h, w) of the whole layer.
        guide: (h, w) weight of each position in [0, 1]; None is 1 everywhere.
        positions: how many count: h·w, or the sum of the guide.
    """

    grid: tuple[int, int]
    guide: Tensor | None
    positions: float

    def guide_at(self, window: Window) -> Tensor | None:
        """The weights of a tile's own positions."""
        return None if self.guide is None else self.guide[window]


def area_of(mask: Tensor | None, height: int, width: int, layer: str) -> Area:
    """Where a mask over a (height, width) picture lets a layer count."""
    stride = LAYERS[layer].stride
    grid = height // stride, width // stride
    if mask is None:
        return Area(grid, None, float(grid[0] * grid[1]))
    guide = layer_guide(mask, height, width, layer)
    return Area(grid, guide, float(guide.sum()))


def layer_guide(mask: Tensor, height: int, width: int, layer: str) -> Tensor:
    """How much of each position of a layer lies inside the mask.

    The average over the pixels that a position stands on, the "simple" propagation of Gatys et
    al. (arXiv:1611.07865, section 3): soft edges stay soft and a full mask is exactly 1.

    Args:
        mask: (h, w) in [0, 1], of any size; it is stretched over the picture.
        height, width: the picture's size in pixels.
        layer: canonical layer name.

    Returns:
        (height // stride, width // stride), on the mask's device.
    """
    grid = mask[None, None]
    if mask.shape != (height, width):
        grid = F.interpolate(grid, (height, width), mode="bilinear", antialias=True)
    guide: Tensor = F.avg_pool2d(grid, LAYERS[layer].stride)[0, 0]
    return guide
