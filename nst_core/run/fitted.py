"""What a run takes on each kind of device, fitted to what `benchmarks/memory.py` prints."""

from dataclasses import dataclass, replace

from ..kernels.convolution import Convolution
from ..kernels.cudnn import CudnnConvolution
from .runtime import Runtime

# In tiles, gradients by the features of a core are also there as those of the crop.
TILED_VALUES_PER_PIXEL = 48
# In bfloat16 the network's own copy, and float32 copies of features that are summed up.
ROUNDED_BYTES, ROUNDED_BYTES_PER_PIXEL = 36 << 20, 132
# Indices of four max poolings: 2 bytes for each of 30 values.
INDEX_BYTES_PER_PIXEL = 60
# A forward pass alone: relu1_1, which a style asks for, relu1_2, and the maxima of that.
FORWARD_VALUES_PER_PIXEL = 160
# Float32 pictures of 12 bytes a pixel beside the network, while targets are made.
PICTURE_BYTES, TARGETS = 12, 4.0
# What cuDNN and oneDNN work in, where products are of float32 unrounded.
EXACT_BYTES_PER_PIXEL = {CudnnConvolution: 1700, Convolution: 80}
# What is in memory at a time of pairs that are kept elsewhere, for each of them.
PART_BYTES = 9 << 20
# Values of content targets: relu4_2 keeps 8 for each pixel.
TARGET_VALUES_PER_PIXEL = 8


@dataclass(frozen=True)
class Costs:
    """What depends on the kind of device.

    Attributes:
        library: bytes, whatever the picture: scratch of convolutions, code and buffers of
            libraries, workspaces of cuDNN and cuBLAS.
        heap_per_value, heap: bytes for each value of a pixel, up to so many in all, in free pieces
            between blocks.
        values: of a forward and backward pass, for each pixel: 148 outputs of those ReLUs up to
            relu5_1 that are not pooled at once, and 30 maxima; at the end of the backward pass 64
            of them, and two gradients like them. The rest is what allocators round up.
        evaluation: float32 pictures during an evaluation: the best one, its gradient, the
            direction, the trial, its gradient and the content.
        step: likewise in a step of L-BFGS: both pictures, both gradients, their differences and
            what the preconditioner needs.
        extra: times what statistics take; sorting on a card needs room beside.
    """

    library: int
    heap_per_value: int
    heap: int
    values: int
    evaluation: float
    step: float
    extra: float = 1.0


_PROCESSOR = Costs(67 << 20, 96, 24 << 20, 220, 6.0, 8.0)
# On cards three colors are transformed together.
_CARD = Costs(460 << 20, 0, 0, 220, 12.0, 12.0, 1.55)
# CUDA graphs have memory of their own, in pieces that fit worse: those of the history pictures, and
# that of an evaluation untiled.
_HISTORY_GRAPHS, GRAPH_VALUES_PER_PIXEL, GRAPH_BYTES = 24.0, 275, 30 << 20


def has_graphs(runtime: Runtime) -> bool:
    """Whether work becomes CUDA graphs: nothing that is exchanged with others can be in one."""
    return runtime.graphs and runtime.processes.size == 1


def costs_of(runtime: Runtime, *, away: bool) -> Costs:
    """Those of a runtime.

    Args:
        runtime: where.
        away: whether pairs of L-BFGS are kept elsewhere, where no graph can read them.
    """
    if runtime.device.type == "cpu":
        return _PROCESSOR
    if away or not has_graphs(runtime):
        return _CARD
    return replace(_CARD, evaluation=_HISTORY_GRAPHS, step=_HISTORY_GRAPHS)
