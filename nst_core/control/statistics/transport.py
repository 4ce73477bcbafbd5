"""Distances of distributions: in one dimension, sorting both says which value goes where.

Heitz et al., "A Sliced Wasserstein Loss for Neural Texture Synthesis" (arXiv:2006.07229).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# Rows sorted at a time: the order of a row takes 8 bytes a value, more than the values do.
_ROWS = 16


def transport_distance(values: Tensor, guide: Tensor | None, table: Tensor) -> Tensor:
    """Sum over rows and positions of the squared distance to the target's value of the same rank.

    Args:
        values: (K, M), one row for each direction that is looked at, in any order.
        guide: (M,) how much each position counts; None is 1 for each.
        table: (K, Q) of the target, sorted: quantiles at (i + 1/2) / Q.

    Returns:
        A scalar; zero when the sorted values are the table. Its derivative holds the ranks fixed,
        which is exact wherever no two values of a row are equal.
    """
    distance: Tensor = _Transport.apply(values, guide, table)
    return distance


class _Transport(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, values: Tensor, guide: Tensor | None, table: Tensor
    ) -> Tensor:
        pull = torch.empty_like(values, memory_format=torch.contiguous_format)
        distance = values.new_zeros(())
        for start in range(0, len(values), _ROWS):
            rows = slice(start, start + _ROWS)
            in_order, order = values[rows].sort(dim=1)
            if guide is None:
                way = in_order - resampled(table[rows], values.shape[1])
                pulled = way
            else:
                weights = guide[order]
                way = in_order - _looked_up(table[rows], _ranks(weights))
                pulled = way * weights
            distance += (way * pulled).sum()
            pull[rows] = torch.empty_like(pulled).scatter_(1, order, pulled)
        ctx.save_for_backward(pull)
        return distance

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[no-untyped-def]
        (pull,) = ctx.saved_tensors
        return 2 * gradient * pull, None, None


def quantiles(values: Tensor, weights: Tensor | None) -> Tensor:
    """Sorted rows of (K, M): quantiles at (i + 1/2) / M, of positions that weigh (M,)."""
    in_order, order = values.sort(dim=1)
    if weights is None:
        return in_order
    count = values.shape[1]
    wanted = (torch.arange(count, dtype=values.dtype, device=values.device) + 0.5) / count
    upto = weights[order].cumsum(1)
    # In whose share of [0, 1] each lies: the same value, whichever of equal ones stands first.
    at = torch.searchsorted(upto / upto[:, -1:], wanted.expand(len(upto), -1).contiguous())
    return in_order.gather(1, at.clamp(max=count - 1))


def resampled(table: Tensor, count: int) -> Tensor:
    """(K, Q) quantiles at (i + 1/2) / Q -> (K, count), linearly in between."""
    if table.shape[1] == count:
        return table
    return F.interpolate(table[None], count, mode="linear", align_corners=False)[0]


def _ranks(weights: Tensor) -> Tensor:
    """(K, M) weights in order of the values -> the middle of each position's share of [0, 1]."""
    upto = weights.cumsum(1)
    return (upto - weights / 2) / upto[:, -1:]


def _looked_up(table: Tensor, ranks: Tensor) -> Tensor:
    """The table's values at ranks in [0, 1], (K, M)."""
    last = table.shape[1] - 1
    at = (ranks * table.shape[1] - 0.5).clamp(0, last)
    before = at.floor().long()
    after = (before + 1).clamp(max=last)
    return torch.lerp(table.gather(1, before), table.gather(1, after), at - before)
