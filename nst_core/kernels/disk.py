"""Temporary files for what does not fit into memory.

Only what is being used of them is mapped: what was mapped and let go counts no longer as the
process's memory, and the system keeps of it what there is room for.
"""

import mmap
import os
import shutil
import tempfile
import weakref
from pathlib import Path

import torch
from torch import Tensor

from ..errors import OutOfMemory

# File systems that are memory themselves.
_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
_BLOCK = 16 << 20


class File:
    """So many bytes on disk, which are gone with the last user, however the program ends.

    Raises:
        OutOfMemory: the disk has no room for them.
    """

    def __init__(self, size: int) -> None:
        folder = temporary_folder()
        try:
            # Without a name, where there can be such files.
            file = tempfile.TemporaryFile(prefix="nst-", dir=folder, buffering=0)
            weakref.finalize(self, file.close)
            self._file = file.fileno()
            _reserve(self._file, size)
        except OSError as error:
            raise OutOfMemory(
                f"{size / 1e9:.1f} GB do not fit into memory, nor into '{folder}' "
                f"({error.strerror or error}). Free some space there, set TMPDIR to a folder on a "
                "larger disk, or use a smaller size."
            ) from error

    def tensor(self, first: int, count: int, dtype: torch.dtype) -> Tensor:
        """(count,) values from a byte on, mapped as long as somebody has them."""
        skipped = first % mmap.ALLOCATIONGRANULARITY
        length = skipped + count * dtype.itemsize
        try:
            block = mmap.mmap(self._file, length, offset=first - skipped)
        except OSError as error:
            raise MemoryError(f"{length} bytes cannot be mapped: {error}") from error
        return torch.frombuffer(block, dtype=dtype, count=count, offset=skipped)


def temporary_folder() -> Path:
    """Where temporary files may be large: on a disk, if there is one."""
    chosen = os.environ.get("TMPDIR")
    places = [Path(chosen)] if chosen else []
    places += [Path(tempfile.gettempdir()), Path("/var/tmp")]
    writable = [place for place in places if os.access(place, os.W_OK)] or places
    return next((place for place in writable if not _is_memory(place)), writable[0])


def room_on_disk() -> int:
    """Bytes that are free there; 0 where even temporary files are memory."""
    folder = temporary_folder()
    return 0 if _is_memory(folder) else shutil.disk_usage(folder).free


def _is_memory(folder: Path) -> bool:
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:  # elsewhere than on Linux
        return False
    kinds = {Path(line.split()[1]): line.split()[2] for line in lines}
    around = [folder.resolve(), *folder.resolve().parents]
    return next((kinds[place] for place in around if place in kinds), "") in _MEMORY


def _reserve(file: int, size: int) -> None:
    """Make a file so large. A mapped file without room for its pages would end the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
        return
    block = bytes(_BLOCK)
    for first in range(0, size, _BLOCK):
        os.write(file, block[: size - first])
