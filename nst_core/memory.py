"""The memory of a device: what is free, what was used, giving it back, and how its lack is told."""

import ctypes
import math
import mmap
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

import torch
from torch import Tensor

# What glibc calls these settings (malloc.h). Its own rule comes to these values in a process that
# has freed tensors of 32 MB; larger ones go back to the system at once in any case.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_TRIMMED_FROM, _MAPPED_FROM = 64 << 20, 32 << 20
_NEVER = 1 << 30
_LARGE_PAGE, _LARGE = 2 << 20, 4 << 20  # bytes
_mapped_from = ContextVar("_mapped_from", default=_LARGE)  # bytes of a block that `empty` maps


def free_memory(device: torch.device) -> int | None:
    """Bytes that can still be had on a device; None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    for line in meminfo.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def peak_memory(device: torch.device) -> int | None:
    """The most bytes held so far: on CUDA by tensors, else by the process; None on Windows."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return None
    import resource  # Unix only

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # bytes there, kilobytes elsewhere


def give_back_memory() -> None:
    """Return to the system what allocators keep of a run: on a CPU, hundreds of megabytes."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if libc := _glibc():
        libc.malloc_trim(0)


def empty(like: Tensor, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
    """An uninitialized tensor; a large one lies beside the heap, if possible on large pages.

    What the C library's heap has once been given stays with the process as long as something lies
    behind it, and what is free there is not where the next large block fits. Mapped alone, a block
    takes no more than it holds, and its last user gives it back. A fresh page is filled with zeros
    when it is first written to; with pages of 4 kB that takes several times as long as writing.
    """
    small = torch.empty(0, dtype=dtype or like.dtype, device=like.device)
    size = math.prod(shape) * small.itemsize
    if sys.platform != "linux" or small.device.type != "cpu" or size < _mapped_from.get():
        return small.new_empty(shape)
    try:
        block = mmap.mmap(-1, size + _LARGE_PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        return small.new_empty(shape)  # fails in PyTorch's words
    with suppress(OSError):  # a kernel without large pages
        block.madvise(mmap.MADV_HUGEPAGE)
    values = torch.frombuffer(block, dtype=torch.uint8)
    values = values[-values.data_ptr() % _LARGE_PAGE :][:size]
    return values.view(small.dtype).view(shape)


@contextmanager
def memory_kept(below: int) -> Iterator[None]:
    """While this lasts, what is freed in blocks below so many bytes stays with the process.

    Every evaluation needs the same blocks as the one before. Fetched anew from the system, their
    pages have to be filled with zeros first. Larger blocks are not kept: in the holes that they
    leave, the next one of the same size does not fit. Only for the main thread; the heaps of
    others are too small.
    """
    libc = _glibc() if threading.current_thread() is threading.main_thread() else None
    if libc is None:
        yield
        return
    token = _mapped_from.set(below)
    libc.malloc_trim(0)  # what came before left small pieces
    libc.mallopt(_MMAP_THRESHOLD, below)
    libc.mallopt(_TRIM_THRESHOLD, _NEVER)
    try:
        yield
    finally:
        _mapped_from.reset(token)
        libc.mallopt(_TRIM_THRESHOLD, _TRIMMED_FROM)
        libc.mallopt(_MMAP_THRESHOLD, _MAPPED_FROM)
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library, if it is the one that keeps much, and has functions to rule that."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has a class for it; the allocators of CPU and MPS only have words.

    The last of them are those of oneDNN, the CPU's convolutions, when it gets no memory.
    """
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    words = (
        "can't allocate memory",
        "not enough memory",
        "out of memory",
        "could not create a primitive",
    )
    return any(word in str(error) for word in words)
