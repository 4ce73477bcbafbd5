"""`--film`: how a picture grows, from the evaluations of its run."""

import math
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..control.pyramid import resize
from ..files.film import RATE, Film, even, film_to
from ..run.progress import Progress, Result

# About as many frames has a film, ten seconds; shorter runs show every evaluation.
_FRAMES = 10 * RATE


@contextmanager
def filming(path: Path | None) -> Iterator["Filming"]:
    """What films a run; the film takes its place at the end, if nothing is raised."""
    with ExitStack() as stack:
        yield Filming(path, stack)


@dataclass
class Filming:
    """Films a run at the size of its result, every so many evaluations.

    Attributes:
        path: where to; None is nowhere.
        stack: closes the film.
    """

    path: Path | None
    stack: ExitStack
    film: Film | None = None
    every: int = 1
    size: tuple[int, int] = (0, 0)

    def __call__(self, progress: Progress) -> None:
        """To be called after each evaluation."""
        if self.path is None:
            return
        if self.film is None:
            last = progress.scales[-1]
            self.size = even(last.height, last.width)
            self.film = self.stack.enter_context(film_to(self.path, *self.size))
            steps = sum(scale.steps + 1 for scale in progress.scales)
            self.every = math.ceil(steps / _FRAMES)
        if (progress.latest.evaluation - 1) % self.every == 0:
            self._add(progress.preview(), 1)

    def end(self, result: Result) -> None:
        """Hold the result for a second."""
        self._add(result.image, RATE)

    def _add(self, image: Tensor, frames: int) -> None:
        if self.film is not None:
            with _ctrl_c_later():
                self.film.add(resize(image, *self.size), frames)


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Ctrl-C inside counts at the end: half a frame would break the film that it shall leave."""
    came: list[bool] = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came and callable(before):
            before(signal.SIGINT, None)
