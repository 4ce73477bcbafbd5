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
from .runtime import Runtime

# Whatever the picture: on a processor the scratch of the convolutions, and code and buffers of
# libraries; on NVIDIA's cards the workspaces of cuDNN and cuBLAS.
_LIBRARY_BYTES = {"cpu": 64 << 20, "cuda": 384 << 20}
# Free pieces of a processor's heap between blocks too small to be mapped alone: of so many bytes
# per pixel, until most blocks are large.
_HEAP_BYTES_PER_PIXEL, _HEAP_BYTES = 384, 24 << 20
TILES = (2048, 1536, 1024, 768, 512, 384, 256)

# All of these constants are fitted to what `benchmarks/memory.py` prints.

# Values of a forward and backward pass, per pixel: 148 outputs of those ReLUs up to relu5_1
# that are not pooled at once, and 30 maxima; at the end of the backward pass 64 of them, and
# two gradients like them. The rest is what allocators round up, on cards more.
_VALUES_PER_PIXEL, _ON_CARDS = 220, 256
# In tiles, gradients by the features of a core are also there as those of the crop.
_TILED_VALUES_PER_PIXEL = 48
# In bfloat16 the network's own copy, and float32 copies of features that are summed up.
_ROUNDED_BYTES, _ROUNDED_BYTES_PER_PIXEL = 36 << 20, 132
# Indices of four max poolings: 2 bytes for each of 30 values.
_INDEX_BYTES_PER_PIXEL = 60
# A forward pass alone: relu1_1, which a style asks for, relu1_2, and the maxima of that.
_FORWARD_VALUES_PER_PIXEL = 160
# Float32 copies beside the network, in pictures of 12 bytes a pixel: during an evaluation the best
# picture, its gradient, the direction, the trial, its gradient and the content; in a step of L-BFGS
# both pictures, both gradients, their differences and what the preconditioner needs.
_PICTURE_BYTES = 12
_EVALUATION, _STEP, _TARGETS = 6.0, 8.0, 4.0
# On cards there are copies for CUDA graphs, and three colors are transformed together.
_PICTURES_ON_CARDS = 12.0
# What is in memory at a time of pairs that are kept elsewhere, for each of them.
_PART_BYTES = 9 << 20
# Values of content targets: relu4_2 keeps 8 for each pixel.
_TARGET_VALUES_PER_PIXEL = 8


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
    """

    height: int
    width: int
    history: int = 10
    layers: Collection[str] = tuple(LAYERS)
    extra: int = 0
    given: int = 0
    styles: Sequence[Size] = ()
    pictures: float = 0.0

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
    pixels, itemsize = load.height * load.width, runtime.dtype.itemsize
    cpu, processes = runtime.device.type == "cpu", runtime.processes.size
    read = _crop(load.height, load.width, tile, load.layers, processes)
    # Of distributions, which take extra memory, each process has all values.
    sharing = 1 if load.extra else processes
    crops = [
        _crop(*size, tile_for_picture(*size, load.layers, tile, pixels), load.layers, sharing)
        for size in load.styles
    ]
    kept = pixels * load.extra + -(-_history_bytes(load) // processes) + _map_bytes(load, runtime)
    kept -= away_bytes(load, runtime) if away else 0
    parts = _PART_BYTES * load.history if away else 0
    pictures = _EVALUATION if cpu else _PICTURES_ON_CARDS
    evaluation = pixels * _PICTURE_BYTES * (pictures + load.pictures)
    values = (_VALUES_PER_PIXEL if cpu else _ON_CARDS) + (_TILED_VALUES_PER_PIXEL if tile else 0)
    evaluation += math.prod(read) * (values * itemsize + _INDEX_BYTES_PER_PIXEL)
    if itemsize < 4:
        evaluation += _ROUNDED_BYTES + math.prod(read) * _ROUNDED_BYTES_PER_PIXEL
    step = pixels * _PICTURE_BYTES * (_STEP if cpu else _PICTURES_ON_CARDS) + parts
    # Resizing a picture takes as much again as what comes out of it.
    styles = [min(math.prod(size), WHOLE_PIXELS) * _PICTURE_BYTES for size in load.styles]
    passes = [math.prod(crop) * _FORWARD_VALUES_PER_PIXEL * itemsize for crop in crops]
    targets = pixels * _PICTURE_BYTES * _TARGETS
    targets += sum(styles) + max([*styles, *passes], default=0)
    heap = min(_HEAP_BYTES, _HEAP_BYTES_PER_PIXEL * math.prod(read))
    beside = _beside([read, *crops], runtime) + (heap if cpu else 0)
    return round(load.given + kept + max(evaluation, step, targets) + beside)


def away_bytes(load: Load, runtime: Runtime) -> int:
    """Bytes that can be kept elsewhere."""
    history = -(-_history_bytes(load) // runtime.processes.size)
    return history + (_map_bytes(load, runtime) if maps_move(runtime) else 0)


def _history_bytes(load: Load) -> int:
    return load.height * load.width * _PICTURE_BYTES * 2 * load.history


def _map_bytes(load: Load, runtime: Runtime) -> int:
    """Of the features of the content."""
    return load.height * load.width * _TARGET_VALUES_PER_PIXEL * runtime.widest.itemsize


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
    """What the convolutions up to relu5_1 hold beside their weights, and the libraries."""
    convolution = (runtime.exact() if runtime.finish else runtime).convolution
    return _LIBRARY_BYTES.get(runtime.device.type, 0) + sum(
        max(
            convolution.extra_bytes(
                layer.in_channels, layer.channels, height // layer.stride, width // layer.stride
            )
            for height, width in sizes
        )
        for layer in LAYERS.values()
        if layer.name <= "relu5_1"
    )
