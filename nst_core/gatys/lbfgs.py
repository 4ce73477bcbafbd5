"""The direction of L-BFGS: the two-loop recursion over the latest pairs.

Symbols and numbers are those of Nocedal and Wright, "Numerical Optimization", second edition: steps
s, changes of the gradient y, rho = 1 / (s · y), initial inverse Hessian H0.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

# Curvature condition: cos(s, y) exceeds this, a little more than the rounding of a float32 product.
# torch's `yᵀs > 1e-10` depends on the unit.
LEAST_COSINE = 1e-6


@dataclass(frozen=True)
class StepScaling:
    """How long steps are.

    Attributes:
        first: how far the first step moves the image's values on average.
        newest: H0 is scaled to fit the newest pair (Nocedal and Wright, equation 7.20), times this.
            The fit is to the gradient's change, which the steepest directions dominate.
        growth: a step that finds negative curvature was too short, and the next line search begins
            so many times as far away. 1 is never farther than L-BFGS says.
    """

    first: float
    newest: float
    growth: float


class Matrix:
    """An inverse Hessian up to a factor, symmetric and positive. This one is the identity."""

    def __call__(self, image: Tensor) -> Tensor:
        """The matrix times an image."""
        return image

    def quadratic_form(self, image: Tensor) -> Tensor:
        """The inner product of an image with the matrix times the image, a scalar."""
        return image.square().sum()


class InitialHessian:
    """What makes H0. The textbook's assumes nothing; others may use what is kept of the pairs.

    Attributes:
        scaling: how far to go with it.
        values: how many numbers are kept of a pair.
    """

    scaling = StepScaling(first=0.01, newest=1.5, growth=1.0)
    values = 0

    def of_pair(self, s: Tensor, y: Tensor) -> Tensor:
        """(values,), of a step s and the gradient's change y."""
        return s.new_zeros(0)

    def matrix(self, pairs: Tensor) -> Matrix:
        """H0, given (count, values) of the pairs; zeros for one that is not there."""
        return Matrix()


class History:
    """At most `size` pairs, and the two-loop recursion (algorithm 7.4).

    `kernels.history` has the same with the pairs as two matrices, for processors and CUDA graphs.
    """

    def __init__(self, size: int, h0: InitialHessian) -> None:
        self._size, self._h0, self.scaling = size, h0, h0.scaling
        self._pairs: list[tuple[Tensor, Tensor]] = []

    def __len__(self) -> int:
        """How many pairs are remembered."""
        return len(self._pairs)

    def forget(self) -> None:
        """All pairs."""
        self._pairs = []

    def update(self, s: Tensor, y: Tensor) -> bool:
        """Remember a pair if it meets the curvature condition, and say whether it does."""
        fits = dot(s, y) > _least(s, y)
        if fits:
            self._pairs = [*self._pairs, (s, y)][-self._size :]
        return fits

    def direction(self, gradient: Tensor, free: Tensor | None) -> Tensor:
        """Minus the inverse Hessian times the gradient, over the values that are free to move.

        `free` says which, in the shape of the gradient, (1, 3, H, W); None is all.
        """
        over = torch.ones_like(gradient) if free is None else free.to(gradient)
        pairs = [(s * over, y * over) for s, y in self._pairs if dot(s * over, y) > _least(s, y)]
        q, alphas = gradient * over, []
        for s, y in reversed(pairs):
            alphas.append(dot(s, q) / dot(s, y))
            q = q - alphas[-1] * y
        r = self._scaled_h0(q, over, pairs)
        for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
            beta = dot(y, r) / dot(s, y)
            r = r + (alpha - beta) * s
        return -r

    def _scaled_h0(self, q: Tensor, over: Tensor, pairs: list[tuple[Tensor, Tensor]]) -> Tensor:
        """H0 q, scaled to fit the newest pair (equation 7.20), or to the first step's size."""
        kept = [self._h0.of_pair(s, y) for s, y in self._pairs] or [q.new_zeros(self._h0.values)]
        h0 = self._h0.matrix(torch.stack(kept))
        r = h0(q) * over
        if pairs:
            s, y = pairs[-1]
            return r * (self.scaling.newest * dot(s, y) / float(h0.quadratic_form(y)))
        size = float(r.abs().mean())
        return r * (self.scaling.first / size) if size > 0 else r


def dot(a: Tensor, b: Tensor) -> float:
    """The inner product of two images."""
    return float(torch.dot(a.flatten(), b.flatten()))


def _least(s: Tensor, y: Tensor) -> float:
    """What s · y must exceed, relative to the lengths of the pair."""
    return LEAST_COSINE * float(s.norm() * y.norm())
