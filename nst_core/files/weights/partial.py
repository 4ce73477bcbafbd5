"""The part of a download that is there so far, and which process writes it."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def own_part(part: Path) -> Iterator[Path]:
    """The part that is there, or one of another name as long as another process writes it.

    Who writes it holds a lock, which goes with the process, however that ends. An empty part is
    deleted, and one of another name in any case. Windows has no such locks: there, two processes
    must not download the same file at once.
    """
    with ExitStack() as stack:
        if sys.platform != "win32":
            import fcntl  # Unix only

            file = stack.enter_context(part.open("ab"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # It may have been finished, and renamed, before we had the lock.
                ours = part.exists() and os.path.samestat(part.stat(), os.fstat(file.fileno()))
            except OSError as error:
                ours = not isinstance(error, BlockingIOError)  # else it is a disk without locks
            if not ours:
                part = part.with_name(f"{part.name}.{secrets.token_hex(4)}")
                stack.callback(part.unlink, missing_ok=True)
        try:
            yield part
        finally:
            if size_of(part) == 0:
                part.unlink(missing_ok=True)


def size_of(part: Path) -> int:
    """Its bytes; 0 if it is not there."""
    return part.stat().st_size if part.exists() else 0
