"""Optical flow: pictures carried along by it, and where two flows agree.

A flow is (1, 2, H, W) in pixels, x then y: what is at p in one frame is at p + flow(p) in the
other.
After Ruder, Dosovitskiy and Brox, "Artistic style transfer for videos" (arXiv:1604.08610).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# Section 4.2 of the paper; the constants are theirs, for pixels.
_DISOCCLUDED = (0.01, 0.5)
_BOUNDARY = (0.01, 0.002)


def warped(image: Tensor, flow: Tensor, *, beyond: str = "border") -> Tensor:
    """The values of a (1, C, H, W) image at p + flow(p): bicubic, as sharp after many frames.

    Where the flow is zero they are the same to the last bit.

    Args:
        image: a frame.
        flow: from the new frame to the one of `image`.
        beyond: what lies beyond the border, "border" or "reflection".
    """
    moved = F.grid_sample(
        image, _grid(flow).to(image), mode="bicubic", padding_mode=beyond, align_corners=True
    )
    return torch.where((flow == 0).all(1, keepdim=True).to(image.device), image, moved)


def consistent(forward: Tensor, backward: Tensor) -> Tensor:
    """(H, W), 1 where the new frame shows what the old one showed and 0 elsewhere.

    That is where the flows agree, no motion boundary lies, and the flow stays in the picture
    (section 4.2).

    Args:
        forward: flow from the old frame to the new one.
        backward: flow from the new frame to the old one.
    """
    there = warped_linear(forward, backward)
    lengths = _squared(there) + _squared(backward)
    factor, least = _DISOCCLUDED
    disoccluded = _squared(there + backward) > factor * lengths + least
    factor, least = _BOUNDARY
    boundary = _steepness(backward) > factor * _squared(backward) + least
    return (~(disoccluded | boundary) & inside(backward)).float()[0, 0]


def inside(flow: Tensor) -> Tensor:
    """(1, 1, H, W), whether p + flow(p) lies in the picture."""
    return (_grid(flow).abs() <= 1).all(-1)[:, None]


def warped_linear(image: Tensor, flow: Tensor) -> Tensor:
    """As `warped`, bilinear: for what must not overshoot, as flows and masks."""
    return F.grid_sample(
        image, _grid(flow).to(image), mode="bilinear", padding_mode="border", align_corners=True
    )


def resized_flow(flow: Tensor, height: int, width: int) -> Tensor:
    """(1, 2, h, w) -> (1, 2, height, width), in pixels of the new size."""
    old_height, old_width = flow.shape[-2:]
    if (old_height, old_width) == (height, width):
        return flow
    finer = F.interpolate(flow, (height, width), mode="bilinear", antialias=True)
    return finer * finer.new_tensor([width / old_width, height / old_height])[:, None, None]


def long_term(masks: list[Tensor]) -> list[Tensor]:
    """Of consistency masks with earlier frames, nearest first: each counts where none before does.

    Section 4.3 of the paper.
    """
    kept: list[Tensor] = []
    for mask in masks:
        nearer = sum(kept, torch.zeros_like(mask))
        kept.append((mask - nearer).clamp(min=0))
    return kept


def _grid(flow: Tensor) -> Tensor:
    """Where each pixel comes from, (1, H, W, 2), as `grid_sample` counts: -1 to 1."""
    height, width = flow.shape[-2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype)[None]
    x, y = columns + flow[:, 0], rows + flow[:, 1]
    return torch.stack([2 * x / max(1, width - 1) - 1, 2 * y / max(1, height - 1) - 1], dim=-1)


def _squared(flow: Tensor) -> Tensor:
    """(1, 1, H, W), the squared length."""
    return flow.square().sum(1, keepdim=True)


def _steepness(flow: Tensor) -> Tensor:
    """(1, 1, H, W), the squared lengths of the gradients of both components, added up."""
    around = F.pad(flow, (1, 1, 1, 1), mode="replicate")
    down = (around[..., 2:, 1:-1] - around[..., :-2, 1:-1]) / 2
    right = (around[..., 1:-1, 2:] - around[..., 1:-1, :-2]) / 2
    return (down.square() + right.square()).sum(1, keepdim=True)
