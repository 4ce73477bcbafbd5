"""The page's folder: what of it is kept, and for how long."""

import logging
import secrets
import shutil
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from ..errors import ImageError

log = logging.getLogger(__name__)

# Seconds after which what a visitor has brought or was given is cleared.
AGE = 3600.0


class Results:
    """Folders of finished runs, of which only so many are kept.

    Args:
        folder: in which they are made.
        most: how many; the oldest goes when there is one more.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._folder.mkdir(parents=True, exist_ok=True)
        self._made: deque[tuple[float, Path]] = deque()
        self._lock = Lock()

    def new(self) -> Path:
        """A folder whose name nobody can guess."""
        folder = self._folder / secrets.token_urlsafe(16)
        folder.mkdir()
        with self._lock:
            self._made.append((time.monotonic(), folder))
            while len(self._made) > self._most:
                remove(self._made.popleft()[1])
        return folder

    @contextmanager
    def filled(self) -> Iterator[Path]:
        """A new folder to write into; if that fails, nothing of it is left.

        Raises:
            ImageError: a file could not be written. Its path is for the log, not for a visitor.
        """
        folder = None
        try:
            folder = self.new()
            yield folder
        except (OSError, ImageError) as error:
            if folder is not None:
                remove(folder)
            log.warning(f"A result could not be written: {error}")
            raise ImageError(
                "The server could not write the result: its disk may be full. Tell whoever runs "
                "this page, and try again later."
            ) from error

    def tidy(self, now: float) -> None:
        """Remove what is older than AGE at `now` by `time.monotonic()`, which nobody sets."""
        with self._lock:
            while self._made and self._made[0][0] < now - AGE:
                remove(self._made.popleft()[1])


class Uploads:
    """What visitors have brought: all of a folder but what is in it when this is made.

    Gradio clears what it knows of, and by age alone. What an upload leaves that broke off, it does
    not know of.

    Args:
        folder: where Gradio writes.
        most: how many are kept.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._ours = set(folder.iterdir())

    def tidy(self, now: float, used: Collection[Path]) -> None:
        """Remove what is older than AGE, and the oldest of too many, but nothing that is used.

        `now` is by `time.time()`, as the files' own times are.
        """
        found = []
        for path in set(self._folder.iterdir()) - self._ours - set(used):
            try:
                found.append((path.lstat().st_mtime, path))
            except OSError:  # it went meanwhile
                continue
        for place, (changed, path) in enumerate(sorted(found, reverse=True)):
            if place >= self._most or changed < now - AGE:
                remove(path)


def remove(path: Path) -> None:
    """A file, or a folder with all that is in it; a link goes, and not what it leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
