"""The memory of a device: what is free, what was used, giving it back, and how its lack is told."""

import sys

import torch

from ..kernels.mapped_memory import glibc
from .system_memory import free_system_memory, held_by_process


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


def held_memory(device: torch.device) -> int:
    """Bytes that are held now: on CUDA by tensors, else by the process; 0 where nobody says."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return held_by_process().get("VmRSS", 0)


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

    The last of them are those of C++ and of oneDNN, the CPU's convolutions, when they get none.
    """
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    words = (
        "can't allocate memory",
        "not enough memory",
        "out of memory",
        "bad_alloc",
        "could not create a",
    )
    return any(word in str(error) for word in words)
