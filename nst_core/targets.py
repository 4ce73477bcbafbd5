"""What the losses want, computed once per scale: style statistics and content features.

A term is one loss at one layer. It says what to sum over a tile's pixels, and what the total is
worth; the objective does the rest.
"""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .guidance import Area, area_of
from .losses import NORMALIZATIONS, Normalization, content_loss, squared_error_sum
from .statistics import Statistic, statistics_named
from .terms import ContentLoss, StyleLoss, Weighed
from .tiling import Window
from .vgg import LAYERS, check_large_enough, size_of
from .walk import Walk, whole_features

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class StyleTerm:
    """Distance of one statistic at one layer."""

    name: str
    layer: str
    weight: float
    normalization: Normalization
    statistic: Statistic
    target: Tensor
    area: Area

    @property
    def recordable(self) -> bool:
        """Whether it never waits for the device."""
        return self.statistic.recordable

    def sums(self, features: Tensor, window: Window) -> Tensor:
        """What a tile's own positions add to the total."""
        return self.statistic.sums(features, self.area, window)

    def loss(self, sums: Tensor) -> Tensor:
        """What the whole picture's sum is worth, before the weight."""
        return self.statistic.loss(sums, self.area, self.target, self.normalization)


@dataclass(frozen=True, eq=False, kw_only=True)
class ContentTerm:
    """Distance of features at one layer."""

    name: str
    layer: str
    weight: float
    normalization: Normalization
    target: Tensor  # P, (1, N, h, w)
    area: Area
    size: Tensor  # sum of P²
    recordable = True

    def sums(self, features: Tensor, window: Window) -> Tensor:
        """(F - P)² over a tile's own positions, a scalar."""
        return squared_error_sum(features, self.target[window], self.area.guide_at(window))

    def loss(self, sums: Tensor) -> Tensor:
        """What the whole picture's sum is worth, before the weight."""
        values = self.area.positions * self.target.shape[1]
        return content_loss(sums, values, self.size, self.normalization)


Term = StyleTerm | ContentTerm


def make_terms(losses: Sequence[Weighed], walk: Walk, height: int, width: int) -> list[Term]:
    """The terms of every content and style loss, for a picture of (height, width) pixels.

    Args:
        losses: with pictures already at the sizes to be looked at; content at (height, width).
        walk: how they go through the network.
        height, width: of the picture to be optimized.

    Raises:
        ImageTooSmall: a picture has no feature at one of its layers.
    """
    styles = [loss for loss in losses if isinstance(loss, StyleLoss)]
    contents = [loss for loss in losses if isinstance(loss, ContentLoss)]
    terms: list[Term] = []
    for style, name in zip(styles, numbered("style", len(styles)), strict=True):
        terms += _style_terms(style, name, walk, height, width)
    for content, name in zip(contents, numbered("content", len(contents)), strict=True):
        terms += _content_terms(content, name, walk)
    return terms


def numbered(what: str, count: int) -> list[str]:
    """Names for so many losses of a kind: "style", or "style 1" and so on."""
    return [what] if count == 1 else [f"{what} {number}" for number in range(1, count + 1)]


def _style_terms(
    loss: StyleLoss, name: str, walk: Walk, height: int, width: int
) -> Iterator[StyleTerm]:
    areas = _areas(loss, name, height, width, "The result")
    statistics = {
        layer: statistics_named(loss.statistics, LAYERS[layer].channels, math.prod(area.grid))
        for layer, area in areas.items()
    }
    means: Descriptions = {}
    for image, mask, share in _counting(loss, name):
        check_large_enough(*size_of(image), areas, "A style picture")
        for key, description in describe(walk, image, mask, statistics).items():
            weighted = share * description
            means[key] = means[key] + weighted if key in means else weighted
    for (layer, part), mean in means.items():
        statistic = statistics[layer][part]
        yield StyleTerm(
            name=f"{name} {layer}" if part == "gram" else f"{name} {layer} {part}",
            layer=layer,
            weight=loss.weight * loss.layer_weights[layer],
            normalization=NORMALIZATIONS[loss.normalization],
            statistic=statistic,
            target=statistic.target(mean),
            area=areas[layer],
        )


def _counting(loss: StyleLoss, name: str) -> list[tuple[Tensor, Tensor | None, float]]:
    """The style pictures of which something counts, with masks, and shares that add up to 1."""
    seen = [one for one in loss.counting if one[1] is None or float(one[1].max()) > 0]
    if len(seen) < len(loss.counting):
        log.warning("The mask of a picture of the %s loss is empty; the picture is left out.", name)
    total = sum(share for _, _, share in seen)
    return [(image, mask, share / total) for image, mask, share in seen]


def _content_terms(loss: ContentLoss, name: str, walk: Walk) -> Iterator[ContentTerm]:
    areas = _areas(loss, name, *size_of(loss.image), "The content picture")
    for layer, target in whole_features(walk, loss.image, list(areas)).items():
        guide = areas[layer].guide
        yield ContentTerm(
            name=f"{name} {layer}",
            layer=layer,
            weight=loss.weight * loss.layer_weights[layer],
            normalization=NORMALIZATIONS[loss.normalization],
            target=target,
            area=areas[layer],
            size=squared_error_sum(target, torch.zeros_like(target), guide),
        )


def _areas(
    loss: ContentLoss | StyleLoss, name: str, height: int, width: int, what: str
) -> dict[str, Area]:
    """Where the loss counts at each of its layers; layers where it counts nowhere are left out."""
    layers = [layer for layer, weight in loss.layer_weights.items() if weight > 0]
    check_large_enough(height, width, layers, what)
    areas = {layer: area_of(loss.mask, height, width, layer) for layer in layers}
    for layer, area in areas.items():
        if area.positions == 0:
            log.warning(
                "The mask of the %s loss is empty at %s; the loss is left out.", name, layer
            )
    return {layer: area for layer, area in areas.items() if area.positions > 0}


Descriptions = dict[tuple[str, str], Tensor]


def describe(
    walk: Walk,
    image: Tensor,
    mask: Tensor | None,
    statistics: Mapping[str, Mapping[str, Statistic]],
) -> Descriptions:
    """{(layer, statistic): description} of a style picture, gathered tile by tile.

    Args:
        walk: how it goes through the network.
        image: (1, 3, H, W).
        mask: (h, w), which part of it counts; None is all.
        statistics: {layer: {name: statistic}}.
    """
    layers = list(statistics)
    areas = {layer: area_of(mask, *size_of(image), layer) for layer in layers}
    gathered: Descriptions = {}
    for tile, features in walk.over(image, layers):
        for layer in layers:
            window = tile.owned_in_picture(layer)
            for part, statistic in statistics[layer].items():
                so_far = gathered.get((layer, part))
                gathered[layer, part] = statistic.gathered(
                    so_far, features[layer], areas[layer], window
                )
    return {
        (layer, part): statistics[layer][part].described(whole, areas[layer].positions)
        for (layer, part), whole in gathered.items()
    }
