"""The transforms of F(4x4, 3x3), for float32."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .mapped_memory import empty_mapped
from .winograd_transforms import Transforms, reshaped


class F4x4(Transforms):
    """F(4x4, 3x3): 36 multiplications for 144; the transforms are small matrix products.

    Float32 keeps an error of a few 1e-6 of the features' size, ten times that of the plain sum.
    """

    outputs, inputs = 4, 6
    bias_point = inputs + 1
    # With infinity, these are closed under x -> 1 / x, which is what rotating a filter does.
    _POINTS = (0.0, 1.0, -1.0, 2.0, 0.5)
    _ROTATED = (5, 1, 2, 4, 3, 0)  # the place of each point's inverse; infinity is the last
    _FEWEST, _CHANNELS = 64, 64

    def __init__(self) -> None:
        self._transforms = [self._made(rotated) for rotated in (False, True)]

    def pays(self, in_channels: int, channels: int, height: int, width: int) -> bool:
        """As of `Transforms`."""
        enough = self.tiles_along(height) * self.tiles_along(width) >= self._FEWEST
        return in_channels >= self._CHANNELS and enough

    def tiles_per_strip(self, channels: int) -> int:
        """As of `Transforms`."""
        return 256

    def filter_transform(self, weight: Tensor) -> Tensor:
        """As of `Transforms`."""
        places = weight.permute(2, 3, 0, 1).flatten(2).flatten(0, 1)  # (9, channels · in)
        values = empty_mapped(weight, self.inputs**2, places.shape[1])
        ahead = self._polynomials(3)
        torch.mm(torch.kron(ahead, ahead).to(weight), places, out=values)
        return values.view(-1, *weight.shape[:2])

    def input_transform(self, read: Tensor, one: Tensor, other: Tensor, *, rotated: bool) -> Tensor:
        """As of `Transforms`."""
        count, wide = (side // self.outputs for side in read.shape[:2])
        tiles, channels = count * wide, read.shape[2]
        row, column = read.stride()[:2]
        size = count, wide, self.inputs, self.inputs, channels
        strides = self.outputs * row, self.outputs * column, row, column, 1
        around = reshaped(one, *size)
        around.copy_(read.as_strided(size, strides, read.storage_offset()))
        evaluate, _ = self._transforms[rotated]
        points = reshaped(other, tiles, self.inputs**2, channels)
        around = around.view(tiles, -1, channels)
        torch.bmm(evaluate.expand(tiles, -1, -1), around, out=points)
        return points.movedim(1, 0)

    def output_transform(
        self, products: Tensor, wide: int, one: Tensor, other: Tensor, *, rotated: bool
    ) -> Tensor:
        """As of `Transforms`."""
        _, tiles, made = products.shape
        _, gather = self._transforms[rotated]
        outputs = reshaped(other, tiles, self.outputs**2, made)
        torch.bmm(gather.expand(tiles, -1, -1), products.movedim(1, 0), out=outputs)
        return outputs.view(-1, wide, self.outputs, self.outputs, made).movedim(2, 1)

    def _polynomials(self, length: int) -> Tensor:
        """(6, length): what the coefficients of a polynomial come to at every point."""
        powers = torch.tensor(self._POINTS, dtype=torch.float64)[:, None] ** torch.arange(length)
        leading = F.one_hot(torch.tensor([length - 1]), length).double()  # at infinity
        return torch.cat([powers, leading])

    def _made(self, rotated: bool) -> tuple[Tensor, Tensor]:
        """(36, 36) of the input transform and (16, 36) of the output transform.

        Multiplying polynomials is evaluating both, multiplying the values and solving for the
        coefficients; filtering is the transpose of that.
        """
        evaluate = torch.linalg.inv(self._polynomials(self.inputs)).mT
        gather = self._polynomials(self.outputs).mT
        if rotated:
            order = list(self._ROTATED)
            ahead, reverse = self._polynomials(3), self._polynomials(3).flip(1)
            scale = reverse.abs().sum(1) / ahead[order].abs().sum(1)
            evaluate, gather = (scale[:, None] * evaluate)[order], gather[:, order]
        return torch.kron(evaluate, evaluate).float(), torch.kron(gather, gather).float()
