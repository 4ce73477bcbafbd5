"""When a run's checkpoint is written: now and then, and when the run ends before its time."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import CheckpointError
from ..files.checkpoint_file import previous_of
from ..gatys.minimizer import State
from ..kernels.history import FastHistory
from ..processes import ALONE, Processes, StoppedTogether, take_part
from .checkpoint import Checkpoint, Position, save_checkpoint
from .phases import Phase
from .progress import Record, seconds_since

log = logging.getLogger(__name__)

# Writing may take this share of the time: large checkpoints are written less often.
_SHARE = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """A state of a search that it could go on from, as long as its history has not changed.

    Attributes:
        run: the run's identity.
        phase, state: where it stands.
        history, changes: the state's, and how often it had changed by then.
        records: of the run; the list grows, and `evaluations` of them belong to this state.
        stops: of the scales before.
        began: `time.perf_counter()` at the run's beginning.
    """

    run: Mapping[str, Any]
    phase: Phase
    state: State
    history: FastHistory
    records: Sequence[Record]
    stops: tuple[str, ...]
    began: float
    changes: int = field(init=False)
    evaluations: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", self.history.changes)
        object.__setattr__(self, "evaluations", len(self.records))

    def checkpoint(self, command: Mapping[str, Any]) -> Checkpoint | None:
        """None if the pairs of this state are there no more."""
        state, history, phase = self.state, self.history, self.phase
        if history.changes != self.changes:
            return None
        return Checkpoint(
            run=self.run,
            position=Position(
                scale=phase.stage.index,
                exact=phase.exact,
                steps_before=phase.steps_before,
                evaluations_before=phase.evaluations_before,
                tiles=tuple(phase.stage.tiles),
            ),
            image=state.image,
            gradient=state.gradient,
            losses=state.losses,
            evaluations=state.evaluations,
            length=state.length,
            history=history.tensors(),
            pairs=len(history),
            records=tuple(self.records[: self.evaluations]),
            stops=self.stops,
            seconds=seconds_since(self.began),
            command=command,
        )


@dataclass
class Saver:
    """Writes the checkpoints of one run; as a context around the run, also when that fails.

    A checkpoint that cannot be written is told once, and tried again when the next one is due: the
    run, which may have taken hours, goes on.

    Attributes:
        path: of the file.
        every: seconds between two checkpoints, at least.
        first: seconds before which none is written, not even of a run that fails.
        command: see `Checkpoint`.
        saved: whether a checkpoint of this run lies there.
        processes: those that share the picture: the first writes, when its clock says so, and the
            others give what they have of the history.
    """

    path: Path
    every: float = 60.0
    first: float = 0.0
    command: Mapping[str, Any] = field(default_factory=dict)
    saved: bool = False
    processes: Processes = ALONE
    _latest: Snapshot | None = None
    _due: float = 0.0
    _from: float = 0.0
    _told: bool = False

    def __enter__(self) -> "Saver":
        self._from = time.monotonic() + self.first
        self._due = self._from
        return self

    def reached(self, snapshot: Snapshot) -> None:
        """Told after each step."""
        self._latest = snapshot
        if self.processes.any(self.processes.is_first and time.monotonic() >= self._due):
            self.save()

    def save(self) -> None:
        """Write the latest step's checkpoint, if the run has not gone on since."""
        checkpoint = self._latest.checkpoint(self.command) if self._latest else None
        if checkpoint is None:
            return
        if not self.processes.is_first:
            take_part(checkpoint.history)
            return
        began = time.monotonic()
        try:
            save_checkpoint(checkpoint, self.path)
            self.saved = True
        except CheckpointError as error:
            self._tell(f"{error} The run itself is not affected.")
        now = time.monotonic()
        self._due = now + max(self.every, (now - began) / _SHARE)

    def remove(self) -> None:
        """Delete the file, and the one before it: the run is done."""
        for path in (self.path, previous_of(self.path)):
            if self.saved:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    self._tell(f"'{path}' could not be deleted: {error}. It is not needed anymore.")

    def _tell(self, words: str) -> None:
        if not self._told:
            log.warning(words)
        self._told = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Several processes can only write one together.
        can = self.processes.size == 1 or (kind is not None and issubclass(kind, StoppedTogether))
        if kind is not None and can and time.monotonic() >= self._from:
            self.save()
        self._latest = None  # it holds the history
