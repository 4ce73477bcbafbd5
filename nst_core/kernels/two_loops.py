"""The two-loop recursion as two triangular systems of inner products."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..gatys.lbfgs import LEAST_COSINE


@dataclass(frozen=True, eq=False)
class Pairs:
    """The inner products of h pairs, oldest first, and the recursion over them.

    Pairs that break the curvature condition over the free values stay in, as rows and columns of
    the unit matrix, and change nothing.

    Attributes:
        products: (h, h) s (rows) by y (columns).
        used: (h,) which pairs count.
        order: (h,) rows in memory of the pairs.
    """

    products: Tensor
    used: Tensor
    order: Tensor

    @classmethod
    def of(cls, products: Tensor, lengths: Tensor, order: Tensor) -> "Pairs":
        """Of products and lengths as they lie in memory."""
        products = products.index_select(0, order).index_select(1, order)
        used = products.diagonal() > LEAST_COSINE * lengths.index_select(0, order)
        one = torch.eye(len(order), dtype=products.dtype, device=products.device)
        return cls(torch.where(used & used[:, None], products, one), used, order)

    @property
    def any(self) -> Tensor:
        """Whether any has a part."""
        return self.used.any()

    @property
    def newest(self) -> Tensor:
        """(1,) row in memory of the newest that has."""
        return self.order.index_select(0, self._newest)

    @property
    def newest_product(self) -> Tensor:
        """Of its step and its change."""
        return self.products.diagonal().index_select(0, self._newest)[0]

    @property
    def _newest(self) -> Tensor:
        ages = torch.arange(len(self.used), device=self.used.device)
        return (ages * self.used).argmax(0, keepdim=True)

    def first_loop(self, against: Tensor) -> Tensor:
        """How much of each change to take away, by row in memory, newest first.

        `against` is steps by what they are taken from, likewise.
        """
        along = self._solved(self.products, self._by_age(against), upper=True)
        return self._by_row(along)

    def second_loop(self, along: Tensor, answers: Tensor) -> Tensor:
        """How much of each step to add, oldest first; `answers` is changes by the direction."""
        wanted = self.products.diagonal() * self._by_age(along) - self._by_age(answers)
        return self._by_row(self._solved(self.products.mT, wanted, upper=False))

    def _solved(self, matrix: Tensor, wanted: Tensor, *, upper: bool) -> Tensor:
        wanted = torch.where(self.used, wanted, 0.0)
        solved: Tensor = torch.linalg.solve_triangular(matrix, wanted[:, None], upper=upper)
        return solved[:, 0]

    def _by_age(self, by_row: Tensor) -> Tensor:
        return by_row.to(self.products).index_select(0, self.order)

    def _by_row(self, by_age: Tensor) -> Tensor:
        return torch.zeros_like(by_age).index_copy(0, self.order, by_age)
