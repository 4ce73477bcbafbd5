"""The two-loop recursion with pairs as rows of two matrices, for processors and CUDA graphs.

Its loops need only inner products between steps s, gradient changes y and the gradient, and are two
triangular systems of these few numbers; the pairs are read six times a step, all together (as in
Chen et al., "Large-scale L-BFGS using MapReduce", 2014). Nothing but `update` waits for a number,
and everything has the same shape at every step, however many pairs there are: on a card it is
captured as CUDA graphs.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from ..gatys.lbfgs import LEAST_COSINE, History, InitialHessian
from ..processes import ALONE, Processes, SharedRows
from .cuda_graph import Tensors, executor
from .rows import MakeRows, Rows
from .two_loops import Pairs

# Values whose products are masked at a time, and on a processor those that are looked at for it.
_PART, _LOOKED_AT = 1 << 20, 1 << 24
# What each of several processes has a part of.
_SHARED = ("steps", "changes")


class FastHistory(History):
    """As `gatys.lbfgs.History`.

    Args:
        size: pairs to remember.
        image: like those that will be moved, (1, 3, H, W).
        h0: the inverse Hessian before any pair, up to a factor.
        dtype: of inner products, whose small systems are solved.
        graphs: whether its work becomes CUDA graphs, on a device where that can be done.
        processes: those that share the pairs: each has the same part of every one.
        rows: makes the two matrices. Those that do not lie on the device cannot be in graphs.
    """

    def __init__(
        self,
        size: int,
        image: Tensor,
        h0: InitialHessian,
        *,
        dtype: torch.dtype = torch.float64,
        graphs: bool = False,
        processes: Processes = ALONE,
        rows: MakeRows = Rows,
    ) -> None:
        super().__init__(size, h0)
        self._values, self._processes = image.numel(), processes
        self._own = processes.share_of(self._values)
        self._count = 0
        # How often pairs were added or forgotten; counted before it is done, for it may break off
        # halfway.
        self.changes = 0
        self._for_update, self._for_direction = (
            executor(image.device, graphs=graphs and rows is Rows) for _ in range(2)
        )
        own = image.view(-1)[self._own]
        self._steps, self._changes = (rows(size, own) for _ in range(2))
        self._order = torch.arange(size, device=image.device)  # rows, oldest first
        self._products = self._order.new_zeros(size, size, dtype=dtype)  # s (rows) by y
        self._lengths = self._products.new_zeros(size)  # |s| |y|; 0 is no pair
        self._kept = image.new_zeros(size, h0.values)

    def __len__(self) -> int:
        """How many pairs are remembered."""
        return self._count

    def forget(self) -> None:
        """All pairs."""
        self.changes += 1
        for kept in (self._steps, self._changes, self._products, self._lengths, self._kept):
            kept.zero_()
        self._count = 0

    def update(self, s: Tensor, y: Tensor) -> bool:
        """Remember a pair if it meets the curvature condition, and say whether it does."""
        flat_s, flat_y = s.flatten(), y.flatten()
        length = flat_s.norm() * flat_y.norm()
        product, least = torch.stack([flat_s @ flat_y, LEAST_COSINE * length]).tolist()
        if not product > least:
            return False
        self.changes += 1
        self._for_update(self._remember, s, y, length)
        self._count = min(self._count + 1, len(self._order))
        return True

    def tensors(self) -> dict[str, Tensor | Rows | SharedRows]:
        """All that is remembered, as it lies in memory; it changes with the next `update`."""
        names = ("order", "products", "lengths", "kept")
        rows = {"steps": self._stored(self._steps), "changes": self._stored(self._changes)}
        return rows | {name: getattr(self, f"_{name}") for name in names}

    def _stored(self, rows: Rows) -> Tensor | Rows | SharedRows:
        if self._processes.size == 1:
            return rows.stored
        return SharedRows(rows, self._values, self._processes)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self._order.device

    def restore(self, tensors: Mapping[str, Tensor], count: int) -> None:
        """Remember what `tensors` were, and how many pairs.

        Raises:
            ValueError: they are of other pictures, or of another number of pairs.
        """
        own = self.tensors()
        for name, kept in own.items():
            given = tensors[name]
            if (tuple(given.shape), given.dtype) != (tuple(kept.shape), kept.dtype):
                raise ValueError(f"{name} is {tuple(given.shape)}, not {tuple(kept.shape)}")
        if not 0 <= count <= len(self._order) or sorted(tensors["order"].tolist()) != list(
            range(len(self._order))
        ):
            raise ValueError(f"{count} pairs are not in an order")
        for name in own:
            given = tensors[name][:, self._own] if name in _SHARED else tensors[name]
            getattr(self, f"_{name}").copy_(given)
        self._count = count

    def direction(self, gradient: Tensor, free: Tensor | None) -> Tensor:
        """Minus the inverse Hessian times the gradient, over the values that are free to move.

        Args:
            gradient: (1, 3, H, W).
            free: which of its values may move, likewise; None is all.
        """
        given = (gradient,) if free is None else (gradient, free)
        return self._for_direction(self._direction, *given)[0]

    def _remember(self, s: Tensor, y: Tensor, length: Tensor) -> Tensors:
        flat_s, flat_y = s.flatten(), y.flatten()
        row = self._order[:1].clone()
        self._order.copy_(self._order.roll(-1))
        own_s, own_y = flat_s[self._own], flat_y[self._own]
        self._steps.write(row, own_s)
        self._changes.write(row, own_y)
        by_changes, by_steps = self._sums(self._changes.times(own_s), self._steps.times(own_y))
        self._products.index_copy_(0, row, by_changes.to(self._products)[None])
        self._products.index_copy_(1, row, by_steps.to(self._products)[:, None])
        self._lengths.index_copy_(0, row, length.to(self._lengths)[None])
        self._kept.index_copy_(0, row, self._h0.of_pair(s, y)[None])
        return ()

    def _direction(self, gradient: Tensor, free: Tensor | None = None) -> Tensors:
        pairs = Pairs.of(self._products_over(free), self._lengths, self._order)
        # Once, for bools are slow to multiply by.
        over = None if free is None else free.to(gradient)
        h0 = self._h0.matrix(self._kept)
        direction = _masked(-gradient, over)
        own = direction.view(-1)[self._own]
        along = pairs.first_loop(*self._sums(self._steps.times(own)))
        self._changes.add_to(own, along.to(direction), alpha=-1)
        direction = _masked(h0(_masked(self._whole(own, gradient), over)), over)
        # The factor that makes H0 fit the newest pair, equation 7.20 for a matrix, and some more.
        newest = self._whole(self._changes.row(pairs.newest), gradient)
        form, scaling = h0.quadratic_form(_masked(newest, over)), self.scaling
        del newest
        size = direction.abs().mean()
        first = torch.where(size > 0, scaling.first / size, 0.0).to(form)
        factor = torch.where(pairs.any, scaling.newest * pairs.newest_product / form, first)
        own = direction.mul_(factor.to(direction)).view(-1)[self._own]
        correction = pairs.second_loop(along, *self._sums(self._changes.times(own)))
        self._steps.add_to(own, correction.to(direction))
        return (_masked(self._whole(own, gradient), over),)

    def _sums(self, *products: Tensor) -> list[Tensor]:
        """Inner products over all values, from those over this process's."""
        return self._processes.sums_of(products)

    def _whole(self, own: Tensor, like: Tensor) -> Tensor:
        """An image, of which each process has a part."""
        return self._processes.whole(own, self._values).view_as(like)

    def _products_over(self, free: Tensor | None) -> Tensor:
        """Inner products of s (rows) and y (columns) over the free values."""
        products = self._products
        if free is None:
            return products
        free = free.view(-1)[self._own]
        taken: Iterator[Tensor] = (
            (s @ y.mT).to(products)
            for (columns, steps), (_, changes) in zip(
                self._steps.parts(), self._changes.parts(), strict=True
            )
            for s, y in _stuck(steps, changes, free[columns])
        )
        if self._processes.size > 1:  # each has parts of its own number
            taken = iter(self._sums(sum(taken, torch.zeros_like(products))))
        for part in taken:
            products = products - part
        return products


def _stuck(steps: Tensor, changes: Tensor, free: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Columns of both whose inner products are those over the values that are not free."""
    if free.device.type == "cpu":
        # Few values rest on a bound: taking them out is less than multiplying by a mask.
        for first in range(0, len(free), _LOOKED_AT):
            found = (~free[first : first + _LOOKED_AT]).nonzero()[:, 0] + first
            for places in torch.split(found, _PART):
                yield steps.index_select(1, places), changes.index_select(1, places)
        return
    for first in range(0, len(free), _PART):
        part = slice(first, first + _PART)
        yield steps[:, part] * ~free[part], changes[:, part]


def _masked(image: Tensor, over: Tensor | None) -> Tensor:
    """The image, in place, with 0 where it is not free: `over` is 1 or 0."""
    return image if over is None else image.mul_(over)
