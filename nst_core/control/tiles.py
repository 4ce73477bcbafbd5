"""The integer plan of a picture cut into tiles, and who owns which feature.

A tile computes the features of a crop but owns only those of its core, and every feature is
owned exactly once. It reads as far beyond the core as the network looks, and keeps of each layer
what deeper ones still need (`spans`), so owned features, and their gradient, are those of the whole
picture. After Galerne et al. (arXiv:2212.13459), with the exact reach of the network for a margin.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..gatys.statistics import Window
from ..gatys.vgg import LAYERS, Crop
from ..processes import ALONE, Processes
from ..settings.layers import LAYER_NAMES
from .blocks import ALIGNMENT, blocks_of
from .spans import Span, span_of

__all__ = ["ALIGNMENT", "Tile", "margin_of", "plan_tiles", "reach_of"]


@dataclass(frozen=True)
class Tile:
    """A crop of the picture and the core it owns.

    Attributes:
        rows, columns: where it lies.
        margin: pixels that the picture was continued by on each side before it is cropped.
    """

    rows: Span
    columns: Span
    margin: int = 0

    @property
    def owns_all(self) -> bool:
        """Whether the core is all it reads, as it is for the only tile of a picture."""
        return all(span.core == span.pixels for span in (self.rows, self.columns))

    @property
    def work(self) -> float:
        """The pixels of an untiled picture with as many multiplications."""
        (top, bottom), (left, right) = self.rows.pixels, self.columns.pixels
        if self.owns_all or not self.rows.kept:
            return (bottom - top) * (right - left)
        done = whole = 0.0
        for name, (first, last) in self.rows.kept.items():
            layer, (start, stop) = LAYERS[name], self.columns.kept[name]
            done += (last - first) * (stop - start) * layer.in_channels * layer.channels
            whole += layer.in_channels * layer.channels / layer.stride**2
        return done / whole

    @property
    def crop(self) -> Window:
        """What the tile reads, as slices of the picture's last two axes."""
        (top, bottom), (left, right) = self.rows.pixels, self.columns.pixels
        start = self.margin
        return ..., slice(start + top, start + bottom), slice(start + left, start + right)

    @property
    def crops(self) -> dict[str, Crop]:
        """What is dropped of each layer's features, because deeper layers do not need it."""
        if self.owns_all:
            return {}
        return {
            layer: (*self.columns.dropped(layer), *self.rows.dropped(layer))
            for layer in self.rows.kept
        }

    def owned(self, layer: str) -> Window:
        """The tile's own positions, as slices of its features at a layer, which are cropped."""
        return ..., self.rows.owned_of_kept(layer), self.columns.owned_of_kept(layer)

    def owned_in_picture(self, layer: str) -> Window:
        """The same positions, as slices of the whole picture's features."""
        return ..., slice(*self.rows.owned(layer)), slice(*self.columns.owned(layer))


def plan_tiles(
    height: int,
    width: int,
    tile: int,
    layers: Iterable[str],
    *,
    wrap: bool = False,
    processes: Processes = ALONE,
) -> tuple[Tile, ...]:
    """Cut a (height, width) picture into tiles with cores of about `tile` pixels a side.

    Args:
        height, width: of the picture, in pixels.
        tile: the longest side of a core; 0, or at least the picture's size, is one tile.
        layers: canonical names of the layers whose features are needed.
        wrap: whether the picture goes on at its other end, as far as the margin.
        processes: those that share the picture. Each has a block of it, in one tile or several.

    Returns:
        The tiles of this process, in reading order. A process alone has the whole picture, and one
        tile is exactly that; of a tiny picture, some processes have none.
    """
    layers = set(layers)
    margin = margin_of(layers)
    blocks = blocks_of(height, width, margin, processes.size, wrap=wrap)
    own_rows, own_columns = blocks[processes.rank]
    return tuple(
        Tile(rows, columns, margin if wrap else 0)
        for rows in _spans(height, own_rows, tile, margin, wrap, layers)
        for columns in _spans(width, own_columns, tile, margin, wrap, layers)
    )


def margin_of(layers: Iterable[str]) -> int:
    """Pixels that a core sees beyond itself, at most: the layers' farthest reach, on the grid.

    >>> margin_of(["relu1_1"]), margin_of(["relu4_1"]), margin_of(["relu5_1"])
    (16, 32, 64)
    """
    reach = max((reach_of(name) for name in layers), default=0)
    return -(-reach // ALIGNMENT) * ALIGNMENT


def reach_of(layer: str) -> int:
    """Pixels that a feature sees beyond its own on each side.

    The feature at position p sees those from `p * stride - reach` to
    `p * stride + stride - 1 + reach`.
    """
    # A 3x3 convolution looks one feature further to each side.
    return sum(LAYERS[name].stride for name in LAYER_NAMES[: LAYER_NAMES.index(layer) + 1])


def _spans(
    length: int, own: range, tile: int, margin: int, wrap: bool, layers: Collection[str]
) -> list[Span]:
    """Tiles over a part of a side."""
    ends = (-margin, length + margin) if wrap else (0, length)
    core = max(len(own), ALIGNMENT)
    if 0 < tile < len(own):
        count = -(-len(own) // tile)
        core = -(-len(own) // (count * ALIGNMENT)) * ALIGNMENT  # even shares, on the grid
    return [
        span_of((start, min(own.stop, start + core)), ends, layers)
        for start in range(own.start, own.stop, core)
    ]
