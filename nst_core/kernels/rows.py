"""The matrix of L-BFGS's pairs, a row each: in memory, on disk, or in the host's memory.

All work on it goes over parts of its columns. In memory there is one part, all of it; elsewhere a
part is fetched, used and let go, so that a few megabytes are there at a time.
"""

import mmap
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .disk import File

# Values of a part, of each row: with ten rows, 42 MB in float32.
_PART = 1 << 20


class Rows:
    """A (size, values) matrix, zeros at first, in the memory of a device.

    Args:
        size: rows.
        image: as large as a row, and of its dtype, on the device to compute on.
    """

    def __init__(self, size: int, image: Tensor) -> None:
        self.shape, self.dtype, self.device = (size, image.numel()), image.dtype, image.device
        self._make(image)

    def _make(self, image: Tensor) -> None:
        self._values = image.new_zeros(self.shape)

    def _columns(self) -> Iterator[slice]:
        """Of the parts, where there are several."""
        for first in range(0, self.shape[1], _PART):
            yield slice(first, min(self.shape[1], first + _PART))

    def parts(self) -> Iterator[tuple[slice, Tensor]]:
        """Columns, and the (size, columns) part that they are, on the device, to be read."""
        return self._kept()

    def _kept(self) -> Iterator[tuple[slice, Tensor]]:
        """The same where they lie, to be written too."""
        yield slice(0, self.shape[1]), self._values

    @property
    def stored(self) -> "Tensor | Rows":
        """What a checkpoint writes: a tensor as it lies in memory, or these."""
        return self._values

    def blocks(self) -> Iterator[Tensor]:
        """All values in the order of rows, a block at a time."""
        for row in range(self.shape[0]):
            for _, part in self._kept():
                yield part[row]

    def times(self, values: Tensor) -> Tensor:
        """The matrix times (values,): (size,)."""
        products = [part @ values[columns] for columns, part in self.parts()]
        return products[0] if len(products) == 1 else torch.stack(products).sum(0)

    def add_to(self, values: Tensor, factors: Tensor, alpha: float = 1.0) -> None:
        """Add the rows times (size,) factors times alpha to (values,), in place."""
        for columns, part in self.parts():
            values[columns].addmv_(part.mT, factors, alpha=alpha)

    def row(self, index: Tensor) -> Tensor:
        """(values,), of an index of shape (1,)."""
        values = torch.empty(1, self.shape[1], dtype=self.dtype, device=self.device)
        for columns, part in self._kept():
            torch.index_select(part, 0, index, out=values[:, columns])
        return values[0]

    def write(self, index: Tensor, values: Tensor) -> None:
        """Put (values,) in the place of a row."""
        for columns, part in self._kept():
            part.index_copy_(0, index, values[columns][None])

    def copy_(self, values: Tensor) -> None:
        """Take the values of a tensor of the same shape."""
        for columns, part in self._kept():
            part.copy_(values[:, columns])

    def zero_(self) -> None:
        """Zeros everywhere."""
        for _, part in self._kept():
            part.zero_()


class RowsOnDisk(Rows):
    """The same in a temporary file, mapped a part at a time; part after part lies in the file."""

    def _make(self, image: Tensor) -> None:
        # Parts begin where a file can be mapped.
        whole = -(-image.itemsize * self.shape[0] * _PART // mmap.ALLOCATIONGRANULARITY)
        self._step = whole * mmap.ALLOCATIONGRANULARITY
        self._file = File(-(-self.shape[1] // _PART) * self._step)

    def _kept(self) -> Iterator[tuple[slice, Tensor]]:
        for number, columns in enumerate(self._columns()):
            count = self.shape[0] * (columns.stop - columns.start)
            part = self._file.tensor(number * self._step, count, self.dtype)
            yield columns, part.view(self.shape[0], -1)

    @property
    def stored(self) -> "Tensor | Rows":
        """As of `Rows`."""
        return self


class RowsOnHost(Rows):
    """The same in the host's memory, for images on a card; part after part, to be copied fast."""

    def _make(self, image: Tensor) -> None:
        count = self.shape[0] * self.shape[1]
        pinned = image.device.type == "cuda"
        self._values = torch.zeros(count, dtype=image.dtype, pin_memory=pinned)

    def _kept(self) -> Iterator[tuple[slice, Tensor]]:
        size = self.shape[0]
        for columns in self._columns():
            part = self._values[size * columns.start : size * columns.stop]
            yield columns, part.view(size, -1)

    @property
    def stored(self) -> "Tensor | Rows":
        """As of `Rows`."""
        return self

    def parts(self) -> Iterator[tuple[slice, Tensor]]:
        """As of `Rows`."""
        for columns, part in self._kept():
            yield columns, part.to(self.device, non_blocking=True)

    def row(self, index: Tensor) -> Tensor:
        """As of `Rows`."""
        values = torch.empty(self.shape[1], dtype=self.dtype, device=self.device)
        number = int(index)
        for columns, part in self._kept():
            values[columns].copy_(part[number], non_blocking=True)
        return values

    def write(self, index: Tensor, values: Tensor) -> None:
        """As of `Rows`."""
        number = int(index)
        for columns, part in self._kept():
            part[number].copy_(values[columns])


MakeRows = Callable[[int, Tensor], Rows]
