"""Losses to targets: the statistics of styles and the features of contents, at one scale."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ..gatys.functions import NORMALIZATIONS, Sums
from ..gatys.statistics import Guidance, Statistic, Window
from ..gatys.targets import ContentTarget, StyleTarget, Target
from ..gatys.vgg import LAYERS, VGG16, size_of
from ..processes import ALONE, Processes
from .counting import counting_layers, counting_pictures
from .known import Guidances, KnownStyles, Values
from .losses import ContentLoss, StyleLoss, Weighed
from .resized import Resized
from .statistics import adds_up, statistics_named
from .tiled import features_by_tile, nothing_of, tile_for_picture

MakeMap = Callable[[Tensor, int, int, int], Tensor]
Statistics = Mapping[str, Mapping[str, Statistic]]  # by layer, then by name
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
        processes: those that share the work.
        make_map: of features, channels, height and width -> where a content's features are kept.
        known: of earlier runs with the same network.
    """

    vgg: VGG16
    height: int
    width: int
    tile: int = 0
    wrap: bool = False
    sums: Sums = Sums()  # noqa: RUF009
    on_tile: Callable[[], None] = lambda: None
    processes: Processes = ALONE
    make_map: MakeMap = map_in_memory
    known: KnownStyles | None = None

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
        guidances = counting_layers(loss, name, self.height, self.width, "The result")
        statistics = {
            layer: statistics_named(
                loss.statistics, LAYERS[layer].channels, math.prod(guidance.grid), self.sums
            )
            for layer, guidance in guidances.items()
        }
        means: dict[tuple[str, str], Tensor] = {}
        for image, own, shares in counting_pictures(loss, name, list(guidances)):
            for key, value in self._known_of(image, own, statistics).items():
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

    def _known_of(self, image: Tensor, guidances: Guidances, statistics: Statistics) -> Values:
        """`_statistics_of`, from an earlier run if it has them."""
        find = partial(self._statistics_of, image, guidances, statistics)
        # Distributions are too large to keep, and processes must all do the same work.
        small = all(adds_up(one) for layer in guidances for one in statistics[layer].values())
        if self.known is None or not small or self.processes.size > 1 or isinstance(image, Resized):
            return find()
        weights = next(self.vgg.parameters())
        kinds = tuple((layer, tuple(statistics[layer])) for layer in guidances)
        how = kinds, weights.dtype, type(self.vgg.convolutions["conv1_1"]), self.tile
        return self.known.values(image, guidances, how, find)

    def _statistics_of(self, image: Tensor, guidances: Guidances, statistics: Statistics) -> Values:
        """{(layer, statistic): value} of a style picture, accumulated tile by tile.

        Sums are shared out over the processes. Of distributions each process has all values.
        """
        layers = list(guidances)
        accumulated: dict[tuple[str, str], Tensor] = {}
        tile = self._tile_of(image, layers)
        sums = all(adds_up(one) for layer in layers for one in statistics[layer].values())
        among = self.processes if sums else ALONE
        parts = features_by_tile(
            self.vgg, image, layers, tile, on_tile=self.on_tile, processes=among
        )
        for window_of, features in parts:
            for layer in layers:
                for part, statistic in statistics[layer].items():
                    so_far = accumulated.get((layer, part))
                    accumulated[layer, part] = statistic.accumulated(
                        so_far, features[layer], guidances[layer], window_of(layer)
                    )
            del features  # before the next tile's are computed
        for layer in () if accumulated else layers:
            for part, statistic in statistics[layer].items():
                sums_of = partial(_sums, statistic, guidances[layer])
                accumulated[layer, part] = nothing_of(layer, image, sums_of)
        totals = among.sums_of(list(accumulated.values()))
        return {
            (layer, part): statistics[layer][part].finalized(whole, guidances[layer].positions)
            for (layer, part), whole in zip(accumulated, totals, strict=True)
        }

    def _tile_of(self, image: Tensor, layers: Sequence[str]) -> int:
        return tile_for_picture(*size_of(image), layers, self.tile, self.height * self.width)

    def _of_content(self, loss: ContentLoss, name: str) -> Iterator[ContentTarget]:
        guidances = counting_layers(loss, name, *size_of(loss.image), "The content picture")
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
            self.vgg,
            image,
            layers,
            tile,
            wrap=self.wrap,
            on_tile=self.on_tile,
            processes=self.processes,
        )
        like = image.new_empty(0, dtype=next(self.vgg.parameters()).dtype)
        for layer in layers:
            stride = LAYERS[layer].stride
            size = LAYERS[layer].channels, height // stride, width // stride
            whole[layer] = self.make_map(like, *size)
            if self.processes.size > 1:
                whole[layer].zero_()  # where others have the features
        for window_of, features in parts:
            for layer in layers:
                whole[layer][window_of(layer)] = features[layer]
            del features
        if self.processes.size > 1:
            for map_ in whole.values():
                self.processes.add_up(map_.movedim(1, -1))
        return whole


def _sums(statistic: Statistic, guidance: Guidance, features: Tensor, window: Window) -> Tensor:
    return statistic.sums(features, guidance, window)


def numbered(what: str, count: int) -> list[str]:
    """Names for so many losses of a kind: "style", or "style 1" and so on."""
    return [what] if count == 1 else [f"{what} {number}" for number in range(1, count + 1)]
