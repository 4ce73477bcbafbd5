"""Work on a graphics card that is recorded once and from then on handed over as a whole.

An evaluation is some two hundred pieces of work, and a processor takes longer to hand them over one
by one than a fast card to do them. A CUDA graph holds them all: same work, same order, same bits.
"""

import logging
from collections.abc import Callable
from functools import cache
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
    they are in memory.
    """

    def __init__(self) -> None:
        self._calls = 0
        self._graph = torch.cuda.CUDAGraph()
        self._given: Tensors = ()
        self._results: Tensors = ()

    def __call__(self, work: Work, *given: Tensor) -> Tensors:
        """The results are copies: the next call does not change them."""
        self._calls += 1
        if self._calls == 1:
            return work(*given)
        if self._calls == 2:
            self._record(work, given)
        for kept, new in zip(self._given, given, strict=True):
            kept.copy_(new)
        self._graph.replay()
        return tuple(result.clone() for result in self._results)

    def _record(self, work: Work, given: Tensors) -> None:
        self._given = tuple(tensor.clone() for tensor in given)
        now = torch.cuda.current_stream()
        aside = _stream_aside(now.device_index)
        aside.wait_stream(now)
        with torch.cuda.stream(aside):
            # Other threads may go on allocating, for other runs.
            self._graph.capture_begin(capture_error_mode="thread_local")
            try:
                self._results = work(*self._given)
            finally:
                self._graph.capture_end()
        now.wait_stream(aside)


@cache
def _stream_aside(device: int) -> torch.cuda.Stream:
    """The one that all recordings of a device are taken on.

    PyTorch keeps a workspace of 32 MB for every stream that has multiplied matrices, for good.
    """
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
