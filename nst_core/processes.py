"""The processes that share one picture, as all that computes sees them.

Each does its share of the pixels, and sums over pixels are added up over the processes too. All
else is done by each of them alike. `run.group` has them over PyTorch's distributed engine.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


class StoppedTogether(KeyboardInterrupt):
    """Raised in all processes after the same evaluation: a checkpoint can still be written."""


@dataclass(eq=False)
class Processes:
    """One of `size` processes. This is a process alone, for which there is nothing to exchange.

    Every method is called by all processes in the same order, with tensors of the same shapes.

    Attributes:
        rank: which one this is, from 0. The first writes, prints and decides.
        size: how many there are. Without a group of them, more than one is only for plans.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and prints."""
        return self.rank == 0

    def share_of(self, length: int) -> slice:
        """This one's part of so many values; all parts but the last are equally long."""
        each = -(-length // self.size)
        return slice(min(length, self.rank * each), min(length, (self.rank + 1) * each))

    def add_up(self, tensor: Tensor) -> Tensor:
        """A contiguous tensor, added up in place: the same bits everywhere."""
        return tensor

    def sums_of(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Several small tensors, added up at once; they stay what they are."""
        return list(tensors)

    def whole(self, part: Tensor, length: int) -> Tensor:
        """(length,) values, of which each process has the part that `share_of` says."""
        return part

    def as_first_has(self, tensor: Tensor) -> Tensor:
        """What the first process has, in place."""
        return tensor

    def any(self, said: bool) -> bool:
        """Whether one of them says so."""
        return said

    def told(self, value: T) -> list[T]:
        """What each of them says, by rank; any small value."""
        return [value]

    def taken_from(self, items: Iterable[T]) -> Iterator[T]:
        """Those of the items that this one does: each is done by whoever is free first."""
        yield from items

    def memory_each(self, free: int | None, kind: str) -> int | None:
        """Bytes that each may plan with: a processor's memory is shared by those on one machine.

        Args:
            free: on this one's device; None is unknown.
            kind: of the device.
        """
        return free

    def device(self, name: str) -> str:
        """The device of this process among those of a kind: cuda is cuda:1 for the second."""
        return name


class Exchanging(Processes):
    """Several of them, that can `add_up` and are `told` what the others say."""

    def sums_of(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """See `Processes`: one exchange for all of them."""
        flat = self.add_up(torch.cat([tensor.flatten() for tensor in tensors]))
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        pairs = zip(parts, tensors, strict=True)
        return [part.view_as(tensor).to(tensor.dtype) for part, tensor in pairs]

    def any(self, said: bool) -> bool:
        """See `Processes`."""
        return any(self.told(said))


ALONE = Processes()


def size_in(environment: Mapping[str, str]) -> int:
    """How many processes were started together; 1 unless torchrun or its like did."""
    names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    return int(environment["WORLD_SIZE"]) if all(name in environment for name in names) else 1


class OwnRows(Protocol):
    """The part of a matrix that a process has, such as `kernels.rows.Rows`.

    Attributes:
        shape, dtype, device: as a tensor's.
    """

    shape: tuple[int, int]
    dtype: torch.dtype
    device: torch.device

    def row(self, index: Tensor) -> Tensor:
        """A row, of an index of shape (1,)."""


@dataclass(frozen=True, eq=False)
class SharedRows:
    """A matrix whose columns are shared out. To go through it is to gather it, row by row.

    Attributes:
        own: (rows, share) what this process has.
        columns: of all.
        processes: who has the others; all of them go through it together.
    """

    own: OwnRows
    columns: int
    processes: Processes

    @property
    def shape(self) -> torch.Size:
        """Of the whole matrix."""
        return torch.Size((self.own.shape[0], self.columns))

    @property
    def dtype(self) -> torch.dtype:
        """Of its values."""
        return self.own.dtype

    def blocks(self) -> Iterator[Tensor]:
        """All values in their order, a row at a time."""
        for index in range(self.own.shape[0]):
            row = self.own.row(torch.tensor([index], device=self.own.device))
            yield self.processes.whole(row, self.columns)


def take_part(tensors: Mapping[str, Any]) -> None:
    """Help another process to go through what is shared."""
    for tensor in tensors.values():
        if isinstance(tensor, SharedRows):
            for _ in tensor.blocks():
                pass
