"""`--film`: how a picture grows, from the evaluations of its run."""

import math
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..control.pyramid import Scale, fit, resize
from ..errors import ImageError
from ..files.film import RATE, Film, even, film_to
from ..run.progress import Progress, Result
from ..settings.writing import FILM_SIDE
from .console import say

# What a film has at most, about: ten seconds. Shorter runs show every evaluation.
_FRAMES = 10 * RATE


@contextmanager
def filming(path: Path | None) -> Iterator["Filming"]:
    """What films a run; the film takes its place at the end, if nothing is raised."""
    with ExitStack() as stack:
        yield Filming(path, stack)


@dataclass
class Filming:
    """Films a run at the size of its result or at `FILM_SIDE`, every so many evaluations.

    Attributes:
        path: where to; None is nowhere.
        stack: closes the film.
        film, size: once the first frame is there; (height, width) of all.
        failed: whether the film could not be written. That was said, and the run goes on without.
    """

    path: Path | None
    stack: ExitStack
    film: Film | None = None
    size: tuple[int, int] = (0, 0)
    failed: bool = False

    def __call__(self, progress: Progress) -> None:
        """To be called after each evaluation."""
        if self.path is None:
            return
        steps = sum(scale.steps + 1 for scale in progress.scales)
        if (progress.latest.evaluation - 1) % math.ceil(steps / _FRAMES) == 0:
            self._add(self.path, progress.preview(FILM_SIDE), 1, _size(progress.scales[-1]))

    def end(self, result: Result) -> None:
        """Hold the result for a second."""
        if self.path is not None:
            self._add(self.path, result.image, RATE, _size(result.scales[-1]))

    def _add(self, path: Path, image: Tensor, frames: int, size: tuple[int, int]) -> None:
        """Open the film if this is its first image, and add it."""
        try:
            with _ctrl_c_later():
                if self.film is None:
                    self.size = size
                    self.film = self.stack.enter_context(film_to(path, *size))
                self.film.add(resize(image, *self.size), frames)
        except (OSError, ImageError) as error:
            self._break_off(error)

    def _break_off(self, error: Exception) -> None:
        """What was there keeps its place, and the run its hours."""
        self.path, self.failed = None, True
        try:
            with self.stack:
                raise error  # through the film, which takes its unfinished file away
        except ImageError as told:
            say(f"{told} The picture is made without a film.", label="Error: ", style="bold red")


def _size(last: Scale) -> tuple[int, int]:
    longer = min(FILM_SIDE, max(last.height, last.width))
    return even(*fit(last.height, last.width, longer))


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Ctrl-C inside counts at the end: half a frame would break the film that it shall leave."""
    came: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.signal(kind, lambda number, _: came.append(number)) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
        handler = before[signal.Signals(came[0])] if came else None
        if callable(handler):
            handler(came[0], None)
