"""3x3 convolutions by Winograd's F(4x4, 3x3) and F(2x2, 3x3), on processors.

`winograd_transforms` has the arithmetic; here it goes over a picture, strip by strip.
"""

from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter

import torch
import torch.nn.functional as F
from torch import Tensor

from ..gatys.vgg import NO_CROP, Crop
from .convolution import Convolution, relu_backward
from .crops import negative
from .mapped_memory import empty_mapped
from .winograd_f2x2 import F2x2
from .winograd_f4x4 import F4x4
from .winograd_transforms import Transforms, Workspace, reshaped

# Pixels of a plain strip; PyTorch hands pictures of fewer than 6826 to a slower convolution.
_PIXELS = 8192


class WinogradF4x4(Convolution):
    """F(4x4, 3x3) in float32. Not for autograd: `backward` has the gradient.

    Args:
        in_channels, channels: as of `Convolution`.
        workspace: shared by convolutions that follow each other.
    """

    kept = 4 << 20  # larger ones are mapped by `empty_mapped`, and leave no holes
    transforms: Transforms = F4x4()

    def __init__(self, in_channels: int, channels: int, workspace: Workspace | None = None) -> None:
        super().__init__(in_channels, channels)
        self._workspace = workspace or Workspace()

    @classmethod
    def extra_bytes(cls, in_channels: int, channels: int, height: int, width: int) -> int:
        """The filters at the points, in float32."""
        used = cls.transforms.pays(in_channels, channels, height, width)
        return 4 * cls.transforms.inputs**2 * in_channels * channels if used else 0

    @classmethod
    def maker(cls) -> Callable[[int, int], Convolution]:
        """One workspace for all that it makes."""
        return partial(cls, workspace=Workspace())

    def forward(self, features: Tensor, crop: Crop = NO_CROP) -> Tensor:
        """(1, in_channels, h, w), channels-last -> (1, channels, h, w) after the ReLU, cropped."""
        height, width = _size(features, crop)
        if self._pays(height, width):
            rows = features[0].movedim(0, -1)
            out = empty_mapped(rows, height, width, self.out_channels)
            for values, part in self._filtered(rows, crop, rotated=False):
                torch.clamp(values, min=0, out=part(out))
            return out[None].movedim(-1, 1)
        return self._plain(features, crop)

    def _plain(self, features: Tensor, crop: Crop) -> Tensor:
        """From the picture a few rows at a time, which stay in the cache."""
        if self.in_channels > 3:
            return super().forward(features, crop)
        (height, width), (left, right, above, below) = features.shape[-2:], crop
        size = _size(features, crop)
        out = empty_mapped(features, *size, self.out_channels)[None].movedim(-1, 1)
        step = max(1, _PIXELS // width)
        for first in range(above, height - below, step):
            last = min(first + step, height - below)
            top, bottom = max(0, first - 1), min(height, last + 1)
            values = F.conv2d(features[:, :, top:bottom], self.weight, self.bias, padding=1)
            values = values[:, :, first - top : last - top, left : width - right]
            torch.clamp(values, min=0, out=out[:, :, first - above : last - above])
        return out

    def backward(
        self,
        gradient: Tensor,
        features: Tensor | None = None,
        extra: Tensor | None = None,
        crop: Crop = NO_CROP,
    ) -> Tensor:
        """As of `Convolution`, and the result lies where `extra` or `features` lay."""
        crop = negative(crop)
        height, width = _size(gradient, crop)
        if not self._pays(height, width):
            return super().backward(gradient, features, extra, negative(crop))
        rows, mask, plus = (
            None if image is None else image[0].movedim(0, -1)
            for image in (gradient, features, extra)
        )
        assert rows is not None
        into = mask if plus is None else plus
        if into is None:
            into = empty_mapped(rows, height, width, self.in_channels)
        for values, part in self._filtered(rows, crop, rotated=True):
            if plus is not None:
                values += part(plus)
            if mask is None:
                part(into).copy_(values)
            else:
                relu_backward(values, part(mask), part(into))
        return into[None].movedim(-1, 1)

    def _pays(self, height: int, width: int) -> bool:
        return self.transforms.pays(self.in_channels, self.out_channels, height, width)

    @property
    def _filters(self) -> Tensor:
        """(points, channels, in_channels), made once."""
        if not hasattr(self, "_made"):
            self._made = self.transforms.filter_transform(self.weight.detach())
        return self._made

    def _filtered(
        self, features: Tensor, crop: Crop, *, rotated: bool
    ) -> Iterator[tuple[Tensor, Callable[[Tensor], Tensor]]]:
        """(h, w, N) convolved with the filters, or the rotated ones: the outputs, strip by strip.

        Nothing that is cropped is computed; a negative crop is a rim of more outputs.

        With each strip comes a function that cuts the same strip out of any (h, w, M), in the
        strip's shape.
        """
        transforms, filters = self.transforms, self._filters if rotated else self._filters.mT
        (height, width), channels = _size(features.movedim(-1, 0), crop), features.shape[2]
        (left, _, above, _), made = crop, filters.shape[2]
        m, tall = transforms.outputs, transforms.tiles_along(height)
        wide = transforms.tiles_along(width)
        most = max(channels, made)
        step = max(1, min(tall, transforms.tiles_per_strip(most) // wide))
        one, other = self._workspace.halves(features, step * wide * transforms.inputs**2 * most)
        for first in range(0, tall, step):
            count = min(step, tall - first)
            read = reshaped(other, count * m + 2, wide * m + 2, channels)
            _read(features, above + first * m - 1, left - 1, read)
            points = transforms.input_transform(read, one, other, rotated=rotated)
            products = reshaped(one, transforms.inputs**2, count * wide, made)
            torch.bmm(points, filters, out=products)
            if not rotated and self.bias is not None:
                products[transforms.bias_point] += self.bias
            tiles = transforms.output_transform(products, wide, one, other, rotated=rotated)
            strip = slice(first * m, min(height, (first + count) * m))
            if strip.stop - strip.start == count * m and width == wide * m:
                yield tiles, partial(_in_tiles, strip=strip, shape=tiles.shape)
            else:
                whole = tiles.reshape(count * m, wide * m, made)
                yield whole[: strip.stop - strip.start, :width], itemgetter(strip)


class WinogradF2x2(WinogradF4x4):
    """F(2x2, 3x3) in bfloat16, whose roundings larger tiles would multiply."""

    kept = 32 << 20  # its blocks are half as large, and come again without a page fault
    transforms = F2x2()

    @classmethod
    def extra_bytes(cls, in_channels: int, channels: int, height: int, width: int) -> int:
        """The filters at the points, in bfloat16."""
        return super().extra_bytes(in_channels, channels, height, width) // 2


def _size(features: Tensor, crop: Crop) -> tuple[int, int]:
    """(height, width) of (..., h, w) features when cropped."""
    left, right, top, bottom = crop
    return features.shape[-2] - top - bottom, features.shape[-1] - left - right


def _in_tiles(image: Tensor, strip: slice, shape: torch.Size) -> Tensor:
    return image[strip].view(shape)


def _read(features: Tensor, top: int, left: int, read: Tensor) -> None:
    """Write what lies from (top, left) on into `read`, with zeros beyond the features' edges."""
    (rows, columns), (height, width) = read.shape[:2], features.shape[:2]
    inside = slice(max(0, -top), min(rows, height - top))
    beside = slice(max(0, -left), min(columns, width - left))
    read[: inside.start] = 0
    read[inside.stop :] = 0
    read[:, : beside.start] = 0
    read[:, beside.stop :] = 0
    found = features[max(0, top) : top + rows, max(0, left) : left + columns]
    read[inside, beside] = found
