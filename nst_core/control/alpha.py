"""Losses of a picture that is transparent in parts: they count where it is opaque."""

from collections.abc import Sequence
from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor

from .losses import ContentLoss, Loss, StyleLoss


def alpha_of(losses: Sequence[Loss]) -> Tensor | None:
    """(h, w) in [0, 1], how opaque the result is: as the first content is; None is all of it."""
    contents = [loss for loss in losses if isinstance(loss, ContentLoss)]
    return contents[0].alpha if contents else None


def where_opaque(losses: Sequence[Loss]) -> list[Loss]:
    """The losses, those of features counting only where the result is opaque.

    There they count as strongly as on an opaque picture: weights are by the area that is left.
    """
    alpha = alpha_of(losses)
    if alpha is None:
        return list(losses)
    return [
        _within(loss, alpha) if isinstance(loss, ContentLoss | StyleLoss) else loss
        for loss in losses
    ]


def both(mask: Tensor | None, alpha: Tensor | None) -> Tensor | None:
    """Where both let a picture count, as a map of the alpha's size; None is everywhere."""
    if mask is None or alpha is None:
        return alpha if mask is None else mask
    size = alpha.shape
    if mask.shape != size:
        mask = F.interpolate(mask[None, None], size, mode="bilinear", antialias=True)[0, 0]
    return mask * alpha


def _within(loss: ContentLoss | StyleLoss, alpha: Tensor) -> ContentLoss | StyleLoss:
    mask = both(loss.mask, alpha)
    assert mask is not None
    area = 1.0 if loss.mask is None else float(loss.mask.mean())
    # Of an empty mask nothing counts, whatever its weight.
    share = float(mask.mean()) / area if area else 1.0
    return replace(loss, mask=mask, weight=loss.weight * share)
