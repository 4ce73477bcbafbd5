"""`--film`: how a picture grows, from the evaluations of its run."""

import math
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..control.pyramid import Scale, fit, resize
from ..files.film import RATE, Film, even, film_to
from ..run.progress import Progress, Result
from ..settings.writing import FILM_SIDE

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
    """

    path: Path | None
    stack: ExitStack
    film: Film | None = None
    size: tuple[int, int] = (0, 0)

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
        with _ctrl_c_later():
            if self.film is None:
                self.size = size
                self.film = self.stack.enter_context(film_to(path, *size))
            self.film.add(resize(image, *self.size), frames)


def _size(last: Scale) -> tuple[int, int]:
    longer = min(FILM_SIDE, max(last.height, last.width))
    return even(*fit(last.height, last.width, longer))


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
