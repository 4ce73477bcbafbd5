"""Work on a graphics card that is recorded once and from then on handed over as a whole.

An evaluation is some two hundred pieces of work, and a processor takes longer to hand them over one
by one than a fast card to do them. A CUDA graph holds them all: same work, same order, same bits.
"""

import logging
import threading
import traceback
import weakref
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Protocol

import torch
from torch import Tensor

from .memory import give_back_graph_memory

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
    if not record or device.type != "cuda":
        return directly
    records = can_record(torch.version.cuda, torch.cuda.get_allocator_backend())
    if records is None:
        records = _tried(device)
    return Recording() if records else directly


def can_record(cuda: str | None, allocator: str) -> bool | None:
    """Whether a card records; None is for a trial to find out.

    Args:
        cuda: the version that PyTorch was made with; None is AMD's cards.
        allocator: what PyTorch calls the one that gives memory.
    """
    if cuda is None or allocator not in ("native", "cudaMallocAsync"):
        return False
    # PyTorch says that it records with cudaMallocAsync too, which is ComfyUI's choice for most
    # cards. Nobody has seen it do so with this engine (`benchmarks/card.py` would show it).
    return True if allocator == "native" else None


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
                except BaseException as error:
                    # What cudaMallocAsync gave to a graph that never ran cannot be freed outside of
                    # it: the driver refuses, and in a destructor that ends the process. So it is
                    # freed here, not when the error is forgotten.
                    traceback.clear_frames(error.__traceback__)
                    raise
                finally:
                    graph.capture_end()
            now.wait_stream(aside)
        return graph

    def _compute(self, work: Work) -> None:
        """Leaves nothing behind that was allocated on the way: it belongs to the graph."""
        assert self._results is not None
        for kept, result in zip(self._results, work(*self._given), strict=True):
            kept.copy_(result)


# With cudaMallocAsync, a process records one graph at a time.
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
    if torch.cuda.get_allocator_backend() == "cudaMallocAsync":
        give_back_graph_memory(aside.device_index)
    _free_streams[aside.device_index].append(aside)


def _set_up_cublas(device: torch.device) -> None:
    """Have it take its memory for the current stream, in this thread and in autograd's.

    Taken while a graph is recorded, it would be the graph's.
    """
    with torch.enable_grad():
        leaf = torch.ones(1, 1, device=device, requires_grad=True)
        torch.autograd.grad(leaf @ leaf, leaf)


@cache
def _tried(device: torch.device) -> bool:
    return trial(Recording(), device)


def trial(do: Do, device: torch.device) -> bool:
    """Whether `do` has the bits of the work itself, here; the log says so."""
    try:
        outcome = "had the same bits" if same_bits(do, device) else "had other bits"
    except RuntimeError as error:  # PyTorch has no narrower class for it
        outcome = f"failed ({error})"
    works = outcome == "had the same bits"
    log.info(
        "Memory is given by cudaMallocAsync. A recording on trial %s: evaluations are %s.",
        outcome,
        "recorded" if works else "not recorded, and slower",
    )
    return works


def same_bits(do: Do, device: torch.device) -> bool:
    """Whether `do` gives what the work itself gives, call after call, and leaves it alone."""
    generator = torch.Generator().manual_seed(0)
    found: list[Tensor] = []
    expected: list[Tensor] = []
    for _ in range(4):  # the first is not recorded yet, the second is what is recorded
        given = torch.randn(256, 1024, generator=generator).to(device)
        found += do(_sample, given)
        expected += _sample(given)  # allocates what a graph may not use too
    return all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def _sample(given: Tensor) -> Tensors:
    """A Gram matrix's way there and back, as in an evaluation."""
    with torch.enable_grad():
        leaf = given.detach().requires_grad_()
        loss = (leaf @ leaf.mT).square().mean()
        gradient = torch.autograd.grad(loss, leaf)[0]
    return gradient, loss.detach()
