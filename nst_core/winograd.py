"""3x3 convolutions with a quarter or half of the multiplications, on processors.

`minimal` has the arithmetic; here it walks over a picture, strip by strip.
"""

from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter

import torch
import torch.nn.functional as F
from torch import Tensor

from .convolution import Convolution, closed
from .memory import empty
from .minimal import BY_PRODUCTS, BY_SUMS, Minimal, Scratch, taken

# Pixels of a plain strip; PyTorch hands pictures of fewer than 6826 to a slower convolution.
_PIXELS = 8192


class Winograd(Convolution):
    """The same convolution in float32, without a gradient of its own: `back` is the only way.

    Args:
        in_channels, channels: as of `Convolution`.
        scratch: shared by convolutions that follow each other.
    """

    kept = 4 << 20  # larger ones are mapped by `empty`, and leave no holes
    minimal: Minimal = BY_PRODUCTS

    def __init__(self, in_channels: int, channels: int, scratch: Scratch | None = None) -> None:
        super().__init__(in_channels, channels)
        self._scratch = scratch or Scratch()

    @classmethod
    def extra_bytes(cls, in_channels: int, channels: int, height: int, width: int) -> int:
        """The filters at the points, in float32."""
        used = cls.minimal.pays(in_channels, channels, height, width)
        return 4 * cls.minimal.reach**2 * in_channels * channels if used else 0

    @classmethod
    def maker(cls) -> Callable[[int, int], Convolution]:
        """One scratch for all that it makes."""
        return partial(cls, scratch=Scratch())

    def forward(self, features: Tensor) -> Tensor:
        """(1, in_channels, h, w), channels-last -> (1, channels, h, w), after the ReLU."""
        if self._pays(features):
            rows = features[0].movedim(0, -1)
            out = empty(rows, *rows.shape[:2], self.out_channels)
            for values, part in self._filtered(rows, turned=False):
                torch.clamp(values, min=0, out=part(out))
            return out[None].movedim(-1, 1)
        return self._plain(features)

    def _plain(self, features: Tensor) -> Tensor:
        """From the picture a few rows at a time, which stay in the cache."""
        if self.in_channels > 3:
            return super().forward(features)
        height, width = features.shape[-2:]
        out = empty(features, height, width, self.out_channels)[None].movedim(-1, 1)
        step = max(1, _PIXELS // width)
        for first in range(0, height, step):
            top, bottom = max(0, first - 1), min(height, first + step + 1)
            values = F.conv2d(features[:, :, top:bottom], self.weight, self.bias, padding=1)
            rows = slice(first, first + step)
            torch.clamp(values[:, :, first - top :][:, :, :step], min=0, out=out[:, :, rows])
        return out

    def back(
        self,
        gradient: Tensor,
        features: Tensor | None = None,
        more: Callable[[], Tensor] | None = None,
    ) -> Tensor:
        """As of `Convolution`, and the result lies where `more` or `features` lay."""
        if not self._pays(gradient):
            return super().back(gradient, features, more)
        rows = gradient[0].movedim(0, -1)
        mask = None if features is None else features[0].movedim(0, -1)
        plus = more()[0].movedim(0, -1) if more else None
        into = mask if plus is None else plus
        if into is None:
            into = empty(rows, *rows.shape[:2], self.in_channels)
        for values, part in self._filtered(rows, turned=True):
            if plus is not None:
                values += part(plus)
            if mask is None:
                part(into).copy_(values)
            else:
                closed(values, part(mask), part(into))
        return into[None].movedim(-1, 1)

    def _pays(self, features: Tensor) -> bool:
        return self.minimal.pays(self.in_channels, self.out_channels, *features.shape[-2:])

    @property
    def _filters(self) -> Tensor:
        """(points, channels, in_channels), made once."""
        if not hasattr(self, "_made"):
            self._made = self.minimal.filters(self.weight.detach())
        return self._made

    def _filtered(
        self, features: Tensor, *, turned: bool
    ) -> Iterator[tuple[Tensor, Callable[[Tensor], Tensor]]]:
        """(h, w, N) convolved, there or back: values of one strip after the other.

        With them comes what gives that strip of any (h, w, M), in the values' shape. Each strip of
        neighborhoods goes to and fro between the halves of the scratch.
        """
        minimal, filters = self.minimal, self._filters if turned else self._filters.mT
        (height, width, channels), made = features.shape, filters.shape[2]
        core, tall, wide = minimal.core, minimal.count(height), minimal.count(width)
        most = max(channels, made)
        step = max(1, min(tall, minimal.neighborhoods(most) // wide))
        one, other = self._scratch.halves(features, step * wide * minimal.reach**2 * most)
        for first in range(0, tall, step):
            count = min(step, tall - first)
            read = taken(other, count * core + 2, wide * core + 2, channels)
            _read(features, first * core - 1, read)
            points = minimal.points(read, one, other, turned=turned)
            products = taken(one, minimal.reach**2, count * wide, made)
            torch.bmm(points, filters, out=products)
            if not turned and self.bias is not None:
                products[minimal.everywhere] += self.bias
            cores = minimal.cores(products, wide, one, other, turned=turned)
            strip = slice(first * core, min(height, (first + count) * core))
            if strip.stop - strip.start == count * core and width == wide * core:
                yield cores, partial(_in_tiles, strip=strip, shape=cores.shape)
            else:
                whole = cores.reshape(count * core, wide * core, made)
                yield whole[: strip.stop - strip.start, :width], itemgetter(strip)


class HalfWinograd(Winograd):
    """The same in bfloat16, with half of the multiplications."""

    kept = Convolution.kept
    minimal = BY_SUMS

    @classmethod
    def extra_bytes(cls, in_channels: int, channels: int, height: int, width: int) -> int:
        """The filters at the points, in bfloat16."""
        return super().extra_bytes(in_channels, channels, height, width) // 2


def _in_tiles(image: Tensor, strip: slice, shape: torch.Size) -> Tensor:
    return image[strip].view(shape)


def _read(features: Tensor, top: int, read: Tensor) -> None:
    """Write the rows from `top` with a margin of zeros into `read`."""
    height, width = features.shape[:2]
    bottom = top + len(read)
    inside = slice(max(0, -top), len(read) - max(0, bottom - height))
    read[: inside.start] = 0
    read[inside.stop :] = 0
    read[:, 0] = 0
    read[:, width + 1 :] = 0
    read[inside, 1 : width + 1] = features[max(0, top) : bottom]
