"""Masks over the picture to weights over a layer's positions."""

import torch.nn.functional as F
from torch import Tensor

from .vgg import LAYERS


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
