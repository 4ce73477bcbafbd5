"""The memory of a device: what is free, what was used, giving it back, and how its lack is told."""

import sys

import torch

from ..kernels.mapped_memory import glibc
from .system_memory import free_system_memory

# Values of a forward and backward pass, per pixel: 148 outputs of those ReLUs up to relu5_1
# that are not pooled at once, and 30 maxima; at the end of the backward pass 64 of them, and
# two gradients like them. The rest is what allocators round up.
_VALUES_PER_PIXEL = 256
# Indices of four max poolings: 2 bytes for each of 30 values.
_INDEX_BYTES_PER_PIXEL = 60
# Float32 copies beside the network, in pictures of 12 bytes a pixel: two per pair of L-BFGS, and
# the image, gradient, trial, direction and their temporaries.
_PICTURE_BYTES = 12
_PICTURES = 12
# Content targets: relu4_2 keeps 8 values per pixel; a little more is allowed for.
_TARGET_VALUES_PER_PIXEL = 16


def free_memory(device: torch.device) -> int | None:
    """Bytes that can still be had on a device; None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    if device.type == "xpu":
        return (
            int(torch.xpu.mem_get_info(device)[0]) if hasattr(torch.xpu, "mem_get_info") else None
        )
    return free_system_memory() if device.type == "cpu" else None


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
    if libc := glibc():
        libc.malloc_trim(0)


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


def network_bytes_per_pixel(dtype: torch.dtype) -> int:
    """Memory of one forward and backward pass, per pixel."""
    return _VALUES_PER_PIXEL * dtype.itemsize + _INDEX_BYTES_PER_PIXEL


def picture_bytes(height: int, width: int, history: int, extra: int = 0) -> int:
    """Memory that a run holds whatever the tiles are: pictures, L-BFGS history, targets."""
    pictures = _PICTURE_BYTES * (_PICTURES + 2 * history)
    return height * width * (pictures + _TARGET_VALUES_PER_PIXEL * 4 + extra)
