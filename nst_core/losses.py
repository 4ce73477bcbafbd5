"""Every loss in two halves: a sum over pixels, and a small function of that sum.

The first half can be added up over tiles or machines; the second sees only the total, so the
result does not depend on how the picture was cut. Notation as in Gatys, Ecker and Bethge
(arXiv:1508.06576): N channels, M positions, F the features of the picture, P of the content,
A the Gram matrix of the style. Grams here are averages over positions, G = F Fᵀ / M, which lets
the style have another size than the picture; with equal sizes the formulas are the papers'.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


class _GramSum(torch.autograd.Function):
    """F Fᵀ with one product on the way back: autograd's own would make two, one per factor."""

    @staticmethod
    def forward(ctx, features: Tensor, guide: Tensor | None) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(features, guide)
        rows = _rows(features)  # (M, N)
        return rows.mT @ (rows if guide is None else rows * guide.reshape(-1, 1))  # (N, N)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        features, guide = ctx.saved_tensors
        rows = _rows(features) @ (gradient + gradient.mT)  # (M, N)
        if guide is not None:
            rows = rows * guide.reshape(-1, 1)
        _, channels, height, width = features.shape
        folded = rows.view(1, height, width, channels).movedim(-1, 1)  # (1, N, h, w)
        return folded.to(features.dtype), None


def _rows(features: Tensor) -> Tensor:
    """(1, N, h, w) -> (h·w, N), free of charge for channels-last features; at least float32."""
    rows = features.movedim(1, -1).reshape(-1, features.shape[1])
    return rows.to(torch.promote_types(rows.dtype, torch.float32))


def gram_sum(features: Tensor, guide: Tensor | None = None) -> Tensor:
    """Sum over positions of f fᵀ, blind to where they are: (1, N, h, w) -> (N, N).

    Args:
        features: of one layer.
        guide: (h, w) weight of each position; 1 everywhere is the same as None.
    """
    gram: Tensor = _GramSum.apply(features, guide)
    return gram


def squared_error_sum(features: Tensor, target: Tensor, guide: Tensor | None = None) -> Tensor:
    """Sum over positions and channels of (F - P)²; zero when equal. Both (1, N, h, w)."""
    dtype = torch.promote_types(features.dtype, torch.float32)
    error = (features.to(dtype) - target.to(dtype)).square()
    return (error if guide is None else error * guide).sum()


def total_variation(image: Tensor) -> Tensor:
    """Mean squared step between neighbors of a (1, 3, H, W) image in [0, 1]; 0 when flat."""
    down = (image[..., 1:, :] - image[..., :-1, :]).square().sum()
    right = (image[..., :, 1:] - image[..., :, :-1]).square().sum()
    return (down + right) / image.numel()


@dataclass(frozen=True)
class Normalization:
    """How a raw distance becomes a loss, and with it what a weight means.

    Attributes:
        gram: (squared Gram distance, N, squared size of the target Gram) -> loss.
        content: (squared feature distance, N·M, squared size of the target features) -> loss.
        layer_weight: the weight of each of n layers that were named without one.
    """

    gram: Callable[[Tensor, int, Tensor], Tensor]
    content: Callable[[Tensor, float, Tensor], Tensor]
    layer_weight: Callable[[int], float]


# A black style has the zero Gram; the floor keeps its relative distance finite.
_TINY = 1e-20

NORMALIZATIONS = {
    # ‖G - A‖² / ‖A‖² and ‖F - P‖² / ‖P‖²: free of units, so a weight means the same at every size
    # and layer and with every checkpoint.
    "relative": Normalization(
        gram=lambda distance, channels, target: distance / target.clamp(min=_TINY),
        content=lambda distance, values, target: distance / target.clamp(min=_TINY),
        layer_weight=lambda count: 1 / count,
    ),
    # Equations 1 and 4 of arXiv:1508.06576, and w_l = 1/5 below equation 5.
    "gatys": Normalization(
        gram=lambda distance, channels, target: distance / (4 * channels**2),
        content=lambda distance, values, target: distance / 2,
        layer_weight=lambda count: 1 / count,
    ),
    # jcjohnson/neural-style: mean squared error of G / N and of F; the layers are added up.
    "mean": Normalization(
        gram=lambda distance, channels, target: distance / channels**4,
        content=lambda distance, values, target: distance / values,
        layer_weight=lambda count: 1.0,
    ),
}


def style_loss(gram: Tensor, target: Tensor, normalization: Normalization) -> Tensor:
    """Distance between two (N, N) Grams averaged over positions; zero when equal."""
    distance = (gram - target).square().sum()
    return normalization.gram(distance, gram.shape[0], target.square().sum())


def content_loss(
    distance: Tensor, values: float, target: Tensor, normalization: Normalization
) -> Tensor:
    """Loss of a squared feature distance.

    Args:
        distance: sum over positions and channels of (F - P)².
        values: how many values were summed, N·M (with a guide, N times its sum).
        target: sum of P² over the same positions.
        normalization: what the distance is divided by.
    """
    return normalization.content(distance, values, target)
