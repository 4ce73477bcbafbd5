"""Losses to targets: the statistics of styles and the features of contents, at one scale."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..gatys.functions import NORMALIZATIONS, Sums
from ..gatys.statistics import Guidance, Statistic
from ..gatys.targets import ContentTarget, StyleTarget, Target
from ..gatys.vgg import LAYERS, VGG16, size_of
from .guidance import check_large_enough, guidances_of
from .losses import ContentLoss, StyleLoss, Weighed
from .statistics import statistics_named
from .tiled import features_by_tile, tile_for_picture

log = logging.getLogger(__name__)

MakeMap = Callable[[Tensor, int, int, int], Tensor]
# Values of a content's features that are squared at a time.
_SQUARED = 1 << 24


def map_in_memory(like: Tensor, channels: int, height: int, width: int) -> Tensor:
    """An uninitialized (1, channels, height, width) map of features, channels-last."""
    return like.new_empty(1, height, width, channels).movedim(-1, 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class TargetMaker:
    """Makes the targets of a picture to be optimized.

    Attributes:
        vgg: on the device and in the dtype to compute with.
        height, width: of that picture, in pixels.
        tile: longest side of its tiles' cores; 0 is untiled.
        wrap: whether it goes on at its other end.
        sums: over positions.
        on_tile: called after each tile of a content or style picture; may raise to cancel.
        make_map: of features, channels, height and width -> where a content's features are kept.
    """

    vgg: VGG16
    height: int
    width: int
    tile: int = 0
    wrap: bool = False
    sums: Sums = Sums()  # noqa: RUF009
    on_tile: Callable[[], None] = lambda: None
    make_map: MakeMap = map_in_memory

    def targets_of(self, losses: Sequence[Weighed]) -> list[Target]:
        """The targets of every content and style loss.

        Args:
            losses: with pictures at the sizes to be looked at; content at (height, width).

        Raises:
            ImageTooSmall: a picture has no feature at one of its layers.
        """
        styles = [loss for loss in losses if isinstance(loss, StyleLoss)]
        contents = [loss for loss in losses if isinstance(loss, ContentLoss)]
        targets: list[Target] = []
        for style, name in zip(styles, numbered("style", len(styles)), strict=True):
            targets += self._of_style(style, name)
        for content, name in zip(contents, numbered("content", len(contents)), strict=True):
            targets += self._of_content(content, name)
        return targets

    def _of_style(self, loss: StyleLoss, name: str) -> Iterator[StyleTarget]:
        guidances = _guidances(loss, name, self.height, self.width, "The result")
        statistics = {
            layer: statistics_named(
                loss.statistics, LAYERS[layer].channels, math.prod(guidance.grid), self.sums
            )
            for layer, guidance in guidances.items()
        }
        means: dict[tuple[str, str], Tensor] = {}
        for image, own, shares in _counting(loss, name, list(guidances)):
            for key, value in self._statistics_of(image, own, statistics).items():
                counted = shares[key[0]] * value
                means[key] = means[key] + counted if key in means else counted
        for (layer, part), mean in means.items():
            statistic = statistics[layer][part]
            yield StyleTarget(
                name=f"{name} {layer}" if part == "gram" else f"{name} {layer} {part}",
                layer=layer,
                weight=loss.weight * loss.layer_weights[layer],
                normalization=NORMALIZATIONS[loss.normalization],
                statistic=statistic,
                target=statistic.target(mean),
                guidance=guidances[layer],
            )

    def _statistics_of(
        self,
        image: Tensor,
        guidances: Mapping[str, Guidance],
        statistics: Mapping[str, Mapping[str, Statistic]],
    ) -> dict[tuple[str, str], Tensor]:
        """{(layer, statistic): value} of a style picture, accumulated tile by tile."""
        layers = list(guidances)
        accumulated: dict[tuple[str, str], Tensor] = {}
        tile = self._tile_of(image, layers)
        parts = features_by_tile(self.vgg, image, layers, tile, on_tile=self.on_tile)
        for window_of, features in parts:
            for layer in layers:
                for part, statistic in statistics[layer].items():
                    so_far = accumulated.get((layer, part))
                    accumulated[layer, part] = statistic.accumulated(
                        so_far, features[layer], guidances[layer], window_of(layer)
                    )
            del features  # before the next tile's are computed
        return {
            (layer, part): statistics[layer][part].finalized(whole, guidances[layer].positions)
            for (layer, part), whole in accumulated.items()
        }

    def _tile_of(self, image: Tensor, layers: Sequence[str]) -> int:
        return tile_for_picture(*size_of(image), layers, self.tile, self.height * self.width)

    def _of_content(self, loss: ContentLoss, name: str) -> Iterator[ContentTarget]:
        guidances = _guidances(loss, name, *size_of(loss.image), "The content picture")
        for layer, target in self._features_of(loss.image, list(guidances)).items():
            yield ContentTarget(
                name=f"{name} {layer}",
                layer=layer,
                weight=loss.weight * loss.layer_weights[layer],
                normalization=NORMALIZATIONS[loss.normalization],
                target=target,
                guidance=guidances[layer],
                size=self._size(target, guidances[layer]),
                squared_error=self.sums.squared_error,
            )

    def _size(self, target: Tensor, guidance: Guidance) -> Tensor:
        """The sum of squares, a few rows at a time."""
        step = max(1, _SQUARED // (target.shape[1] * target.shape[3]))
        sums = []
        for first in range(0, target.shape[2], step):
            window = (..., slice(first, first + step), slice(None))
            part = target[window]
            sums.append(self.sums.squared_error(part, part * 0, guidance.at(window)))
        return sums[0] if len(sums) == 1 else torch.stack(sums).sum()

    def _features_of(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """{layer: (1, N, h, w)} of a content picture, put together from its tiles."""
        height, width = size_of(image)
        whole: dict[str, Tensor] = {}
        tile = self._tile_of(image, layers)
        parts = features_by_tile(
            self.vgg, image, layers, tile, wrap=self.wrap, on_tile=self.on_tile
        )
        for window_of, features in parts:
            for layer in layers:
                stride, part = LAYERS[layer].stride, features[layer]
                if layer not in whole:
                    size = part.shape[1], height // stride, width // stride
                    whole[layer] = self.make_map(part, *size)
                whole[layer][window_of(layer)] = part
            del features, part
        return whole


def numbered(what: str, count: int) -> list[str]:
    """Names for so many losses of a kind: "style", or "style 1" and so on."""
    return [what] if count == 1 else [f"{what} {number}" for number in range(1, count + 1)]


def _counting(
    loss: StyleLoss, name: str, layers: Sequence[str]
) -> list[tuple[Tensor, Mapping[str, Guidance], Mapping[str, float]]]:
    """The style pictures of which something counts, where it does, and their share of each layer.

    The shares of a layer add up to 1.
    """
    seen = []
    for image, mask, share in loss.counting:
        check_large_enough(*size_of(image), layers, "A style picture")
        there = guidances_of(mask, *size_of(image), layers)
        if not there:
            log.warning(
                "The mask of a picture of the %s loss is empty; the picture is left out.", name
            )
        for layer in layers if there else ():
            if layer not in there:
                log.warning(
                    "The mask of a picture of the %s loss is empty at %s; the picture is left out "
                    "there.",
                    name,
                    layer,
                )
        seen.append((image, there, share))
    totals = {layer: sum(share for _, there, share in seen if layer in there) for layer in layers}
    return [
        (image, there, {layer: share / totals[layer] for layer in there})
        for image, there, share in seen
        if there
    ]


def _guidances(
    loss: ContentLoss | StyleLoss, name: str, height: int, width: int, what: str
) -> dict[str, Guidance]:
    """Where the loss counts at each of its layers; layers where it counts nowhere are left out."""
    layers = [layer for layer, weight in loss.layer_weights.items() if weight > 0]
    check_large_enough(height, width, layers, what)
    guidances = guidances_of(loss.mask, height, width, layers)
    for layer in layers:
        if layer not in guidances:
            log.warning(
                "The mask of the %s loss is empty at %s; the loss is left out.", name, layer
            )
    return guidances
