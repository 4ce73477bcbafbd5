"""How much memory a run takes, and the tiles in which it fits.

A run has two phases at each scale, and the larger of them counts: the targets are computed, from
one picture after another; then the picture is searched for.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..control.blocks import blocks_of
from ..control.context import Size
from ..control.resized import WHOLE_PIXELS
from ..control.tiled import tile_for_picture
from ..control.tiles import margin_of
from ..gatys.vgg import LAYERS
from . import fitted
from .runtime import Runtime

TILES = (2048, 1536, 1024, 768, 512, 384, 256)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a run works on at one scale, as far as memory depends on it.

    Attributes:
        height, width: of the picture to be found, in pixels.
        history: pairs that L-BFGS remembers.
        layers: whose features are needed.
        extra: bytes for each pixel that the statistics of the style take.
        given: bytes of pictures and masks as they came, which are copied to the device.
        styles: (height, width) of each style picture, in pixels.
        pictures: float32 pictures beside the usual ones during an evaluation.
        looked_at: pixels of all copies of the picture that are looked at, for each of its own.
    """

    height: int
    width: int
    history: int = 10
    layers: Collection[str] = tuple(LAYERS)
    extra: int = 0
    given: int = 0
    styles: Sequence[Size] = ()
    pictures: float = 0.0
    looked_at: float = 1.0

    @property
    def pixels(self) -> int:
        """Of the picture."""
        return self.height * self.width

    @property
    def longer(self) -> int:
        """The longer side of the picture."""
        return max(self.height, self.width)

    def times(self, factor: float) -> "Load":
        """The same for sides that are `factor` times as long."""
        height, width = round(self.height * factor), round(self.width * factor)
        styles = [(round(rows * factor), round(columns * factor)) for rows, columns in self.styles]
        return replace(self, height=height, width=width, styles=styles)


def estimate(load: Load, runtime: Runtime, tile: int = 0, *, away: bool = False) -> int:
    """Bytes that a run takes at most beside the network; each of several processes takes so many.

    Args:
        load: what it works on.
        runtime: where.
        tile: longest side of a tile's core in pixels; 0 is untiled.
        away: whether history and content features are kept elsewhere, see `placing`.
    """
    if runtime.finish:
        phases = replace(runtime, finish=False), runtime.exact()
        return max(estimate(load, phase, tile, away=away) for phase in phases)
    device = fitted.costs_of(runtime, away=away)
    pixels, itemsize, processes = load.pixels, runtime.dtype.itemsize, runtime.processes.size
    read = _crop(load.height, load.width, tile, load.layers, processes)
    # Of distributions, which take extra memory, each process has all values.
    sharing = 1 if load.extra else processes
    crops = [
        _crop(*size, tile_for_picture(*size, load.layers, tile, pixels), load.layers, sharing)
        for size in load.styles
    ]
    kept = (
        round(pixels * load.extra * device.extra)
        + -(-_history_bytes(load) // processes)
        + _map_bytes(load, runtime)
    )
    kept -= away_bytes(load, runtime) if away else 0
    parts = fitted.PART_BYTES * load.history if away else 0
    evaluation = pixels * fitted.PICTURE_BYTES * (device.evaluation + load.pictures)
    values = device.values + (fitted.TILED_VALUES_PER_PIXEL if tile else 0)
    # A graph keeps what is needed for one copy of the picture from what is needed for another.
    # Sorted values and inverse square roots are waited for, so there is no graph.
    graph = fitted.has_graphs(runtime) and not tile and not load.extra
    values += fitted.GRAPH_VALUES_PER_PIXEL if graph else 0
    copies = load.looked_at if graph else 1.0
    evaluation += copies * math.prod(read) * (values * itemsize + fitted.INDEX_BYTES_PER_PIXEL)
    if itemsize == 4:
        evaluation += math.prod(read) * fitted.EXACT_BYTES_PER_PIXEL.get(runtime.convolution, 0)
    if itemsize < 4:
        evaluation += fitted.ROUNDED_BYTES + math.prod(read) * fitted.ROUNDED_BYTES_PER_PIXEL
    step = pixels * fitted.PICTURE_BYTES * device.step + parts
    # Resizing a picture takes as much again as what comes out of it.
    styles = [min(math.prod(size), WHOLE_PIXELS) * fitted.PICTURE_BYTES for size in load.styles]
    passes = [math.prod(crop) * fitted.FORWARD_VALUES_PER_PIXEL * itemsize for crop in crops]
    targets = pixels * fitted.PICTURE_BYTES * fitted.TARGETS
    targets += sum(styles) + max([*styles, *passes], default=0)
    heap = min(device.heap, device.heap_per_value * itemsize * max(map(math.prod, [read, *crops])))
    heap += fitted.GRAPH_BYTES if graph else 0
    beside = device.library + heap + _beside([read, *crops], runtime)
    return round(load.given + kept + max(evaluation, step, targets) + beside)


def away_bytes(load: Load, runtime: Runtime) -> int:
    """Bytes that can be kept elsewhere."""
    history = -(-_history_bytes(load) // runtime.processes.size)
    return history + (_map_bytes(load, runtime) if maps_move(runtime) else 0)


def _history_bytes(load: Load) -> int:
    return load.pixels * fitted.PICTURE_BYTES * 2 * load.history


def _map_bytes(load: Load, runtime: Runtime) -> int:
    """Of the features of the content."""
    return load.pixels * fitted.TARGET_VALUES_PER_PIXEL * runtime.widest.itemsize


def maps_move(runtime: Runtime) -> bool:
    """Whether they can be kept elsewhere: on a processor, and by a process alone."""
    return runtime.device.type == "cpu" and runtime.processes.size == 1


def _crop(height: int, width: int, tile: int, layers: Collection[str], processes: int) -> Size:
    """(height, width) of the most that a tile reads; a tile of 0 is all that a process has."""
    margin = margin_of(layers)

    def read(own: range, side: int) -> int:
        if 0 < tile < len(own):
            return min(side, tile + 2 * margin)
        return min(side, own.stop + margin) - max(0, own.start - margin)

    blocks = blocks_of(height, width, margin, processes)
    return max(
        ((read(rows, height), read(columns, width)) for rows, columns in blocks), key=math.prod
    )


def _beside(sizes: Sequence[Size], runtime: Runtime) -> int:
    """What the convolutions up to relu5_1 hold beside their weights."""
    convolution = (runtime.exact() if runtime.finish else runtime).convolution
    return sum(
        max(
            convolution.extra_bytes(
                layer.in_channels, layer.channels, height // layer.stride, width // layer.stride
            )
            for height, width in sizes
        )
        for layer in LAYERS.values()
        if layer.name <= "relu5_1"
    )
