"""What the losses want, computed once per scale: Gram matrices and content features.

A term is one loss at one layer. It says what to sum over a tile's pixels, and what the total is
worth; the objective does the rest.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .guidance import layer_guide
from .losses import (
    NORMALIZATIONS,
    Normalization,
    content_loss,
    gram_sum,
    squared_error_sum,
    style_loss,
)
from .passage import Passage
from .terms import ContentLoss, Loss, StyleLoss
from .tiling import Tile, Window, plan_tiles
from .vgg import LAYERS, VGG16, check_large_enough, size_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class Walk:
    """How pictures go through the network: in which tiles, and whom to tell after each."""

    vgg: VGG16
    tile: int
    on_tile: Callable[[], None]

    def over(
        self, image: Tensor, layers: Sequence[str]
    ) -> Iterator[tuple[Tile, Mapping[str, Tensor]]]:
        """Each tile of a (1, 3, H, W) image with the features it owns."""
        for tile in plan_tiles(*size_of(image), self.tile, layers):
            passage = Passage(self.vgg, image[tile.crop], layers, back=False)
            yield tile, owned_features(passage.features, tile)
            self.on_tile()


def owned_features(features: Mapping[str, Tensor], tile: Tile) -> Mapping[str, Tensor]:
    """Features of a tile's crop, cut down to the positions that the tile owns."""
    if tile.owns_all:  # a slice of everything would still be copied on the way back
        return features
    return {layer: part[tile.owned(layer)] for layer, part in features.items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class StyleTerm:
    """Distance of Gram matrices at one layer."""

    name: str
    layer: str
    weight: float
    normalization: Normalization
    target: Tensor  # A, (N, N)
    positions: float  # M, or the sum of the guide
    guide: Tensor | None  # (h, w)

    def sums(self, features: Tensor, window: Window) -> Tensor:
        """F Fᵀ over a tile's own positions, (N, N)."""
        return gram_sum(features, None if self.guide is None else self.guide[window])

    def loss(self, sums: Tensor) -> Tensor:
        """What the whole picture's sum is worth, before the weight."""
        return style_loss(sums / self.positions, self.target, self.normalization)


@dataclass(frozen=True, eq=False, kw_only=True)
class ContentTerm:
    """Distance of features at one layer."""

    name: str
    layer: str
    weight: float
    normalization: Normalization
    target: Tensor  # P, (1, N, h, w)
    positions: float  # M, or the sum of the guide
    size: Tensor  # sum of P²
    guide: Tensor | None  # (h, w)

    def sums(self, features: Tensor, window: Window) -> Tensor:
        """(F - P)² over a tile's own positions, a scalar."""
        guide = None if self.guide is None else self.guide[window]
        return squared_error_sum(features, self.target[window], guide)

    def loss(self, sums: Tensor) -> Tensor:
        """What the whole picture's sum is worth, before the weight."""
        values = self.positions * self.target.shape[1]
        return content_loss(sums, values, self.size, self.normalization)


Term = StyleTerm | ContentTerm


def make_terms(losses: Sequence[Loss], walk: Walk, height: int, width: int) -> list[Term]:
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
    for style, name in zip(styles, _names("style", len(styles)), strict=True):
        terms += _style_terms(style, name, walk, height, width)
    for content, name in zip(contents, _names("content", len(contents)), strict=True):
        terms += _content_terms(content, name, walk)
    return terms


def _names(what: str, count: int) -> list[str]:
    return [what] if count == 1 else [f"{what} {number}" for number in range(1, count + 1)]


def _style_terms(
    loss: StyleLoss, name: str, walk: Walk, height: int, width: int
) -> Iterator[StyleTerm]:
    layers = _weighted_layers(loss)
    check_large_enough(height, width, layers, "The result")
    targets = dict.fromkeys(layers, torch.zeros(()))
    for image, share in zip(loss.images, loss.normalized_shares, strict=True):
        check_large_enough(*size_of(image), layers, "A style picture")
        grams = mean_grams(walk, image, layers)
        targets = {
            layer: targets[layer].to(grams[layer]) + share * grams[layer] for layer in layers
        }
    for layer in layers:
        guide, positions = _guide(loss, name, layer, height, width)
        if positions > 0:
            yield StyleTerm(
                name=f"{name} {layer}",
                layer=layer,
                weight=loss.weight * loss.layer_weights[layer],
                normalization=NORMALIZATIONS[loss.normalization],
                target=targets[layer],
                positions=positions,
                guide=guide,
            )


def _content_terms(loss: ContentLoss, name: str, walk: Walk) -> Iterator[ContentTerm]:
    layers = _weighted_layers(loss)
    height, width = size_of(loss.image)
    check_large_enough(height, width, layers, "The content picture")
    targets = whole_features(walk, loss.image, layers)
    for layer in layers:
        guide, positions = _guide(loss, name, layer, height, width)
        if positions > 0:
            target = targets[layer]
            yield ContentTerm(
                name=f"{name} {layer}",
                layer=layer,
                weight=loss.weight * loss.layer_weights[layer],
                normalization=NORMALIZATIONS[loss.normalization],
                target=target,
                positions=positions,
                size=squared_error_sum(target, torch.zeros_like(target), guide),
                guide=guide,
            )


def _weighted_layers(loss: ContentLoss | StyleLoss) -> list[str]:
    return [layer for layer, weight in loss.layer_weights.items() if weight > 0]


def _guide(
    loss: ContentLoss | StyleLoss, name: str, layer: str, height: int, width: int
) -> tuple[Tensor | None, float]:
    """The loss's mask on a layer's grid, and how many positions it is worth."""
    stride = LAYERS[layer].stride
    if loss.mask is None:
        return None, float((height // stride) * (width // stride))
    guide = layer_guide(loss.mask, height, width, layer)
    positions = float(guide.sum())
    if positions == 0:
        log.warning("The mask of the %s loss is empty at %s; the loss is left out.", name, layer)
    return guide, positions


def mean_grams(walk: Walk, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """{layer: (N, N)} Gram matrices averaged over positions, added up tile by tile."""
    totals: dict[str, Tensor] = {}
    for _, features in walk.over(image, layers):
        for layer in layers:
            gram = gram_sum(features[layer])
            totals[layer] = totals[layer] + gram if layer in totals else gram
    height, width = size_of(image)
    strides = {layer: LAYERS[layer].stride for layer in layers}
    return {
        layer: totals[layer] / ((height // strides[layer]) * (width // strides[layer]))
        for layer in layers
    }


def whole_features(walk: Walk, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """{layer: (1, N, h, w)} features of an image, put together from its tiles."""
    height, width = size_of(image)
    whole: dict[str, Tensor] = {}
    for tile, features in walk.over(image, layers):
        for layer in layers:
            stride, part = LAYERS[layer].stride, features[layer]
            if layer not in whole:
                shape = (1, part.shape[1], height // stride, width // stride)
                whole[layer] = part.new_empty(shape).contiguous(memory_format=torch.channels_last)
            whole[layer][tile.owned_in_picture(layer)] = part
    return whole
