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
import torch.nn.functional as F
from torch import Tensor

from .memory import empty

# Parts of a bfloat16 product: enough for four digits, few enough to cost nothing.
_PARTS = 16


class _GramSum(torch.autograd.Function):
    """F Fᵀ with one product on the way back: autograd's own would make two, one per factor."""

    @staticmethod
    def forward(ctx, features: Tensor, guide: Tensor | None) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(features, guide)
        rows = _rows(features)  # (M, N)
        return _product_sum(rows, rows if guide is None else rows * _column(guide, rows))

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        features, guide = ctx.saved_tensors
        rows = _rows(features)
        gradient = (gradient + gradient.mT).to(rows.dtype)
        rows = torch.mm(rows, gradient, out=empty(rows, *rows.shape))  # (M, N)
        if guide is not None:
            rows = rows * _column(guide, rows)
        _, channels, height, width = features.shape
        return rows.view(1, height, width, channels).movedim(-1, 1), None  # (1, N, h, w)


def feature_rows(features: Tensor) -> Tensor:
    """(1, N, h, w) -> (h·w, N), free of charge if channels-last; at least float32."""
    rows = _rows(features)
    return rows.to(torch.promote_types(rows.dtype, torch.float32))


def _rows(features: Tensor) -> Tensor:
    """(1, N, h, w) -> (h·w, N), free of charge for channels-last features."""
    return features.movedim(1, -1).reshape(-1, features.shape[1])


def _column(guide: Tensor, rows: Tensor) -> Tensor:
    return guide.reshape(-1, 1).to(rows.dtype)


def _product_sum(a: Tensor, b: Tensor) -> Tensor:
    """AᵀB of two (M, N), (N, N) in float32 or wider.

    Bfloat16 factors are multiplied as they are and added up in float32 inside the product; only
    what leaves it is rounded to bfloat16. So it leaves in parts, whose roundings (1 in 500 of
    each) average out, and the parts are added up in float32.
    """
    if a.dtype != torch.bfloat16:
        return a.mT @ b
    if len(a) < _PARTS**2:  # too few for roundings to average out, and quick anyway
        return a.float().mT @ b.float()
    length = len(a) // _PARTS
    whole = len(a) // length * length
    parts = [x[:whole].view(-1, length, x.shape[1]) for x in (a, b)]
    total = torch.bmm(parts[0].mT, parts[1]).sum(0, dtype=torch.float32)
    if whole < len(a):
        total += a[whole:].float().mT @ b[whole:].float()
    return total


def gram_sum(features: Tensor, guide: Tensor | None = None) -> Tensor:
    """Sum over positions of f fᵀ, blind to where they are: (1, N, h, w) -> (N, N).

    Args:
        features: of one layer.
        guide: (h, w) weight of each position; 1 everywhere is the same as None.
    """
    gram: Tensor = _GramSum.apply(features, guide)
    return gram


class _ErrorSum(torch.autograd.Function):
    """Sum of (F - P)². Autograd's own would keep the error, and make three more on the way back."""

    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, features: Tensor, target: Tensor, guide: Tensor | None
    ) -> Tensor:
        ctx.save_for_backward(features, target, guide)
        error = _error(features, target).square_()
        return (error if guide is None else error.mul_(guide)).sum()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[no-untyped-def]
        features, target, guide = ctx.saved_tensors
        pull = 2 * gradient if guide is None else 2 * gradient * guide
        return _error(features, target).mul_(pull).to(features.dtype), None, None


def _error(features: Tensor, target: Tensor) -> Tensor:
    """F - P, at least float32."""
    dtype = torch.promote_types(features.dtype, torch.float32)
    return features.to(dtype) - target.to(dtype)


def squared_error_sum(features: Tensor, target: Tensor, guide: Tensor | None = None) -> Tensor:
    """Sum over positions and channels of (F - P)²; zero when equal. Both (1, N, h, w)."""
    error: Tensor = _ErrorSum.apply(features, target, guide)
    return error


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
