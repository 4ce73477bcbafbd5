"""Optical flow that ends where the picture has an edge.

DIS compares patches, and so carries the flow of what moves over to what stands still beside it: a
halo, which drags paint along. Both directions of the flow agree about it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..control.edge_filter import spread

# A change of the flow from pixel to pixel that is an edge, and how far flow is carried over it.
_STEEP, _CARRIED = 0.15, 8
# How far, and up to which change of color, flow is taken from around.
_PIXELS, _COLORS = 30.0, 0.15
# Where no pixel around is believed, all are, alike.
_LEAST = 1e-4


def with_sharp_edges(flow: Tensor, picture: Tensor) -> Tensor:
    """Near its edges a flow is not believed, and taken from pixels around of the same color.

    Args:
        flow: (1, 2, H, W) in pixels.
        picture: (1, 3, H, W) that the flow begins in, RGB in [0, 1].
    """
    usual = _usual(flow)
    rest = flow - usual
    near = F.max_pool2d((_steepness(rest) > _STEEP).to(flow), 2 * _CARRIED + 1, 1, _CARRIED)
    believed = 1 - near + _LEAST
    around = spread(
        torch.cat([rest * believed, believed], 1), picture, pixels=_PIXELS, colors=_COLORS
    )
    return torch.where(near > 0, around[:, :2] / around[:, 2:] + usual, flow)


def _usual(flow: Tensor) -> Tensor:
    """(1, 2, H, W) as most of the picture is turned or made larger: that has no edges."""
    height, width = flow.shape[-2:]
    rows = torch.arange(height, dtype=flow.dtype)[:, None]
    columns = torch.arange(width, dtype=flow.dtype)[None]
    return _slope(flow, -1) * columns + _slope(flow, -2) * rows


def _slope(flow: Tensor, axis: int) -> Tensor:
    """(1, 2, 1, 1), the median of the changes along an axis."""
    changes = flow.diff(dim=axis).flatten(2)
    found = changes.median(-1).values if changes.numel() else flow.new_zeros(flow.shape[:2])
    return found[..., None, None]


def _steepness(flow: Tensor) -> Tensor:
    """(1, 1, H, W), the larger of the changes from the left and from above."""
    around = F.pad(flow, (1, 0, 1, 0), mode="replicate")
    left, above = around[..., 1:, :-1], around[..., :-1, 1:]
    changes = [(flow - before).abs().sum(1, keepdim=True) for before in (left, above)]
    return torch.maximum(*changes)
