"""Masks over the picture to guidance maps over a layer's positions, and whether there are any."""

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor

from ..errors import ImageTooSmall
from ..gatys.statistics import Guidance
from ..gatys.vgg import LAYERS
from ..settings.layers import canonical_layer


def guidance_of(mask: Tensor | None, height: int, width: int, layer: str) -> Guidance:
    """Where a mask over a (height, width) picture lets a layer count."""
    stride = LAYERS[layer].stride
    grid = height // stride, width // stride
    if mask is None:
        return Guidance(grid, None, float(grid[0] * grid[1]))
    map_ = layer_guide(mask, height, width, layer)
    return Guidance(grid, map_, float(map_.sum()))


def guidances_of(
    mask: Tensor | None, height: int, width: int, layers: Iterable[str]
) -> dict[str, Guidance]:
    """The same for several layers; those where the mask leaves nothing are left out."""
    guidances = {layer: guidance_of(mask, height, width, layer) for layer in layers}
    return {layer: guidance for layer, guidance in guidances.items() if guidance.positions > 0}


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


def check_large_enough(height: int, width: int, layers: Iterable[str], what: str) -> None:
    """ImageTooSmall if a (height, width) picture has no feature at one of the layers."""
    for name in layers:
        stride = LAYERS[canonical_layer(name)].stride
        if min(height, width) < stride:
            raise ImageTooSmall(
                f"{what} is {width}x{height} px, but {name} needs at least {stride}x{stride}. "
                "Use a larger picture or size, or earlier layers."
            )
