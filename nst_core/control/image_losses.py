"""Losses of the image itself: its smoothness, and the content's edges."""

import torch.nn.functional as F
from torch import Tensor


def total_variation(image: Tensor, *, wrap: bool = False) -> Tensor:
    """Mean squared step between neighbors of a (1, 3, H, W) image in [0, 1]; 0 when flat.

    With `wrap` the last row is a neighbor of the first, and the last column too.
    """
    if wrap:
        down, right = (image.roll(-1, axis) - image for axis in (-2, -1))
    else:
        down = image[..., 1:, :] - image[..., :-1, :]
        right = image[..., :, 1:] - image[..., :, :-1]
    return (down.square().sum() + right.square().sum()) / image.numel()


# Pixels a side that are averaged before edges are looked for: the p = 4 of Lapstyle.
LAPLACIAN_POOL = 4


def laplacian(image: Tensor) -> Tensor:
    """Edges of a (1, 3, H, W) image averaged over 4x4 pixels, (1, 3, h, w); zero where flat.

    Four times a value minus its neighbors, of Li et al., "Laplacian-Steered Neural Style Transfer"
    (arXiv:1707.01253), section 3.2.
    """
    size = [-(-side // LAPLACIAN_POOL) for side in image.shape[-2:]]
    pooled = F.interpolate(image, size, mode="area")
    around = F.pad(pooled, (1, 1, 1, 1), mode="replicate")  # the border has no edge of its own
    neighbors = around[..., :-2, 1:-1] + around[..., 2:, 1:-1]
    neighbors = neighbors + around[..., 1:-1, :-2] + around[..., 1:-1, 2:]
    return 4 * pooled - neighbors
