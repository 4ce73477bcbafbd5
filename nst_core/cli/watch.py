"""What is seen of a run while it works: a bar in a terminal, a line now and then elsewhere."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich import progress as rich
from torch import Tensor

from ..errors import ImageError
from ..processes import StoppedTogether
from ..run.progress import OnProgress, Progress, Result, ignore_progress
from ..run.within import Within
from ..settings.writing import STEP_SIDE
from .console import say, stderr

# Seconds between redrawings of the bar, between lines in a log, and before something is said of
# what goes on within an evaluation: quick ones are not worth a word. A slow terminal gets fewer:
# showing may take this share of the time.
_REDRAW, _LINE, _WITHIN = 0.1, 10.0, 3.0
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

    def fraction(self, progress: Progress | Within) -> float:
        """Share of all pictures' work done, as if all were the same work."""
        return (self.number - 1 + progress.fraction) / self.count

    def words(self, progress: Progress) -> str:
        """Where all of it is, in a line."""
        latest, done = progress.latest, self.fraction(progress)
        where = f"{progress.stage}  step {latest.step}/{progress.steps}"
        left = f"{clock((self.before + latest.seconds) * (1 / done - 1))} left"
        if self.count > 1:  # a terminal is 80 wide, and the bar shall have some of it
            return f"{self.number}/{self.count} {self.name:.20}  {where}  {left}"
        pace = latest.evaluation / max(latest.seconds, 1e-9)
        return f"{where}  loss {latest.loss:.4g}  {pace:.3g} evaluations/s  {left}"

    def words_within(self, within: Within, last: Progress | None) -> str:
        """The same within an evaluation; `last` is after the one before, if there was one."""
        where = f"scale {within.scale}/{within.scales}"
        if last is not None and last.latest.scale == within.scale:
            where += f"  step {last.latest.step}/{last.steps}"
        one = f"{self.number}/{self.count} {self.name:.20}  " if self.count > 1 else ""
        return f"{one}{where}  {within.words}"


@contextmanager
def display(quiet: bool, place: Place = Place()) -> "Iterator[Show]":
    """What draws the progress: nothing, a bar in a terminal, or lines in a log."""
    if quiet:
        yield Show(lambda fraction, words: None, place, math.inf)
    elif stderr.is_terminal:
        with _bar(place) as draw:
            yield draw
    else:
        yield Show(lambda fraction, words: say(f"{fraction:4.0%}  {words}"), place, _LINE)


@contextmanager
def _bar(place: Place) -> "Iterator[Show]":
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

        def draw(fraction: float, words: str) -> None:
            bar.update(task, completed=fraction, description=words, refresh=True)

        yield Show(draw, place, _REDRAW)


@dataclass
class Show:
    """Passes on the first progress of each scale, and others if `seconds` have gone by.

    Attributes:
        draw: shows a share of the work and words.
        place: of the run.
        seconds: between two that are shown, at least.
    """

    draw: Callable[[float, str], None]
    place: Place
    seconds: float
    seen: Progress | None = None
    last: float = field(default_factory=time.monotonic)
    due: float = 0.0

    def __call__(self, progress: Progress) -> None:
        """After an evaluation."""
        first = self.seen is None or progress.latest.scale > self.seen.latest.scale
        self.seen = progress
        if self.seconds < math.inf and (first or time.monotonic() >= self.due):
            self._draw(self.place.fraction(progress), self.place.words(progress))

    def within(self, within: Within) -> None:
        """Within an evaluation that takes long."""
        now = time.monotonic()
        if now >= self.due and now - self.last >= max(self.seconds, _WITHIN):
            words = self.place.words_within(within, self.seen)
            self._draw(self.place.fraction(within), words)

    def _draw(self, share: float, words: str) -> None:
        self.last = time.monotonic()
        self.draw(share, words)
        took = time.monotonic() - self.last
        self.due = self.last + max(self.seconds, took / _SHARE)


def clock(seconds: float) -> str:
    """1:05, or 2:00:00."""
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
        stopping: whether all processes of the run are to stop after this evaluation.
        failed: whether a picture on the way could not be written. That was said, and none is tried
            anymore: the run goes on.
    """

    show: "Show"
    save: Callable[[int, Tensor], None]
    every: int
    film: OnProgress = ignore_progress
    stopping: Callable[[], bool] = lambda: False
    last: Progress | None = None
    failed: bool = False

    def __call__(self, progress: Progress) -> None:
        """To be the engine's `on_progress`."""
        self.last = progress
        self.show(progress)
        self.film(progress)
        if self.every and not self.failed and progress.latest.evaluation % self.every == 0:
            self._save(progress)
        if self.stopping():
            raise StoppedTogether

    def _save(self, progress: Progress) -> None:
        try:
            self.save(progress.latest.evaluation, progress.preview(STEP_SIDE))
        except ImageError as error:
            self.failed = True
            say(f"{error} The run goes on.", label="Error: ", style="bold red")

    def within(self, within: Within) -> None:
        """To be the engine's `on_within`."""
        self.show.within(within)

    def so_far(self) -> Result | None:
        """What an interrupted run has found; None before its first evaluation."""
        return None if self.last is None else Result.so_far(self.last, "Ctrl-C")
