"""Runs that were cut off: their checkpoints or frames, and what they are of, to be gone on with."""

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from ..errors import CheckpointError, NSTError
from ..files.paths import CHECKPOINT_ENDING
from ..run.checkpoint import Checkpoint, load_checkpoint
from ..run.saver import Saver
from ..settings.samples import SAMPLE
from ..video.folder import FramesFolder
from .clip_job import FRAMES
from .folder import AGE, remove
from .job import Picture, Request
from .pictures import Samples
from .remembered import document_of, request_in

_LOG = logging.getLogger("nst_core")
# Seconds between two checkpoints of a run. The last is written when it ends.
_EVERY = 60.0
# Of a run's folder: part of a hash.
_NAME = re.compile(r"[0-9a-f]{32}")
_CHECKPOINT, _REQUEST = f"run{CHECKPOINT_ENDING}", "request.json"


class _Saver(Saver):
    """Writes the checkpoints of a visitor's run, which goes on without where they cannot be."""

    wanted: bool = True

    def __enter__(self) -> "_Saver":
        super().__enter__()
        self._due += self.every  # most runs are over by then
        return self

    def save(self) -> None:
        """Write one, unless the visitor has left meanwhile."""
        if not self.wanted:
            return
        try:
            super().save()
        except CheckpointError as error:
            _LOG.warning("A visitor's run goes on without a checkpoint. %s", error)
            self.wanted = False


@dataclass(frozen=True, eq=False)
class Unfinished:
    """A run that can be gone on with, once it has a checkpoint, or its first frame.

    Attributes:
        folder: of this run alone, with its pictures, so that they stay as long as it does.
        request: what was asked for, with the pictures in the folder.
        saver: writes the checkpoint.
    """

    folder: Path
    request: Request
    saver: _Saver

    def checkpoint(self) -> Checkpoint | None:
        """What to go on from; None for a run that begins.

        Raises:
            CheckpointError: it is damaged.
        """
        if not self.saver.saved:
            return None
        try:
            return load_checkpoint(self.saver.path)
        except CheckpointError as error:
            _LOG.warning("%s", error)
            raise CheckpointError(
                "What was kept of this run is damaged. Run begins anew."
            ) from error

    def forget(self) -> None:
        """It cannot be gone on with."""
        self.saver.saved = self.saver.wanted = False


class UnfinishedRuns:
    """The unfinished runs of all visitors, one for each.

    Args:
        folder: in which they are kept. Those that an earlier page has left there are taken over.
        samples: of the page.
        most, megabytes: how many, and how much they may take together; 0 keeps none.
    """

    def __init__(self, folder: Path, samples: Samples, most: int, megabytes: int) -> None:
        self._folder, self._most, self._bytes = folder, most, megabytes * 10**6
        self._samples = samples
        self._runs: dict[str, Unfinished] = {}
        self._lock = Lock()
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if _NAME.fullmatch(path.name):  # the folder may hold files of others
                self._take_over(path)

    def begin(self, key: str, request: Request) -> Unfinished | None:
        """What keeps a visitor's run, in place of the one before; None if nothing can."""
        self.remove(key)
        if not self._bytes:
            return None
        folder = self._folder / _name_of(key)
        try:
            folder.mkdir(mode=0o700)
            kept = _brought(request, folder)
            (folder / _REQUEST).write_text(json.dumps(document_of(kept)), encoding="utf-8")
        except OSError as error:
            _LOG.warning("A visitor's run goes on without a checkpoint: %s", error)
            remove(folder)
            return None
        run = Unfinished(folder, kept, _Saver(folder / _CHECKPOINT, every=_EVERY))
        with self._lock:
            self._runs[folder.name] = run
        return run

    def of(self, key: str) -> Unfinished | None:
        """What the visitor can go on with, if there is something."""
        run = self._runs.get(_name_of(key))
        return run if run and run.saver.saved else None

    def remove(self, key: str) -> None:
        """The visitor's run is done, or not wanted any more."""
        with self._lock:
            self._drop(_name_of(key))

    def tidy(self, now: float, used: Collection[Unfinished]) -> None:
        """Remove what is old, too much or of no use, but nothing that is used."""
        with self._lock:
            found, room = [], self._bytes
            for name, run in self._runs.items():
                try:
                    files = [path.stat() for path in run.folder.rglob("*") if path.is_file()]
                except OSError:  # it goes just now, or is being written
                    continue
                changed = max((file.st_mtime for file in files), default=0.0)
                found.append((changed, name, sum(file.st_size for file in files)))
            for place, (changed, name, size) in enumerate(sorted(found, reverse=True)):
                room -= size
                run, old = self._runs[name], changed < now - AGE
                unwanted = not run.saver.saved or place >= self._most or room < 0 or old
                if unwanted and run not in used:
                    self._drop(name)
                    room += size

    def _drop(self, name: str) -> None:
        run = self._runs.pop(name, None)
        if run:
            run.forget()
            remove(run.folder)

    def _take_over(self, path: Path) -> None:
        """What an earlier page has left; what cannot be gone on with is removed."""
        checkpoint = path / _CHECKPOINT
        try:
            document = json.loads((path / _REQUEST).read_text(encoding="utf-8"))
            request = request_in(document, path, self._samples)
            if not (checkpoint.is_file() or FramesFolder(path / FRAMES).count):
                raise FileNotFoundError("it had no checkpoint yet")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, NSTError) as error:
            _LOG.info("A run of an earlier page is not kept: %s", error)
            remove(path)
        else:
            saver = _Saver(checkpoint, every=_EVERY, saved=True)
            self._runs[path.name] = Unfinished(path, request, saver)


def _name_of(key: str) -> str:
    """Of a folder. It tells nobody the key, which is who the visitor is."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _brought(request: Request, folder: Path) -> Request:
    """The request with its pictures in a folder; samples are everywhere the same."""

    def bring(number: int, picture: Picture) -> Picture:
        if picture.name.startswith(SAMPLE):
            return picture
        path = folder / f"{number}{Path(picture.path).suffix}"
        try:
            os.link(picture.path, path)
        except OSError:  # another disk
            shutil.copyfile(picture.path, path)
        return replace(picture, path=str(path))

    content = request.content and bring(0, request.content)
    styles = tuple(bring(number, style) for number, style in enumerate(request.styles, 1))
    return replace(request, content=content, styles=styles)
