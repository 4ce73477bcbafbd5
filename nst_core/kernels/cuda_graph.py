"""CUDA graphs: kernels that are captured once and from then on launched as a whole.

An evaluation is some two hundred kernels, and a processor takes longer to launch them one by one
than a fast card to run them. A CUDA graph holds them all: same kernels, same order, same bits.
"""

import logging
import weakref
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

log = logging.getLogger(__name__)

Tensors = tuple[Tensor, ...]
Work = Callable[..., Tensors]


class Execute(Protocol):
    """Does work on tensors. The work is the same, and so are the tensors' shapes, at every call."""

    def __call__(self, work: Work, *given: Tensor) -> Tensors:
        """What `work(*given)` returns."""


def eager(work: Work, *given: Tensor) -> Tensors:
    """At once."""
    return work(*given)


def executor(device: torch.device, *, graphs: bool, large: bool = False) -> Execute:
    """How to do work on a device: as a CUDA graph, where that is wanted and can be.

    Args:
        device: where.
        graphs: whether it is wanted.
        large: whether the work takes most of the memory that is taken in all.
    """
    if not graphs or device.type != "cuda":
        return eager
    allocator = torch.cuda.get_allocator_backend()
    if can_capture(torch.version.cuda, allocator):
        return CudaGraph(large=large)
    if torch.version.cuda is not None:
        log.info(
            f"Memory is given by {allocator}: there are no CUDA graphs, which is slower. They "
            "were not tried with it yet; `benchmarks/card.py` tries it with cudaMallocAsync."
        )
    return eager


def can_capture(cuda: str | None, allocator: str) -> bool:
    """Whether a card can capture graphs.

    Args:
        cuda: the version that PyTorch was made with; None is AMD's cards.
        allocator: what PyTorch calls the one that gives memory. With any but its own, memory of a
            graph is the driver's or somebody else's affair, which was not tried.
    """
    return cuda is not None and allocator == "native"


class CudaGraph:
    """A CUDA graph of one piece of work, captured at the second call: the first sets libraries up.

    The work may not wait for the device, and takes nothing from the processor but shapes: those
    are captured too. Tensors that it reads or changes beside those it is given must stay where
    they are in memory. All tensors are on one card, which need not be the current one.

    Args:
        large: as of `executor`.
    """

    def __init__(self, *, large: bool = False) -> None:
        self._calls, self._large = 0, large
        self._graph = torch.cuda.CUDAGraph()
        self._given: Tensors = ()
        self._results: Tensors = ()

    def __call__(self, work: Work, *given: Tensor) -> Tensors:
        """The results are copies: the next call does not change them."""
        # Graphs are captured on the card that is the current one, whatever their tensors are on.
        with torch.cuda.device(given[0].device):
            self._calls += 1
            if self._calls == 1:
                return _alone(work, given) if self._large else work(*given)
            if self._calls == 2:
                self._capture(work, given)
            for kept, new in zip(self._given, given, strict=True):
                kept.copy_(new)
            self._graph.replay()
            return tuple(result.clone() for result in self._results)

    def _capture(self, work: Work, given: Tensors) -> None:
        self._given = tuple(tensor.clone() for tensor in given)
        now = torch.cuda.current_stream()
        aside = _stream_aside(now.device_index)
        weakref.finalize(self, _over, self._graph, aside).atexit = False
        aside.wait_stream(now)
        with torch.cuda.stream(aside):
            # Other threads may go on allocating, for other runs.
            self._graph.capture_begin(capture_error_mode="thread_local")
            try:
                self._results = work(*self._given)
            finally:
                self._graph.capture_end()
        now.wait_stream(aside)


def _alone(work: Work, given: Tensors) -> Tensors:
    """The results; all the memory that they were made in is given back.

    A graph has memory of its own, and what the first call left is of no use to it. Small results
    would keep the large blocks that they lie in, so they are moved away meanwhile.
    """
    kept = [result.cpu() for result in work(*given)]
    torch.cuda.empty_cache()
    return tuple(result.to(given[0].device) for result in kept)


_free_streams: dict[int, list[torch.cuda.Stream]] = defaultdict(list)  # by device


def _stream_aside(device: int) -> torch.cuda.Stream:
    """One that no other graph was captured on, unless that is over.

    A graph uses cuBLAS's memory for its stream. PyTorch 2.14 frees that with any graph captured
    there, whoever else uses it (https://github.com/pytorch/pytorch/issues/193402); PyTorch 2.11
    keeps it for good, 32 MB on some cards, so streams that are free again are taken first.
    """
    try:
        return _free_streams[device].pop()
    except IndexError:
        return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _over(graph: torch.cuda.CUDAGraph, aside: torch.cuda.Stream) -> None:
    graph.reset()
    _free_streams[aside.device_index].append(aside)
