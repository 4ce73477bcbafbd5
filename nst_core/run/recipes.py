"""The usual losses, made from settings: of a whole picture, or region by region."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..control.losses import ContentLoss, Keep, LaplacianLoss, Loss, StyleLoss, TotalVariationLoss
from ..control.regions import feathered
from ..settings import LossSettings
from ..settings.loss import shares_in

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class Region:
    """A part of the picture, and what it is painted like.

    Attributes:
        styles: each (1, 3, h, w) RGB in [0, 1]; without any the region keeps its pixels.
        mask: (h, w) in [0, 1], of any size; None is the whole picture.
        shares: of each style; None is equal shares.
        style_masks: for each style, which part of it counts; None is all of all.
    """

    styles: tuple[Tensor, ...]
    mask: Tensor | None = None
    shares: tuple[float, ...] | None = None
    style_masks: tuple[Tensor | None, ...] | None = None


def losses_of(
    content: Tensor,
    styles: Sequence[Tensor],
    settings: LossSettings,
    *,
    alpha: Tensor | None = None,
) -> list[Loss]:
    """The usual losses: one content, one style from any number of pictures, smoothness, detail.

    Args:
        content: (1, 3, H, W) RGB in [0, 1].
        styles: each likewise, of any size.
        settings: weights, layers, statistics, shares and normalization.
        alpha: (h, w) in [0, 1], how opaque the content is; None is all of it.
    """
    whole = Region(styles=tuple(styles), shares=shares_in(settings.style_shares))
    return losses_of_regions(content, [whole], settings, alpha=alpha)


def losses_of_regions(
    content: Tensor | None,
    regions: Sequence[Region],
    settings: LossSettings,
    *,
    alpha: Tensor | None = None,
) -> list[Loss]:
    """The usual losses, with a style of its own for each region; what no style covers is kept.

    A region's style counts by its area, so that a mask changes where the picture is painted, and
    not how strongly: on a full mask it is the loss without one.

    Args:
        content: (1, 3, H, W) RGB in [0, 1]; None is texture synthesis.
        regions: none at all is reconstruction of the content. Their edges are softened by
            `settings.feather`.
        settings: weights, layers, statistics and normalization of all of them.
        alpha: (h, w) in [0, 1], how opaque the content is; None is all of it.
    """
    losses: list[Loss] = [] if content is None else [_content(content, alpha, settings)]
    painted = None
    for number, region in enumerate(regions, 1):
        if not region.styles:
            continue
        mask = None if region.mask is None else feathered(region.mask, settings.feather)
        area = 1.0 if mask is None else float(mask.mean())
        if area == 0:
            log.warning("Region %d is empty; its style is left out.", number)
        losses.append(_style(region, mask, area, settings))
        painted = _united(painted, torch.ones(1, 1) if mask is None else mask)
    if content is not None and painted is not None and float(painted.min()) < 1:
        losses.append(Keep(image=content, mask=1 - painted))
    losses.append(TotalVariationLoss(weight=settings.tv_weight))
    if content is not None and settings.laplacian_weight:
        losses.append(LaplacianLoss(image=content, weight=settings.laplacian_weight))
    return losses


def _content(content: Tensor, alpha: Tensor | None, settings: LossSettings) -> ContentLoss:
    return ContentLoss(
        image=content,
        alpha=alpha,
        weight=settings.content_weight,
        layers=settings.content_layers,
        normalization=settings.normalization,
    )


def _style(region: Region, mask: Tensor | None, area: float, settings: LossSettings) -> StyleLoss:
    return StyleLoss(
        images=region.styles,
        shares=region.shares,
        image_masks=region.style_masks,
        mask=mask,
        weight=settings.style_weight * area,
        layers=settings.style_layers,
        normalization=settings.normalization,
        statistics=settings.statistics,
        scale=settings.style_scale,
    )


def _united(painted: Tensor | None, mask: Tensor) -> Tensor:
    """What either covers; maps of different sizes meet at the larger one's."""
    if painted is None or painted.shape == mask.shape:
        return mask if painted is None else (painted + mask).clamp(max=1)
    size = [max(sides) for sides in zip(painted.shape, mask.shape, strict=True)]
    first, second = (
        torch.nn.functional.interpolate(one[None, None], size, mode="area")[0, 0]
        for one in (painted, mask)
    )
    return (first + second).clamp(max=1)
