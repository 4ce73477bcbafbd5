"""Programs that take turns on one machine, each in a process of its own.

A shared machine changes speed from one minute to the next, so contenders that ran one after the
other would not be comparable. Here each works for a few seconds, then waits while the others do;
only its own working time counts. Parent and child talk in lines of JSON over a pipe.
"""

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from nst_core.run.memory import peak_memory


class Stopped(Exception):
    """The parent has seen enough."""


class Lap(NamedTuple):
    """One evaluation, counted from 1.

    Attributes:
        worked, spent: seconds until its end, and of this one.
        loss: the contender's own; None where another size has another loss.
        note: the precision or whatever tells this evaluation from others.
    """

    evaluation: int
    worked: float
    spent: float
    loss: float | None
    note: str


class Turn:
    """The child's side: a clock that stands still while the others work, and the snapshots.

    Args:
        folder: where snapshots go, as `00012.npy` for the picture of evaluation 12.
        seconds: length of a turn.
        limit: evaluations to do in all.
        device: where it works.
    """

    def __init__(self, folder: Path, seconds: float, limit: int, device: torch.device) -> None:
        self._folder, self._seconds, self._limit, self._device = folder, seconds, limit, device
        self._base = peak_memory(device) or 0  # everything is imported, nothing is made
        self._lines = sys.stdout
        sys.stdout = sys.stderr  # what a contender prints is not for the parent
        self._records: list[Lap] = []
        self._evaluations, self._worked, self._turn = 0, 0.0, 0.0

    def begin(self) -> None:
        """All is read; the clock starts with the first turn."""
        self._report(done=False)
        self._wait()

    def lap(self, picture: Tensor | None = None, loss: float | None = None, note: str = "") -> None:
        """One evaluation is done; waits here for the next turn when this one is over.

        Args:
            picture: (1, 3, H, W) RGB in [0, 1] that a user would get now, if it is a finished one.
            loss, note: as of `Lap`.
        """
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        spent = time.perf_counter() - self._began
        self._worked += spent
        self._turn += spent
        self._evaluations += 1
        self._records.append(Lap(self._evaluations, self._worked, spent, loss, note))
        if picture is not None:
            np.save(self._folder / f"{self._evaluations:05}.npy", eight_bit(picture))
        if self._evaluations >= self._limit:
            self._report(done=True)
            raise Stopped
        if self._turn >= self._seconds:
            self._report(done=False)
            self._wait()
        self._began = time.perf_counter()

    def _report(self, *, done: bool) -> None:
        message = {"records": self._records, "done": done, "base": self._base}
        message["peak"] = peak_memory(self._device) or 0
        self._lines.write(json.dumps(message) + "\n")
        self._lines.flush()
        self._records = []

    def _wait(self) -> None:
        if sys.stdin.readline().strip() != "go":
            raise Stopped
        self._turn = 0.0
        self._began = time.perf_counter()


def eight_bit(picture: Tensor) -> np.ndarray:
    """(1, 3, H, W) in [0, 1] -> (H, W, 3) uint8, as it would be written to a PNG."""
    rounded = picture.detach()[0].clamp(0, 1).mul(255).round()
    return rounded.permute(1, 2, 0).to("cpu", torch.uint8).numpy()


@dataclass
class Contender:
    """The parent's side of one child.

    Attributes:
        records: of each evaluation.
        base, peak: bytes of memory before its work, and the most so far.
        error: what it said when it broke; "" while all is well.
    """

    name: str
    folder: Path
    process: "subprocess.Popen[str]"
    records: list[Lap] = field(default_factory=list)
    base: int = 0
    peak: int = 0
    done: bool = False
    error: str = ""

    @classmethod
    def start(cls, name: str, script: Path, folder: Path, options: dict[str, Any]) -> "Contender":
        """A child that waits for its first turn."""
        folder.mkdir(parents=True)
        command = [sys.executable, str(script), name, str(folder), json.dumps(options)]
        with (folder / "stderr.txt").open("w") as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C is the parent's
            )
        contender = cls(name, folder, process)
        contender._listen()
        return contender

    def turn(self) -> None:
        """Let it work until its turn is over, it is done, or it broke."""
        with contextlib.suppress(BrokenPipeError):  # it broke; what it said is read below
            self._stdin().write("go\n")
            self._stdin().flush()
        self._listen()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            said = (self.folder / "stderr.txt").read_text().strip().splitlines()
            self.error, self.done = (said or ["it ended without a word"])[-1], True
            return
        message = json.loads(line)
        self.records += [Lap(*values) for values in message["records"]]
        self.base, self.peak, self.done = message["base"], message["peak"], message["done"]

    def stop(self) -> None:
        """End the child."""
        with contextlib.suppress(BrokenPipeError):  # it has ended already
            self._stdin().close()
        self.process.wait()

    def snapshots(self) -> list[int]:
        """Evaluations of which there is a picture."""
        return sorted(int(path.stem) for path in self.folder.glob("*.npy"))

    def picture(self, evaluation: int) -> np.ndarray:
        """The (H, W, 3) uint8 picture after an evaluation."""
        loaded: np.ndarray = np.load(self.folder / f"{evaluation:05}.npy")
        return loaded

    def seconds_at(self, evaluation: int) -> float:
        """Working time until the end of an evaluation."""
        return self.records[evaluation - 1].worked

    def _stdin(self) -> Any:
        return self.process.stdin
