"""The integer plan of a picture cut into tiles, and who owns which feature.

A tile computes the features of a crop but owns only those of its core, and every feature is
owned exactly once. The crop reaches far enough beyond the core that owned features, and their
gradient, are those of the whole picture. After Galerne et al. (arXiv:2212.13459), with the exact
reach of the network for a margin.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ..gatys.statistics import Window
from ..gatys.vgg import LAYERS
from ..processes import ALONE, Processes
from ..settings.layers import LAYER_NAMES
from .blocks import ALIGNMENT, blocks_of

__all__ = ["ALIGNMENT", "Span", "Tile", "margin_of", "plan_tiles", "reach_of"]


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in pixels: it reads [start, stop) and owns [core, core_stop).

    Of a picture that is wrapped around, it may read beyond both ends.
    """

    start: int
    stop: int
    core: int
    core_stop: int


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
        """Whether the core is the whole crop, as it is for the only tile of a picture."""
        return all(
            (span.core, span.core_stop) == (span.start, span.stop)
            for span in (self.rows, self.columns)
        )

    @property
    def crop(self) -> Window:
        """What the tile reads, as slices of the picture's last two axes."""
        return (
            ...,
            slice(self.rows.start + self.margin, self.rows.stop + self.margin),
            slice(self.columns.start + self.margin, self.columns.stop + self.margin),
        )

    def owned(self, layer: str) -> Window:
        """The tile's own positions, as slices of the crop's features at a layer."""
        return (
            ...,
            _grid(self.rows, layer, self.rows.start),
            _grid(self.columns, layer, self.columns.start),
        )

    def owned_in_picture(self, layer: str) -> Window:
        """The same positions, as slices of the whole picture's features."""
        return ..., _grid(self.rows, layer, 0), _grid(self.columns, layer, 0)


def _grid(span: Span, layer: str, origin: int) -> slice:
    stride = LAYERS[layer].stride
    # Floor division at the far end: pooling drops a remainder, which only the last core has.
    return slice((span.core - origin) // stride, (span.core_stop - origin) // stride)


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
    margin = margin_of(layers)
    blocks = blocks_of(height, width, margin, processes.size, wrap=wrap)
    own_rows, own_columns = blocks[processes.rank]
    return tuple(
        Tile(rows, columns, margin if wrap else 0)
        for rows in _spans(height, own_rows, tile, margin, wrap)
        for columns in _spans(width, own_columns, tile, margin, wrap)
    )


def margin_of(layers: Iterable[str]) -> int:
    """Pixels to read beyond a core: the layers' farthest reach, rounded up to the alignment.

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


def _spans(length: int, own: range, tile: int, margin: int, wrap: bool) -> list[Span]:
    """Tiles over a part of a side."""
    first, last = (-margin, length + margin) if wrap else (0, length)
    core = max(len(own), ALIGNMENT)
    if 0 < tile < len(own):
        count = -(-len(own) // tile)
        core = -(-len(own) // (count * ALIGNMENT)) * ALIGNMENT  # even shares, on the grid
    return [
        Span(
            max(first, start - margin),
            min(last, start + core + margin),
            start,
            min(own.stop, start + core),
        )
        for start in range(own.start, own.stop, core)
    ]
