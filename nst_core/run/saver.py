"""When a run's checkpoint is written: now and then, and when the run ends before its time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from .checkpoint import Checkpoint, save_checkpoint

# A checkpoint may cost this share of the time: large ones are written less often.
_SHARE = 0.05


@dataclass
class Saver:
    """Writes the checkpoints of one run. Use it as a context around the run.

    Attributes:
        path: of the file.
        every: seconds between two checkpoints, at least.
        command: see `Checkpoint`.
        saved: whether a checkpoint of this run lies there.
    """

    path: Path
    every: float = 60.0
    command: Mapping[str, Any] = field(default_factory=dict)
    saved: bool = False
    _latest: Callable[[], Checkpoint | None] = lambda: None
    _due: float = 0.0

    def __enter__(self) -> "Saver":
        self._due = time.monotonic() + self.every
        return self

    def reached(self, checkpoint: Callable[[], Checkpoint | None]) -> None:
        """Told after each step how to make its checkpoint; None if the run has gone on since."""
        self._latest = checkpoint
        if time.monotonic() >= self._due:
            self.save()

    def save(self) -> None:
        """Write the latest, if there is one."""
        checkpoint = self._latest()
        if checkpoint is None:
            return
        began = time.monotonic()
        save_checkpoint(replace(checkpoint, command=self.command), self.path)
        self.saved = True
        now = time.monotonic()
        self._due = now + max(self.every, (now - began) / _SHARE)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.save()
