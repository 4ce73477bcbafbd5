"""Context: the picture must show the style in smaller copies of itself too.

VGG's largest receptive field, 132 pixels at relu5_1, is half of a 256 px picture and an eighth of
one with 1024: there, no loss sees its large forms. So the picture is also
shrunk to a quarter, and that copy must show the style as a picture of its size would. It costs a
sixteenth more. `benchmarks/large.py` prints what it brings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ..gatys.objective import Evaluation
from ..gatys.vgg import size_of
from .losses import StyleLoss, Weighed
from .pyramid import VIEW_FACTOR, on_grid
from .resized import resized_picture
from .tiled import wrapped
from .tiles import ALIGNMENT

# How much more a copy's style counts than that of the next larger one. The picture's own detail is
# near its style after a few steps, its large forms are not: with the same weight for both they
# stayed up to 1.5 times as far from it as those of a small picture (`benchmarks/NOTES.md`).
_EMPHASIS = 8.0
# Pixels of the small copy that shrinking looks beyond its border; two would do.
_BORDER = 4

Size = tuple[int, int]
Shrink = Callable[[Tensor], Tensor]
Evaluate = Callable[[Tensor], Evaluation]


@dataclass(frozen=True, eq=False)
class WithContext:
    """`evaluate(image) -> Evaluation` of a picture and of smaller copies of it, added up.

    Attributes:
        whole: evaluates the picture itself.
        copies: how each copy is made, and what evaluates it.
    """

    whole: Evaluate
    copies: Sequence[tuple[Shrink, Evaluate]]

    def evaluate(self, image: Tensor) -> Evaluation:
        """Loss and gradient of a contiguous (1, 3, H, W) image."""
        evaluation = self.whole(image)
        loss, parts = evaluation.loss, dict(evaluation.parts)
        for shrink, evaluate in self.copies:
            leaf = image.detach().requires_grad_()
            with torch.enable_grad():
                small = shrink(leaf)
            copy = evaluate(small.detach().contiguous())
            with torch.enable_grad():  # as in `gatys.objective`, one number to start from
                total = (small * copy.gradient).sum()
            evaluation.gradient.add_(torch.autograd.grad(total, leaf)[0])
            loss += copy.loss
            for name, part in copy.parts.items():
                parts[name] = parts.get(name, 0.0) + part
        return Evaluation(loss, parts, evaluation.gradient)


def with_context(
    evaluate_of: Callable[[Sequence[Weighed], int, int], Evaluate],
    losses: Sequence[Weighed],
    *,
    views: int,
    height: int,
    width: int,
    wrap: bool,
    device: torch.device,
) -> WithContext:
    """Losses at several sizes.

    Args:
        evaluate_of: losses, height and width -> what evaluates them.
        losses: as for that. Each copy has every style loss, with eight times the weight and style
            pictures a quarter as large as the next larger one.
        views: how many sizes; 1 is the picture itself.
        height, width: of the picture, in pixels.
        wrap: whether it goes on at its other end.
        device: of the picture.
    """
    styles = [loss for loss in losses if isinstance(loss, StyleLoss)]
    copies = []
    for level in range(1, views if styles else 1):
        size = copy_size(height, width, level, wrap=wrap)
        evaluate = evaluate_of([_shrunk_loss(loss, level) for loss in styles], *size)
        copies.append((shrinking((height, width), size, wrap=wrap, device=device), evaluate))
    return WithContext(evaluate_of(losses, height, width), copies)


def shrunk(image: Tensor, height: int, width: int, *, wrap: bool = False) -> Tensor:
    """(1, 3, H, W) -> (1, 3, height, width) as `resize` does it, but linear: nothing is clipped.

    With `wrap`, beyond its border the picture begins anew; sizes must then divide each other.
    """
    if not wrap:
        return F.interpolate(image, (height, width), mode="bicubic", antialias=True)
    factor = image.shape[-2] // height
    around = wrapped(image, _BORDER * factor)
    size = height + 2 * _BORDER, width + 2 * _BORDER
    small = F.interpolate(around, size, mode="bicubic", antialias=True)
    return small[..., _BORDER:-_BORDER, _BORDER:-_BORDER]


def shrinking(old: Size, new: Size, *, wrap: bool, device: torch.device) -> Shrink:
    """`shrunk` from one (height, width) to another, on a device.

    CUDA's own backward adds up in any order. There it is a product of matrices.
    """
    if old == new or device.type != "cuda":
        return partial(shrunk, height=new[0], width=new[1], wrap=wrap)
    down, across = (
        shrinking_matrix(*sides, wrap=wrap).to(device) for sides in zip(old, new, strict=True)
    )
    return lambda image: down.to(image) @ image @ across.to(image).mT


def shrinking_matrix(old: int, new: int, *, wrap: bool) -> Tensor:
    """(new, old), what `shrunk` does to a column."""
    # Rows of equal values, which shrinking leaves equal; rows of one value come out wrong.
    width = 4 * (old // new) if wrap else 4
    columns = torch.eye(old)[None, :, :, None].expand(-1, -1, -1, width)
    return shrunk(columns, new, 4, wrap=wrap)[0, :, :, 0].mT.contiguous()


def copy_size(height: int, width: int, level: int, *, wrap: bool = False) -> Size:
    """(height, width) of a picture's copy; level 1 is a quarter as large, 2 a sixteenth …."""
    grid = ALIGNMENT if wrap else 1
    return on_grid(height / VIEW_FACTOR**level, grid), on_grid(width / VIEW_FACTOR**level, grid)


def _shrunk_loss(loss: StyleLoss, level: int) -> StyleLoss:
    def shrunk_picture(image: Tensor) -> Tensor:
        return resized_picture(image, *copy_size(*size_of(image), level))

    return replace(loss.map(shrunk_picture), weight=loss.weight * _EMPHASIS**level)
