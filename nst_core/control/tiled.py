"""The objective over tiles, with the gradient of the whole image.

    pass 1: add up every target's sums over the tiles, without gradient
    then:   the losses of the sums, and their derivative by each sum
    pass 2: the backward pass of each tile with those derivatives, added into the full gradient

The chain rule makes this exact: the losses depend on a tile through the sums alone. The last tile's
features are kept between the passes; those of the others are computed twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..gatys.objective import Forward, ImageLoss, Objective
from ..gatys.statistics import Window
from ..gatys.targets import Target
from ..gatys.vgg import LAYERS, VGG16, Backward, GradientOf, Network, size_of
from ..processes import ALONE, Processes
from .tiles import Tile, margin_of, plan_tiles

# A picture of no more pixels is never cut into tiles of its own accord.
_FEW_PIXELS = 512**2
_CORNER: Window = (..., slice(0, 1), slice(0, 1))


class TiledObjective(Objective):
    """The same as `Objective`.

    Args:
        targets, network, image_losses: as of `Objective`.
        vgg: the network, for features without backward.
        tiles: of the image.
        on_tile: called after each tile of pass 1; may raise to cancel.
        processes: those that share the picture; `tiles` are this one's, and may be none.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        network: Network,
        image_losses: Mapping[str, ImageLoss],
        *,
        vgg: VGG16,
        tiles: Sequence[Tile],
        on_tile: Callable[[], None],
        processes: Processes = ALONE,
    ) -> None:
        super().__init__(targets, network, image_losses)
        self._vgg, self._tiles, self._on_tile = vgg, tiles, on_tile
        self._processes = processes

    def gradient_and_losses(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """As of `Objective`; losses are the first process's, so that all go the same way on."""
        gradient, losses = super().gradient_and_losses(image)
        return gradient, self._processes.as_first_has(losses)

    def of_targets(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Gradient and weighted losses of all targets."""
        others, last = self._tiles[:-1], self._tiles[-1:]  # a process may have none
        margin = last[0].margin if last else 0
        image = wrapped(image, margin)
        totals = self._totals(image, others)
        kept = [self._forward(image, tile) for tile in last]  # of both passes
        for sums in [[part.detach() for part in forward.sums] for forward in kept]:
            totals = _added(totals, sums)
        totals = totals or [nothing_of(one.layer, image, one.sums) for one in self.targets]
        losses, derivatives = self.losses_of(self._processes.sums_of(totals))
        gradient = torch.zeros_like(image)
        for tile in last:
            gradient[tile.crop] += kept.pop().backward(derivatives)
        for tile in others:
            gradient[tile.crop] += self._forward(image, tile).backward(derivatives)
        return self._processes.add_up(unwrapped(gradient, margin)), losses

    def _forward(self, image: Tensor, tile: Tile) -> Forward:
        features, backward = self.network(image[tile.crop], self.layers, tile.crops)
        if not tile.owns_all:
            sizes = {layer: size_of(part) for layer, part in features.items()}
            features = _owned_features(features, tile)
            backward = _owned_backward(backward, sizes, tile)
        return Forward(self.targets, features, backward, tile.owned_in_picture)

    def _totals(self, image: Tensor, tiles: Sequence[Tile]) -> list[Tensor]:
        """The sums of some tiles, without gradient."""
        totals: list[Tensor] = []
        for tile in tiles:
            owned = _owned_features(self._vgg(image[tile.crop], self.layers, tile.crops), tile)
            sums = [
                target.sums(owned[target.layer], tile.owned_in_picture(target.layer))
                for target in self.targets
            ]
            del owned  # before the next tile's are computed
            totals = _added(totals, sums)
            self._on_tile()
        return totals


def _added(totals: list[Tensor], sums: list[Tensor]) -> list[Tensor]:
    return [a + b for a, b in zip(totals, sums, strict=True)] if totals else sums


def features_by_tile(
    vgg: VGG16,
    image: Tensor,
    layers: Sequence[str],
    tile: int,
    *,
    wrap: bool = False,
    on_tile: Callable[[], None] = lambda: None,
    processes: Processes = ALONE,
) -> Iterator[tuple[Callable[[str], Window], Mapping[str, Tensor]]]:
    """The features of a (1, 3, H, W) image, tile by tile, and where they lie in each layer.

    Args:
        vgg: the network.
        image: a style or content picture.
        layers: canonical names.
        tile: longest side of a core in pixels; 0 is the whole picture.
        wrap: whether the picture goes on at its other end.
        on_tile: called after each tile; may raise to cancel.
        processes: those that share the picture: only this one's tiles are computed.
    """
    tiles = plan_tiles(*size_of(image), tile, layers, wrap=wrap, processes=processes)
    image = wrapped(image, tiles[0].margin if tiles else 0)
    for one in tiles:
        yield one.owned_in_picture, _owned_features(vgg(image[one.crop], layers, one.crops), one)
        on_tile()


def tile_for_picture(height: int, width: int, layers: Iterable[str], tile: int, pixels: int) -> int:
    """The run's tile, or one for a style picture that is larger than what is optimized.

    Such a tile's crop has no more pixels than an evaluation holds, with far less to keep of each: a
    style of any size fits where the picture does.

    Args:
        height, width: of the style picture, in pixels.
        layers: whose features are needed.
        tile: of the run.
        pixels: of the picture to be optimized.
    """
    most = max(pixels, _FEW_PIXELS)
    if tile or height * width <= 2 * most:
        return tile
    return int(most**0.5) - 2 * margin_of(layers)


def nothing_of(layer: str, like: Tensor, sums: Callable[[Tensor, Window], Tensor]) -> Tensor:
    """What a process without a tile adds to a total: zeros of the shape of `sums`."""
    return torch.zeros_like(sums(like.new_zeros(1, LAYERS[layer].channels, 1, 1), _CORNER))


def _owned_features(features: dict[str, Tensor], tile: Tile) -> dict[str, Tensor]:
    if tile.owns_all:
        return features
    return {layer: part[tile.owned(layer)] for layer, part in features.items()}


def _owned_backward(
    backward: Backward, sizes: Mapping[str, tuple[int, int]], tile: Tile
) -> Backward:
    """The network's backward of a crop, by the features that the tile owns; the rest has none."""

    def owned_backward(gradient_of: GradientOf) -> Tensor:
        def gradient_of_crop(layer: str) -> Tensor:
            (height, width), (_, rows, columns) = sizes[layer], tile.owned(layer)
            around = columns.start, width - columns.stop, rows.start, height - rows.stop
            # Not zeros to copy into: those would lie channel by channel, which is slow to add.
            return F.pad(gradient_of(layer), around) if any(around) else gradient_of(layer)

        return backward(gradient_of_crop)

    return owned_backward


def wrapped(image: Tensor, margin: int) -> Tensor:
    """(…, H, W) -> (…, H + 2 margin, W + 2 margin): beyond each end the picture begins anew."""
    if margin == 0:
        return image
    rows, columns = (_around(side, margin, image) for side in size_of(image))
    return image.index_select(-2, rows).index_select(-1, columns)


def unwrapped(gradient: Tensor, margin: int) -> Tensor:
    """The gradient of a picture from that of its `wrapped` copy."""
    if margin == 0:
        return gradient
    for axis in (-2, -1):
        gradient = _folded(gradient.movedim(axis, -1), margin).movedim(-1, axis)
    return gradient.contiguous()


def _folded(wide: Tensor, margin: int) -> Tensor:
    """(…, N + 2 margin) -> (…, N): copies of a place added up, always in the same order."""
    side = wide.shape[-1] - 2 * margin
    before = -margin % side  # so that whole copies lie one after the other
    padded = F.pad(wide, (before, -(before + wide.shape[-1]) % side))
    return padded.reshape(*wide.shape[:-1], -1, side).sum(-2)


def _around(side: int, margin: int, like: Tensor) -> Tensor:
    return torch.arange(-margin, side + margin, device=like.device) % side
