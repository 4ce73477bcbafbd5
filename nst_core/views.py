"""One picture looked at from near and from afar: in several sizes at once.

VGG's largest field, 132 pixels at relu5_1, is half of a 256 px picture and an eighth of one with
1024: there, nothing says how the picture is painted in the large, and a style looks weaker the
larger the picture is. So the picture is also shrunk to a quarter, and that copy must show the style
as a picture of its size would. It costs a sixteenth more. `benchmarks/large.py` prints what it
brings.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from .objective import Evaluation, Objective, unit_of
from .pyramid import VIEW_FACTOR, on_grid, resize
from .terms import StyleLoss, Weighed
from .tiling import ALIGNMENT
from .vgg import VGG16, size_of
from .walk import wrapped

# How much more a view's style counts than that of the view before. The picture's own detail is
# near its style after a few steps, its large forms are not: with the same weight for both they
# stayed up to 1.5 times as far from it as those of a small picture (`benchmarks/NOTES.md`).
_EMPHASIS = 8.0
# Pixels of the small copy that shrinking looks beyond its border; two would do.
_BORDER = 4


class Views:
    """`evaluate(image) -> Evaluation` of an objective and of style losses at smaller sizes.

    Args:
        losses: as for `Objective`. Each view has every style loss, with eight times the weight and
            style pictures a quarter as large as the view before.
        views: how many sizes; 1 is the `Objective` itself.
        vgg, height, width, tile, wrap, on_tile, record: as for `Objective`.

    Attributes:
        unit: as of `Objective`.
    """

    def __init__(
        self,
        losses: Sequence[Weighed],
        *,
        views: int,
        vgg: VGG16,
        height: int,
        width: int,
        tile: int = 0,
        wrap: bool = False,
        on_tile: Callable[[], None] = lambda: None,
        record: bool = False,
    ) -> None:
        self.unit = unit_of(losses)
        styles = [loss for loss in losses if isinstance(loss, StyleLoss) and loss.weight > 0]
        device = next(vgg.parameters()).device
        self._levels: list[tuple[Shrink, Objective]] = []
        for view in range(views if styles else 1):
            rows, columns = (_shrunk_side(side, view, wrap) for side in (height, width))
            objective = Objective(
                losses if view == 0 else [_shrunk_loss(loss, view) for loss in styles],
                vgg=vgg,
                height=rows,
                width=columns,
                tile=tile,
                wrap=wrap,
                unit=self.unit,
                on_tile=on_tile,
                record=record,
            )
            shrink = shrinking((height, width), (rows, columns), wrap=wrap, device=device)
            self._levels.append((shrink, objective))

    def evaluate(self, image: Tensor) -> Evaluation:
        """Weighed and gradient of a contiguous (1, 3, H, W) image."""
        _, whole = self._levels[0]
        evaluation = whole.evaluate(image)
        loss, parts = evaluation.loss, dict(evaluation.parts)
        for shrink, objective in self._levels[1:]:
            leaf = image.detach().requires_grad_()
            with torch.enable_grad():
                small = shrink(leaf)
            view = objective.evaluate(small.detach().contiguous())
            with torch.enable_grad():  # as in `Objective`, one number to start from
                total = (small * view.gradient).sum()
            evaluation.gradient.add_(torch.autograd.grad(total, leaf)[0])
            loss += view.loss
            for name, part in view.parts.items():
                parts[name] = parts.get(name, 0.0) + part
        return Evaluation(loss, parts, evaluation.gradient)


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


Size = tuple[int, int]
Shrink = Callable[[Tensor], Tensor]


def shrinking(old: Size, new: Size, *, wrap: bool, device: torch.device) -> Shrink:
    """`shrunk` from one (height, width) to another, on a device.

    The way back of CUDA's own adds up in any order. There it is a product of matrices.
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


def _shrunk_side(side: int, view: int, wrap: bool) -> int:
    return on_grid(side / VIEW_FACTOR**view, ALIGNMENT if wrap else 1)


def _shrunk_loss(loss: StyleLoss, view: int) -> StyleLoss:
    images = [
        resize(image, *(on_grid(side / VIEW_FACTOR**view, 1) for side in size_of(image)))
        for image in loss.images
    ]
    return replace(loss, weight=loss.weight * _EMPHASIS**view, images=tuple(images))
