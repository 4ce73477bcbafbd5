"""Sizes and steps from coarse to fine, and resampling.

>>> [(s.width, s.steps) for s in plan_scales(384, 512, scales=0, steps=100)]
[(128, 3), (256, 15), (512, 82)]
"""

import math
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch.nn.functional as F
from torch import Tensor

# Of the coarsest scale that is added on its own: the longer side of the result, and the shorter
# side of every picture that is looked at. relu5_1 has one feature for 16 pixels.
COARSEST, NARROWEST = 64, 32
# Between a picture and its next smaller copy (`views`), and the longer side of the smallest that is
# added on its own: there, VGG's receptive fields span a good part of the picture.
VIEW_FACTOR, SMALLEST_VIEW = 4, 192

# A scale's share of the steps grows by this power of its side (`benchmarks/NOTES.md`).
_SHARE = 2.5


@dataclass(frozen=True)
class Scale:
    """One size of the picture, in pixels, and its share of the steps."""

    height: int
    width: int
    steps: int


def fit(height: int, width: int, longer: int) -> tuple[int, int]:
    """(height, width) with the same proportions and the longer side at `longer` pixels.

    >>> fit(600, 800, 512)
    (384, 512)
    """
    factor = longer / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def plan_scales(
    height: int,
    width: int,
    *,
    scales: int,
    steps: int,
    factor: float = 2.0,
    grid: int = 1,
    narrowest: int | None = None,
    most: int | None = None,
) -> tuple[Scale, ...]:
    """Scales that end at (height, width), each about `factor` times the one before.

    Args:
        height, width: of the finished picture, in pixels.
        scales: how many; 0 adds scales while the coarser one's longer side keeps `COARSEST` pixels,
            no picture is narrower than `NARROWEST` there, and there is a step for it.
        steps: in all. Each scale has its share by its longer side to the power of 2.5: small ones
            find the large strokes soon and for little, large ones have more to find.
        factor, grid: between neighbors; every side is a multiple of so many pixels.
        narrowest: the shortest side of all pictures that are looked at beside the finished one, at
            its size; None is none.
        most: at most so many scales are added on their own; None is no limit.

    Returns:
        Coarse to fine.
    """
    chosen = scales == 0
    if chosen:
        shortest = min(height, width) if narrowest is None else min(height, width, narrowest)
        scales = _as_many_as_fit(max(height, width), shortest, factor)
        scales = scales if most is None else min(scales, most)
    sizes = [
        (on_grid(height / factor**level, grid), on_grid(width / factor**level, grid))
        for level in reversed(range(scales))
    ]
    shares = [max(size) ** _SHARE for size in sizes]
    ends = [round(steps * reached / sum(shares)) for reached in accumulate(shares, initial=0)]
    planned = [
        Scale(rows, columns, end - begin)
        for (rows, columns), (begin, end) in zip(sizes, pairwise(ends), strict=True)
    ]
    # In a short run the coarsest would be looked at and left as they are.
    idle = next((i for i, scale in enumerate(planned) if scale.steps), len(planned) - 1)
    return tuple(planned[idle if chosen else 0 :])


def _as_many_as_fit(longest: int, shortest: int, factor: float) -> int:
    # A little less, or 1024 / sqrt(2)**8 would miss 64 by its last digit.
    smallest = min(longest / COARSEST, shortest / NARROWEST) + 1e-6
    return 1 + max(0, math.floor(math.log(smallest, factor)))


def on_grid(side: float, grid: int) -> int:
    """The nearest multiple of `grid`, and at least one."""
    return max(1, round(side / grid)) * grid


def views_of(height: int, width: int, views: int, narrowest: int | None = None) -> int:
    """At how many sizes a (height, width) picture is looked at, each a quarter of the one before.

    Args:
        height, width: in pixels.
        views: how many; 0 adds views while the smaller one's longer side keeps `SMALLEST_VIEW` and
            the shorter one of every picture `NARROWEST`.
        narrowest: as of `plan_scales`.
    """
    if views == 0:
        views = 1
        shortest = min(height, width) if narrowest is None else min(height, width, narrowest)
        while (
            max(height, width) / VIEW_FACTOR**views >= SMALLEST_VIEW
            and shortest / VIEW_FACTOR**views >= NARROWEST
        ):
            views += 1
    return views


def enlarged(image: Tensor, content: Tensor | None, height: int, width: int) -> Tensor:
    """The picture of one scale as the start of the next: (1, 3, h, w) -> (1, 3, height, width).

    The change against the content is enlarged, and the content's own detail is added. Enlarging the
    picture itself would start every scale blurred.

    Args:
        image: of the scale before.
        content: in full size; None if there is nothing to take detail from.
        height, width: of the next scale.
    """
    if content is None:
        return resize(image, height, width)
    change = image - resize(content, *image.shape[-2:])
    finer = F.interpolate(change, (height, width), mode="bicubic", antialias=True)
    return (resize(content, height, width) + finer).clamp(0, 1)


def resize(image: Tensor, height: int, width: int) -> Tensor:
    """(1, 3, h, w) in [0, 1] -> (1, 3, height, width) in [0, 1], bicubic with antialiasing.

    The same size gives the same picture.
    """
    if image.shape[-2:] == (height, width):
        return image
    resized = F.interpolate(image, (height, width), mode="bicubic", antialias=True)
    return resized.clamp_(0, 1)  # bicubic overshoots at edges
