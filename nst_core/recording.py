"""Work on a graphics card that is recorded once and from then on handed over as a whole.

An evaluation is some two hundred pieces of work, and a processor takes longer to hand them over one
by one than a fast card to do them. A CUDA graph holds them all: same work, same order, same bits.
"""

import logging
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

log = logging.getLogger(__name__)

Tensors = tuple[Tensor, ...]
Work = Callable[..., Tensors]


class Do(Protocol):
    """Does work on tensors. The work is the same, and so are the tensors' shapes, at every call."""

    def __call__(self, work: Work, *given: Tensor) -> Tensors:
        """What `work(*given)` returns."""


def directly(work: Work, *given: Tensor) -> Tensors:
    """As it comes."""
    return work(*given)


def doer(device: torch.device, *, record: bool) -> Do:
    """What does the work on a device: a recording, where it is wanted and there can be one."""
    if not record or device.type != "cuda" or torch.version.cuda is None:
        return directly
    if torch.cuda.get_allocator_backend() != "native":
        # Memory of a graph is then the driver's own affair, which was not tried.
        log.info("Memory is given by cudaMallocAsync: evaluations are not recorded, and slower.")
        return directly
    return Recording()


class Recording:
    """A CUDA graph of one piece of work, taken at the second call: at the first, libraries set up.

    The work may not wait for the device, and takes nothing from the processor but shapes: those
    are recorded too. Tensors that it reads or changes beside those it is given must stay where
    they are in memory. All tensors are on one card, which need not be the current one.
    """

    def __init__(self) -> None:
        self._graph: torch.cuda.CUDAGraph | None = None
        self._given: Tensors = ()
        self._results: Tensors | None = None

    def __call__(self, work: Work, *given: Tensor) -> Tensors:
        """The results are copies: the next call does not change them."""
        # Graphs and streams belong to the card that is the current one when they are made.
        with torch.cuda.device(given[0].device):
            if self._results is None:
                results = work(*given)
                self._results = tuple(torch.empty_like(result) for result in results)
                return results
            if self._graph is None:
                self._given = tuple(torch.empty_like(tensor) for tensor in given)
                self._graph = self._recorded(work, given[0].device)
            for kept, new in zip(self._given, given, strict=True):
                kept.copy_(new)
            self._graph.replay()
            return tuple(result.clone() for result in self._results)

    def _recorded(self, work: Work, device: torch.device) -> torch.cuda.CUDAGraph:
        now = torch.cuda.current_stream()
        with _recorder:
            graph, aside = torch.cuda.CUDAGraph(), _stream_aside(now.device_index)
            weakref.finalize(self, _over, graph, aside).atexit = False
            aside.wait_stream(now)
            with torch.cuda.stream(aside):
                _set_up_cublas(device)
                # Other threads may go on allocating, for other runs.
                graph.capture_begin(capture_error_mode="thread_local")
                try:
                    self._compute(work)
                finally:
                    graph.capture_end()
            now.wait_stream(aside)
        return graph

    def _compute(self, work: Work) -> None:
        """Leaves nothing behind that was allocated on the way: it belongs to the graph."""
        assert self._results is not None
        for kept, result in zip(self._results, work(*self._given), strict=True):
            kept.copy_(result)


_recorder = threading.Lock()
_free_streams: dict[int, list[torch.cuda.Stream]] = defaultdict(list)  # by device


def _stream_aside(device: int) -> torch.cuda.Stream:
    """One that no other graph was recorded on, unless that is over.

    A graph uses cuBLAS's memory for its stream. PyTorch 2.14 frees that with any graph recorded
    there, whoever else uses it (https://github.com/pytorch/pytorch/issues/193402); PyTorch 2.11
    keeps it for good, 32 MB on some cards, so streams that are free again are taken first.
    """
    free = _free_streams[device]
    return free.pop() if free else torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _over(graph: torch.cuda.CUDAGraph, aside: torch.cuda.Stream) -> None:
    graph.reset()
    _free_streams[aside.device_index].append(aside)


def _set_up_cublas(device: torch.device) -> None:
    """Have it take its memory for the current stream, in this thread and in autograd's.

    Taken while a graph is recorded, it would be the graph's.
    """
    with torch.enable_grad():
        leaf = torch.ones(1, 1, device=device, requires_grad=True)
        torch.autograd.grad(leaf @ leaf, leaf)
