"""What is seen of a run while it works: a bar in a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich import progress as rich
from torch import Tensor

from ..run.progress import OnProgress, Progress, Result, ignore_progress
from .console import say, stderr

# Seconds between redrawings of the bar, and between lines in a log.
_REDRAW, _LINE = 0.1, 10.0


@contextmanager
def display(quiet: bool) -> Iterator[OnProgress]:
    """What draws the progress: nothing, a bar in a terminal, or lines in a log."""
    if quiet:
        yield ignore_progress
    elif stderr.is_terminal:
        with _bar() as draw:
            yield draw
    else:
        yield _Now(lambda progress: say(f"{progress.fraction:4.0%}  {_words(progress)}"), _LINE)


@contextmanager
def _bar() -> Iterator[OnProgress]:
    columns = (rich.BarColumn(), rich.TaskProgressColumn(), rich.TextColumn("{task.description}"))
    # Redrawn by us: a thread that redraws would take turns with the computation.
    with rich.Progress(*columns, console=stderr, auto_refresh=False) as bar:
        task = bar.add_task("starting", total=1.0)

        def draw(progress: Progress) -> None:
            bar.update(
                task, completed=progress.fraction, description=_words(progress), refresh=True
            )

        yield _Now(draw, _REDRAW)


@dataclass
class _Now:
    """Passes on the first progress of each scale, and others if `seconds` have gone by."""

    show: OnProgress
    seconds: float
    scale: int = 0
    last: float = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.latest.scale > self.scale or now - self.last >= self.seconds:
            self.scale, self.last = progress.latest.scale, now
            self.show(progress)


def _words(progress: Progress) -> str:
    latest = progress.latest
    pace = latest.evaluation / max(latest.seconds, 1e-9)
    return (
        f"{progress.stage}  step {latest.step}/{progress.steps}  loss {latest.loss:.4g}  "
        f"{pace:.3g} evaluations/s  {_clock(progress.seconds_left)} left"
    )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@dataclass
class Watch:
    """Shows every progress, saves the picture now and then, and remembers enough to stop early.

    Attributes:
        show: from `display`.
        save: told the evaluation and the best picture so far, every `every` evaluations.
        every: 0 saves nothing on the way.
    """

    show: OnProgress
    save: Callable[[int, Tensor], None]
    every: int
    last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """To be the engine's `on_progress`."""
        self.last = progress
        self.show(progress)
        if self.every and progress.latest.evaluation % self.every == 0:
            self.save(progress.latest.evaluation, progress.preview())

    def so_far(self) -> Result | None:
        """What an interrupted run has found; None before its first evaluation."""
        return None if self.last is None else Result.so_far(self.last, "Ctrl-C")
