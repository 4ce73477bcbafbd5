"""What L-BFGS remembers of the way behind it, and the direction that follows from it.

The direction is the two-loop recursion of Nocedal and Wright, "Numerical Optimization", algorithm
7.4. Its loops need only inner products between steps, gradient changes and the gradient, so they
run over a few numbers; the pictures are read six times a step, all together, as rows of two
matrices (as in Chen et al., "Large-scale L-BFGS using MapReduce", 2014).
"""

from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor

from .preconditioner import Preconditioner

# A pair teaches curvature if cos(step, change) exceeds this, a little more than the rounding of a
# float32 product; torch's `yᵀs > 1e-10` depends on the unit.
_TEACHES = 1e-6
# How far the first step moves the picture's values on average, before any curvature is known.
_FIRST_MOVE = 0.01


class Curvature:
    """The latest pairs of a step and what it changed in the gradient.

    Args:
        history: pairs to remember.
    """

    def __init__(self, history: int) -> None:
        self._history = history
        self._order: deque[int] = deque()  # rows, oldest first
        self._steps = self._changes = torch.empty(0, 0)
        self._products = torch.zeros(history, history, dtype=torch.float64)  # steps by changes
        self._lengths = [0.0] * history  # |step| |change|
        self._lessons: dict[int, Tensor] = {}

    def __len__(self) -> int:
        """How many pairs are remembered."""
        return len(self._order)

    def forget(self) -> None:
        """All pairs."""
        self._order.clear()

    def learn(self, step: Tensor, change: Tensor, precondition: Preconditioner) -> None:
        """Remember a pair in place of the oldest, if it teaches curvature.

        Args:
            step: of the image, (1, 3, H, W).
            change: of the gradient, likewise.
            precondition: told of the pair as well.
        """
        moved, changed = step.flatten(), change.flatten()
        length = float(moved.norm() * changed.norm())
        if not float(moved @ changed) > _TEACHES * length:
            return
        if not self._steps.numel():
            self._steps = moved.new_empty(self._history, len(moved))
            self._changes = torch.empty_like(self._steps)
        full = len(self._order) == self._history
        row = self._order.popleft() if full else len(self._order)
        self._order.append(row)
        self._steps[row], self._changes[row] = moved, changed
        count = len(self._order)
        self._products[row, :count] = (self._changes[:count] @ moved).cpu().double()
        self._products[:count, row] = (self._steps[:count] @ changed).cpu().double()
        self._lengths[row] = length
        self._lessons[row] = precondition.lesson(step, change)

    def direction(
        self, gradient: Tensor, free: Tensor | None, precondition: Preconditioner
    ) -> Tensor:
        """Minus the inverse Hessian times the gradient, over the values that are free to move.

        Args:
            gradient: (1, 3, H, W).
            free: which of its values may move, likewise; None is all.
            precondition: the inverse Hessian before any pair, up to a factor.
        """
        lessons = [self._lessons[row] for row in self._order]
        downhill = -_where(gradient, free)
        products = self._products_over(free)
        used = [row for row in self._order if products[row][row] > _TEACHES * self._lengths[row]]
        if not used:
            direction = _where(precondition(downhill, lessons), free)
            size = float(direction.abs().mean())
            return direction * (_FIRST_MOVE / size if size > 0 else 0.0)
        count, flat = len(self._order), downhill.flatten()
        steps, changes = self._steps[:count], self._changes[:count]
        along = _first_loop(used, products, (steps @ flat).tolist())
        flat = torch.addmv(flat, changes.mT, _row(along, flat), alpha=-1)
        direction = _where(flat.view_as(gradient), free)
        direction = _where(precondition(direction, lessons), free)
        # The factor that makes it fit the newest pair, equation 7.20 for a matrix.
        newest = used[-1]
        change = _where(self._changes[newest].view_as(gradient), free)
        factor = products[newest][newest] / precondition.energy(change, lessons)
        flat = direction.flatten().mul_(factor)
        correction = _second_loop(used, products, along, (changes @ flat).tolist())
        flat = torch.addmv(flat, steps.mT, _row(correction, flat))
        return _where(flat.view_as(gradient), free)

    def _products_over(self, free: Tensor | None) -> Sequence[Sequence[float]]:
        """Inner products of steps (rows) and changes (columns) over the free values."""
        count = len(self._order)
        products = self._products[:count, :count]
        if free is not None and count:
            # Few values rest on a bound: taking them out is less than multiplying by a mask.
            stuck = (~free).flatten().nonzero()[:, 0]
            steps, changes = (
                pairs[:count].index_select(1, stuck) for pairs in (self._steps, self._changes)
            )
            products = products - (steps @ changes.mT).cpu().double()
        rows: list[list[float]] = products.tolist()
        return rows


def _first_loop(
    used: Sequence[int], products: Sequence[Sequence[float]], against: Sequence[float]
) -> list[float]:
    """How much of each change to take away, newest first; `against` is steps by the direction."""
    along = [0.0] * len(products)
    for row in reversed(used):
        rest = against[row] - sum(a * p for a, p in zip(along, products[row], strict=True))
        along[row] = rest / products[row][row]
    return along


def _second_loop(
    used: Sequence[int],
    products: Sequence[Sequence[float]],
    along: Sequence[float],
    answers: Sequence[float],
) -> list[float]:
    """How much of each step to add, oldest first; `answers` is changes by the direction."""
    added = [0.0] * len(products)
    for row in used:
        answer = answers[row] + sum(a * products[other][row] for other, a in enumerate(added))
        added[row] = along[row] - answer / products[row][row]
    return added


def _row(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)


def _where(image: Tensor, free: Tensor | None) -> Tensor:
    """The image, and 0 where it is not free."""
    return image if free is None else image * free
