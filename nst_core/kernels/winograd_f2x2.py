"""The transforms of F(2x2, 3x3), for bfloat16."""

import torch
from torch import Tensor

from .winograd_transforms import Transforms, reshaped


class F2x2(Transforms):
    """F(2x2, 3x3): 16 multiplications for 36; the transforms are sums of three at most.

    The points are 0, 1, -1 and infinity, so that nothing grows much: bfloat16 keeps nearly the
    accuracy of its plain sum, which larger tiles would not.
    """

    outputs, inputs = 2, 4
    bias_point = inputs + 1
    _FILTERS = ((1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.0, 0.0, 1.0))
    _ORDERS = ((0, 1, 2, 3), (3, 1, 2, 0))  # rotating a filter swaps 0 and infinity
    # The sums cost as much for few channels as they save.
    _FEWEST, _CHANNELS = 64, 256 * 256

    def pays(self, in_channels: int, channels: int, height: int, width: int) -> bool:
        """As of `Transforms`."""
        enough = self.tiles_along(height) * self.tiles_along(width) >= self._FEWEST
        return in_channels * channels >= self._CHANNELS and enough

    def tiles_per_strip(self, channels: int) -> int:
        """As of `Transforms`."""
        return 393216 // channels

    def filter_transform(self, weight: Tensor) -> Tensor:
        """As of `Transforms`."""
        at = torch.tensor(self._FILTERS, device=weight.device)
        values = torch.einsum("jc,ir,onrc->jion", at, at, weight.float())
        return values.flatten(0, 1).to(weight.dtype)

    def input_transform(self, read: Tensor, one: Tensor, other: Tensor, *, rotated: bool) -> Tensor:
        """As of `Transforms`."""
        rows, columns, channels = read.shape
        count, wide = self.tiles_along(rows - 2), self.tiles_along(columns - 2)
        by_row = reshaped(one, 4, count, columns, channels)
        order = self._ORDERS[rotated]
        _at_points([read[i : i + 2 * count : 2] for i in range(4)], by_row, order)
        points = reshaped(other, 4, 4, count, wide, channels)
        _at_points([by_row[:, :, i : i + 2 * wide : 2] for i in range(4)], points, order)
        return points.view(16, count * wide, channels)

    def output_transform(
        self, products: Tensor, wide: int, one: Tensor, other: Tensor, *, rotated: bool
    ) -> Tensor:
        """As of `Transforms`."""
        made = products.shape[2]
        at = products.view(4, 4, -1, wide, made)
        count, order = at.shape[2], self._ORDERS[rotated]
        by_column = reshaped(other, 2, 4, count, wide, made)
        _outputs([at[i] for i in order], (by_column[0], by_column[1]))
        outputs = reshaped(one, count, 2, wide, 2, made)
        for column in range(2):
            into = outputs[:, 0, :, column], outputs[:, 1, :, column]
            _outputs([by_column[column, i] for i in order], into)
        return outputs


def _at_points(places: list[Tensor], into: Tensor, order: tuple[int, ...]) -> None:
    """Four neighboring places at the points 0, 1, -1 and infinity."""
    zero, one, minus, infinity = (into[i] for i in order)
    torch.sub(places[0], places[2], out=zero)
    torch.add(places[1], places[2], out=one)
    torch.sub(places[2], places[1], out=minus)
    torch.sub(places[1], places[3], out=infinity)


def _outputs(points: list[Tensor], into: tuple[Tensor, Tensor]) -> None:
    """Two places from the products at the points."""
    zero, one, minus, infinity = points
    torch.add(one, minus, out=into[0]).add_(zero)
    torch.sub(one, minus, out=into[1]).sub_(infinity)
