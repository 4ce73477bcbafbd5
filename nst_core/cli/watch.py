"""What is seen of a run while it works: a bar in a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich import progress as rich
from torch import Tensor

from ..errors import ImageError
from ..run.progress import OnProgress, Progress, Result, ignore_progress
from .console import say, stderr

# Seconds between redrawings of the bar, and between lines in a log. A slow terminal gets fewer:
# showing may take this share of the time.
_REDRAW, _LINE = 0.1, 10.0
_SHARE = 0.05


@dataclass(frozen=True)
class Place:
    """Which of many pictures a run makes.

    Attributes:
        number, count: the first is 1.
        name: of the picture.
        before: seconds that those before it took.
    """

    number: int = 1
    count: int = 1
    name: str = ""
    before: float = 0.0

    def fraction(self, progress: Progress) -> float:
        """Share of all pictures' work done, as if all were the same work."""
        return (self.number - 1 + progress.fraction) / self.count

    def words(self, progress: Progress) -> str:
        """Where all of it is, in a line."""
        latest, done = progress.latest, self.fraction(progress)
        where = f"{progress.stage}  step {latest.step}/{progress.steps}"
        left = f"{_clock((self.before + latest.seconds) * (1 / done - 1))} left"
        if self.count > 1:  # a terminal is 80 wide, and the bar shall have some of it
            return f"{self.number}/{self.count} {self.name:.20}  {where}  {left}"
        pace = latest.evaluation / max(latest.seconds, 1e-9)
        return f"{where}  loss {latest.loss:.4g}  {pace:.3g} evaluations/s  {left}"


@contextmanager
def display(quiet: bool, place: Place = Place()) -> Iterator[OnProgress]:
    """What draws the progress: nothing, a bar in a terminal, or lines in a log."""
    if quiet:
        yield ignore_progress
    elif stderr.is_terminal:
        with _bar(place) as draw:
            yield draw
    else:
        yield _Now(lambda now: say(f"{place.fraction(now):4.0%}  {place.words(now)}"), _LINE)


@contextmanager
def _bar(place: Place) -> Iterator[OnProgress]:
    # File names are never markup.
    text = rich.TextColumn("{task.description}", markup=False)
    columns = (rich.BarColumn(), rich.TaskProgressColumn(), text)
    # Redrawn by us: a thread that redraws would take turns with the computation. Of many pictures
    # only the paths stay in the terminal.
    with rich.Progress(
        *columns, console=stderr, auto_refresh=False, transient=place.count > 1
    ) as bar:
        task = bar.add_task("starting", total=1.0)
        bar.update(task, completed=(place.number - 1) / place.count, refresh=True)

        def draw(now: Progress) -> None:
            words, done = place.words(now), place.fraction(now)
            bar.update(task, completed=done, description=words, refresh=True)

        yield _Now(draw, _REDRAW)


@dataclass
class _Now:
    """Passes on the first progress of each scale, and others if `seconds` have gone by."""

    show: OnProgress
    seconds: float
    scale: int = 0
    due: float = 0.0

    def __call__(self, progress: Progress) -> None:
        began = time.monotonic()
        if progress.latest.scale > self.scale or began >= self.due:
            self.scale = progress.latest.scale
            self.show(progress)
            took = time.monotonic() - began
            self.due = began + max(self.seconds, took / _SHARE)


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
        film: what films the run.
        failed: whether a picture on the way could not be written. That was said, and none is tried
            anymore: the run goes on.
    """

    show: OnProgress
    save: Callable[[int, Tensor], None]
    every: int
    film: OnProgress = ignore_progress
    last: Progress | None = None
    failed: bool = False

    def __call__(self, progress: Progress) -> None:
        """To be the engine's `on_progress`."""
        self.last = progress
        self.show(progress)
        self.film(progress)
        if self.every and not self.failed and progress.latest.evaluation % self.every == 0:
            try:
                self.save(progress.latest.evaluation, progress.preview())
            except ImageError as error:
                self.failed = True
                say(f"{error} The run goes on.", label="Error: ", style="bold red")

    def so_far(self) -> Result | None:
        """What an interrupted run has found; None before its first evaluation."""
        return None if self.last is None else Result.so_far(self.last, "Ctrl-C")
