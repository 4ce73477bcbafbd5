"""Transparency kept apart from the colors, which go on beneath it.

A network looks at more than a pixel: what lies beneath a transparent one shows in the features of
those around it, and, painted, as a halo along the edge. White would be seen there, and so would the
arbitrary color that the file has. The subject's own colors, carried outward, are not.
"""

from pathlib import Path
from typing import BinaryIO

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ImageError
from .read_image import Needed, load_pixels

# Below this alpha, the 8 bits of a color that was once multiplied by it are less than five.
_SURE = 0.1


def load_with_alpha(
    source: str | Path | BinaryIO, *, max_pixels: int, needed: Needed | None = None
) -> tuple[Tensor, Tensor | None]:
    """Read a picture as `load_image` does, but with its transparency apart.

    Args:
        source, max_pixels, needed: as `load_image` takes them.

    Returns:
        (1, 3, H, W) float32 RGB in [0, 1], with the opaque colors carried on beneath what is
        transparent; and (H, W) alpha in [0, 1], None if all is opaque.

    Raises:
        ImageError: as `load_image`, or all is transparent.
    """
    colors, alpha = load_pixels(source, max_pixels=max_pixels, needed=needed)
    name = f"'{source}'" if isinstance(source, str | Path) else "The picture"
    return kept_apart(colors, alpha, name)


def kept_apart(colors: Tensor, alpha: Tensor | None, name: str) -> tuple[Tensor, Tensor | None]:
    """What `load_with_alpha` returns, of a picture in memory.

    Args:
        colors: (1, 3, H, W), not multiplied by alpha.
        alpha: (1, 1, H, W) in [0, 1], or None.
        name: of the picture in a message.
    """
    if alpha is None or float(alpha.min()) == 1:
        return colors, None
    if float(alpha.max()) == 0:
        raise ImageError(
            f"{name} is transparent everywhere, so there is nothing to see in it. Save it anew "
            "with what it shows opaque."
        )
    sure = (alpha / _SURE).clamp(max=1)
    return torch.lerp(_carried(colors * alpha, alpha), colors, sure), alpha[0, 0]


def _carried(weighted: Tensor, weight: Tensor) -> Tensor:
    """Colors where they have a weight, and what coarser and coarser means know of them elsewhere.

    The "pull-push" of Gortler et al., "The Lumigraph" (SIGGRAPH 1996), section 3.4.

    Args:
        weighted: (1, 3, H, W), colors times their weight.
        weight: (1, 1, H, W), above 0 somewhere.
    """
    there = weight > 0
    colors = weighted / weight.where(there, torch.ones_like(weight))
    if bool(there.all()):
        return colors
    coarser = (F.avg_pool2d(one, 2, ceil_mode=True) for one in (weighted, weight))
    beneath = F.interpolate(_carried(*coarser), weight.shape[-2:], mode="bilinear")
    return torch.where(there, colors, beneath)
