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


def gram_sum(features: Tensor, guide: Tensor | None = None) -> Tensor:
    """F Fᵀ, the sum over positions of f fᵀ, blind to where they are: (1, N, h, w) -> (N, N).

    `guide` is the weight of each position, (h, w); all of them 1 is the same as None.

    >>> gram_sum(torch.tensor([[[[1.0, 2.0]], [[0.0, 3.0]]]]))
    tensor([[5., 6.],
            [6., 9.]])
    """
    rows = feature_rows(features)
    weighted = rows if guide is None else rows * guide.reshape(-1, 1).to(rows)
    return rows.mT @ weighted


def squared_error_sum(features: Tensor, target: Tensor, guide: Tensor | None = None) -> Tensor:
    """Sum over positions and channels of (F - P)²; zero when equal. Both (1, N, h, w)."""
    dtype = torch.promote_types(features.dtype, torch.float32)
    error = (features.to(dtype) - target.to(dtype)).square()
    return (error if guide is None else error * guide).sum()


def feature_rows(features: Tensor) -> Tensor:
    """(1, N, h, w) -> (h·w, N), at least float32."""
    rows = features.movedim(1, -1).reshape(-1, features.shape[1])
    return rows.to(torch.promote_types(rows.dtype, torch.float32))


@dataclass(frozen=True)
class Sums:
    """The two sums over positions; `kernels.sums` has the same with a backward by hand."""

    gram: Callable[[Tensor, Tensor | None], Tensor] = gram_sum
    squared_error: Callable[[Tensor, Tensor, Tensor | None], Tensor] = squared_error_sum


@dataclass(frozen=True)
class Normalization:
    """How a raw distance becomes a loss, and with it what a weight means.

    Attributes:
        gram: (squared Gram distance, N, squared size of the target Gram) -> loss.
        content: (sum of (F - P)², how many values that is, sum of P²) -> loss.
        averaged: whether n layers without a weight of their own have 1/n each, or 1.
    """

    gram: Callable[[Tensor, int, Tensor], Tensor]
    content: Callable[[Tensor, float, Tensor], Tensor]
    averaged: bool


# A black style has the zero Gram; the floor keeps its relative distance finite.
_TINY = 1e-20

NORMALIZATIONS = {
    # ‖G - A‖² / ‖A‖² and ‖F - P‖² / ‖P‖²: free of units, so a weight means the same at every size
    # and layer and with every network.
    "relative": Normalization(
        gram=lambda distance, channels, target: distance / target.clamp(min=_TINY),
        content=lambda distance, values, target: distance / target.clamp(min=_TINY),
        averaged=True,
    ),
    # Equations 1 and 4 of arXiv:1508.06576, and w_l = 1/5 below equation 5.
    "gatys": Normalization(
        gram=lambda distance, channels, target: distance / (4 * channels**2),
        content=lambda distance, values, target: distance / 2,
        averaged=True,
    ),
    # jcjohnson/neural-style: mean squared error of G / N and of F; the layers are added up.
    "mean": Normalization(
        gram=lambda distance, channels, target: distance / channels**4,
        content=lambda distance, values, target: distance / values,
        averaged=False,
    ),
}


def style_loss(gram: Tensor, target: Tensor, normalization: Normalization) -> Tensor:
    """Distance between two (N, N) Grams averaged over positions; zero when equal."""
    distance = (gram - target).square().sum()
    return normalization.gram(distance, gram.shape[0], target.square().sum())
