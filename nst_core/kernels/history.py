"""The two-loop recursion with pairs as rows of two matrices, for processors and CUDA graphs.

Its loops need only inner products between steps s, gradient changes y and the gradient, and are two
triangular systems of these few numbers; the pairs are read six times a step, all together (as in
Chen et al., "Large-scale L-BFGS using MapReduce", 2014). Nothing but `update` waits for a number,
and everything has the same shape at every step, however many pairs there are: on a card it is
captured as CUDA graphs.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..gatys.lbfgs import LEAST_COSINE, History, InitialHessian
from .cuda_graph import Tensors, executor
from .two_loops import Pairs

# Values whose products are masked at a time.
_PART = 1 << 20


class FastHistory(History):
    """As `gatys.lbfgs.History`.

    Args:
        size: pairs to remember.
        image: like those that will be moved, (1, 3, H, W).
        h0: the inverse Hessian before any pair, up to a factor.
        dtype: of inner products, whose small systems are solved.
        graphs: whether its work becomes CUDA graphs, on a device where that can be done.
    """

    def __init__(
        self,
        size: int,
        image: Tensor,
        h0: InitialHessian,
        *,
        dtype: torch.dtype = torch.float64,
        graphs: bool = False,
    ) -> None:
        super().__init__(size, h0)
        self._count = 0
        # How often pairs were added or forgotten; counted before it is done, for it may break off
        # halfway.
        self.changes = 0
        self._for_update, self._for_direction = (
            executor(image.device, graphs=graphs) for _ in range(2)
        )
        self._steps, self._changes = (image.new_zeros(size, image.numel()) for _ in range(2))
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

    def tensors(self) -> dict[str, Tensor]:
        """All that is remembered, as it lies in memory; it changes with the next `update`."""
        names = ("steps", "changes", "order", "products", "lengths", "kept")
        return {name: getattr(self, f"_{name}") for name in names}

    def restore(self, tensors: Mapping[str, Tensor], count: int) -> None:
        """Remember what `tensors` were, and how many pairs.

        Raises:
            ValueError: they are of other pictures, or of another number of pairs.
        """
        own = self.tensors()
        for name, kept in own.items():
            given = tensors[name]
            if (given.shape, given.dtype) != (kept.shape, kept.dtype):
                raise ValueError(f"{name} is {tuple(given.shape)}, not {tuple(kept.shape)}")
        if not 0 <= count <= len(self._order) or sorted(tensors["order"].tolist()) != list(
            range(len(self._order))
        ):
            raise ValueError(f"{count} pairs are not in an order")
        for name, kept in own.items():
            kept.copy_(tensors[name])
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
        self._steps.index_copy_(0, row, flat_s[None])
        self._changes.index_copy_(0, row, flat_y[None])
        by_changes, by_steps = self._changes @ flat_s, self._steps @ flat_y
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
        flat = -_where(gradient, over).flatten()
        along = pairs.first_loop(self._steps @ flat)
        flat = torch.addmv(flat, self._changes.mT, along.to(flat), alpha=-1)
        direction = _where(flat.view_as(gradient), over)
        direction = _where(h0(direction), over)
        # The factor that makes H0 fit the newest pair, equation 7.20 for a matrix, and some more.
        newest = self._changes.index_select(0, pairs.newest).view_as(gradient)
        form, scaling = h0.quadratic_form(_where(newest, over)), self.scaling
        size = direction.abs().mean()
        first = torch.where(size > 0, scaling.first / size, 0.0).to(form)
        factor = torch.where(pairs.any, scaling.newest * pairs.newest_product / form, first)
        flat = direction.flatten() * factor.to(direction)
        correction = pairs.second_loop(along, self._changes @ flat)
        flat = torch.addmv(flat, self._steps.mT, correction.to(flat))
        return (_where(flat.view_as(gradient), over),)

    def _products_over(self, free: Tensor | None) -> Tensor:
        """Inner products of s (rows) and y (columns) over the free values."""
        if free is None:
            return self._products
        stuck = (~free).flatten()
        if stuck.device.type == "cpu":
            # Few values rest on a bound: taking them out is less than multiplying by a mask.
            places = stuck.nonzero()[:, 0]
            steps, changes = (p.index_select(1, places) for p in (self._steps, self._changes))
            return self._products - (steps @ changes.mT).to(self._products)
        products = self._products
        for start in range(0, len(stuck), _PART):
            part = slice(start, start + _PART)
            steps = self._steps[:, part] * stuck[part]
            products = products - (steps @ self._changes[:, part].mT).to(products)
        return products


def _where(image: Tensor, over: Tensor | None) -> Tensor:
    """The image, and 0 where it is not free: `over` is 1 or 0."""
    return image if over is None else image * over
