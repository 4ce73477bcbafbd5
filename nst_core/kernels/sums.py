"""The sums over positions of `gatys.functions`, with less work and memory."""

import torch
from torch import Tensor

from ..gatys.functions import Sums
from .mapped_memory import empty_mapped

# Parts of a bfloat16 product: enough for four digits, few enough to cost nothing.
_PARTS = 16


class _GramSum(torch.autograd.Function):
    """F Fᵀ with one product in the backward pass: autograd would make two, one per factor."""

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
        rows = torch.mm(rows, gradient, out=empty_mapped(rows, *rows.shape))  # (M, N)
        if guide is not None:
            rows = rows * _column(guide, rows)
        _, channels, height, width = features.shape
        return rows.view(1, height, width, channels).movedim(-1, 1), None  # (1, N, h, w)


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
    """As `gatys.functions.gram_sum`."""
    gram: Tensor = _GramSum.apply(features, guide)
    return gram


class _ErrorSum(torch.autograd.Function):
    """Sum of (F - P)². Autograd would save the error, and make three more in the backward pass."""

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
    """As `gatys.functions.squared_error_sum`."""
    error: Tensor = _ErrorSum.apply(features, target, guide)
    return error


FAST_SUMS = Sums(gram_sum, squared_error_sum)
