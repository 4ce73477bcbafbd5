"""Pictures on their way through the network, tile by tile."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .passage import Passage
from .tiling import Tile, margin_of, plan_tiles
from .vgg import LAYERS, VGG16, size_of

# A picture of no more pixels is never walked in tiles of its own accord.
_FEW_PIXELS = 512**2


@dataclass(frozen=True, eq=False, kw_only=True)
class Walk:
    """How pictures go through the network: in which tiles, and whom to tell after each.

    Attributes:
        vgg: the network.
        tile: of the picture to be optimized; 0 is untiled.
        pixels: of that picture.
        wrap: whether that picture goes on at its other end.
        on_tile: told after each tile.
    """

    vgg: VGG16
    tile: int
    pixels: int
    wrap: bool
    on_tile: Callable[[], None]

    def over(
        self, image: Tensor, layers: Sequence[str], *, wrap: bool = False
    ) -> Iterator[tuple[Tile, Mapping[str, Tensor]]]:
        """Each tile of a (1, 3, H, W) image with the features it owns."""
        tiles = plan_tiles(*size_of(image), self._tile_of(image, layers), layers, wrap=wrap)
        image = wrapped(image, tiles[0].margin)
        for tile in tiles:
            passage = Passage(self.vgg, image[tile.crop], layers, back=False)
            yield tile, owned_features(passage.features, tile)
            self.on_tile()

    def _tile_of(self, image: Tensor, layers: Sequence[str]) -> int:
        """The run's tile, or one for a style picture that is larger than what is optimized.

        Such a tile's crop has no more pixels than an evaluation holds, with far less to keep of
        each: a style of any size fits where the picture does.
        """
        height, width = size_of(image)
        most = max(self.pixels, _FEW_PIXELS)
        if self.tile or height * width <= 2 * most:
            return self.tile
        return int(most**0.5) - 2 * margin_of(layers)


def owned_features(features: Mapping[str, Tensor], tile: Tile) -> Mapping[str, Tensor]:
    """Features of a tile's crop, cut down to the positions that the tile owns."""
    if tile.owns_all:  # a slice of everything would still be copied on the way back
        return features
    return {layer: part[tile.owned(layer)] for layer, part in features.items()}


def whole_features(walk: Walk, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """{layer: (1, N, h, w)} features of an image, put together from its tiles."""
    height, width = size_of(image)
    whole: dict[str, Tensor] = {}
    for tile, features in walk.over(image, layers, wrap=walk.wrap):
        for layer in layers:
            stride, part = LAYERS[layer].stride, features[layer]
            if layer not in whole:
                shape = (1, part.shape[1], height // stride, width // stride)
                whole[layer] = part.new_empty(shape).contiguous(memory_format=torch.channels_last)
            whole[layer][tile.owned_in_picture(layer)] = part
    return whole


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
