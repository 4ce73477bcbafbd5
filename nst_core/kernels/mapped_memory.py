"""Memory for the large blocks of a run, beside the C library's heap."""

import ctypes
import math
import mmap
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

import torch
from torch import Tensor

# What glibc calls these settings (malloc.h). Its own rule comes to these values in a process that
# has freed tensors of 32 MB; larger ones go back to the system at once in any case.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_TRIMMED_FROM, _MAPPED_FROM = 64 << 20, 32 << 20
_NEVER = 1 << 30
_LARGE_PAGE, _LARGE = 2 << 20, 4 << 20  # bytes
_mapped_from = ContextVar("_mapped_from", default=_LARGE)  # bytes that `empty_mapped` maps


def empty_mapped(like: Tensor, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
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
    libc = glibc() if threading.current_thread() is threading.main_thread() else None
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


def glibc() -> ctypes.CDLL | None:
    """The C library, if it is the one that keeps much, and has functions to rule that."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None
