"""What the engine reports as it works, and how it is stopped: one callback after each evaluation.

An exception raised by the callback cancels the run; the engine never catches it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from torch import Tensor

from ..control.pyramid import Scale


@dataclass(frozen=True)
class Record:
    """One evaluation of the loss and its gradient.

    Attributes:
        scale: which size it was at, counted from 1, coarse to fine.
        step: L-BFGS steps done in that scale; an evaluation that was no step down repeats it.
        evaluation: counted from 1, over all scales.
        loss: total loss of the picture evaluated.
        parts: {"style relu1_1": weighted loss, ...}; they add up to `loss`.
        seconds: since the run began.
    """

    scale: int
    step: int
    evaluation: int
    loss: float
    parts: Mapping[str, float]
    seconds: float


class Preview(Protocol):
    """What makes a picture to look at."""

    def __call__(self, longer: int = 0) -> Tensor:
        """As of `Progress`; with a `longer` side, shrunk on the device to that many pixels first.

        What is only looked at is asked for so: the whole may be 16384 pixels a side.
        """


@dataclass(frozen=True)
class Progress:
    """A run after one of its evaluations.

    Attributes:
        records: every evaluation so far, the latest last. The list grows; do not change it.
        latest: the last of them.
        scales: the sizes to work on, coarse to fine, each with its budget of steps.
        stops: why each of the scales that are finished ended, in words.
        tile: longest side of the present scale's tiles in pixels; 0 is untiled.
        fraction: share of the whole work done, in [0, 1], each step weighed by its pixels.
        preview: makes the best picture so far, (1, 3, H, W) float32 in [0, 1] on the CPU, at the
            present scale. It costs a copy, so call it only to look; it stays valid afterwards.
    """

    records: Sequence[Record]
    latest: Record
    scales: Sequence[Scale]
    stops: Sequence[str]
    tile: int
    fraction: float
    preview: Preview

    @property
    def stage(self) -> str:
        """Where the run is, for people: "scale 2/3"."""
        return f"scale {self.latest.scale}/{len(self.scales)}"

    @property
    def steps(self) -> int:
        """The present scale's budget of steps."""
        return self.scales[self.latest.scale - 1].steps

    @property
    def seconds_left(self) -> float:
        """What the rest will take if it goes on at the average pace so far."""
        return self.latest.seconds * (1 / self.fraction - 1) if self.fraction > 0 else float("inf")


@dataclass(frozen=True, eq=False)
class Result:
    """A finished picture and how it came about.

    Attributes:
        image: (1, 3, H, W) float32 RGB in [0, 1] on the CPU.
        records: every evaluation, over all scales.
        scales: the sizes that were worked on. If the loss is no number at one of them, the result
            is that of the one before, enlarged.
        stops: why each scale ended, in words.
        tile: longest side of the last scale's tiles in pixels; 0 is untiled.
        seconds: of the whole run.
    """

    image: Tensor
    records: tuple[Record, ...]
    scales: tuple[Scale, ...]
    stops: tuple[str, ...]
    tile: int
    seconds: float

    @classmethod
    def so_far(cls, progress: Progress, why: str) -> "Result":
        """What a run that was ended after this evaluation has found, and why it was ended."""
        return cls(
            image=progress.preview(),
            records=tuple(progress.records),
            scales=tuple(progress.scales[: progress.latest.scale]),
            stops=(*progress.stops, why),
            tile=progress.tile,
            seconds=progress.latest.seconds,
        )


OnProgress = Callable[[Progress], None]


def seconds_since(began: float) -> float:
    """By `time.perf_counter()`, which goes back on some virtual machines; never negative."""
    return max(0.0, time.perf_counter() - began)


def ignore_progress(progress: Progress) -> None:
    """The callback of callers who only want the result."""


def by_scale(records: Sequence[Record]) -> list[list[Record]]:
    """The records of each scale."""
    return [list(group) for _, group in groupby(records, key=lambda record: record.scale)]
