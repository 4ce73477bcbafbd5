"""One visitor's run, seen from outside the thread that computes it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor

from ..run.progress import Progress, Result
from ..run.within import Within
from ..settings import Settings

if TYPE_CHECKING:
    from .clip_job import Outcome
    from .finished import Ended
    from .unfinished import Unfinished

STOPPED, TIME_UP = "Stop", "the time limit of this page"


class Cancelled(Exception):
    """Raised in the engine's callbacks to end a run."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of a request.

    Attributes:
        path: of its file.
        name: of the file as the visitor knows it, or sample:NAME.
        share: of a style, among the styles.
        color: of a style's region on the drawing.
        part: a drawing in this color over a style, where it counts; None is all of it.
    """

    path: str
    name: str
    share: float = 1.0
    color: str = ""
    part: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a visitor asks for.

    Attributes:
        content: what is repainted; None is a texture.
        styles: those whose share is above 0; none is a reconstruction.
        map: a drawing over the content, of which style goes where, as a PNG; None is no drawing.
        settings: of the run.
        preset, strength: where they come from, and what has multiplied their style weight.
    """

    content: Picture | None
    styles: tuple[Picture, ...]
    map: bytes | None
    settings: Settings
    preset: str
    strength: float

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The content, if there is one, then the styles."""
        return (*([self.content] if self.content else []), *self.styles)

    @property
    def is_drawn(self) -> bool:
        """Whether a drawing says where something counts."""
        return any([self.map, *(style.part for style in self.styles)])


@dataclass(eq=False)
class Job:
    """A run that waits, works or has ended.

    Attributes:
        request: what was asked for.
        progress: after its latest evaluation; None before the first.
        within: what it does since then.
        start: the picture it starts from, once there is one.
        content: the content at the result's size, if there is one, likewise.
        alpha: (h, w), how opaque the content is, likewise; None is all of it.
        why: what ended it before its time, if anything did.
        future: its result; canceled if it was stopped before its turn came.
        unfinished: what it goes on from if it was cut off before, and where it can be gone on with
            if it is now; None keeps nothing.
        deliver: told the result in the device's thread, so that it is there whoever looks on.
        finished: what it made of the result.
    """

    request: Request
    unfinished: "Unfinished | None" = None
    deliver: "Callable[[Job, Outcome], Ended] | None" = None
    finished: "Ended | None" = None
    progress: Progress | None = None
    within: Within | None = None
    start: Tensor | None = None
    content: Tensor | None = None
    alpha: Tensor | None = None
    why: str | None = None
    future: "Future[Outcome | None]" = field(default_factory=Future)
    _stop: threading.Event = field(default_factory=threading.Event)
    _deadline: float = float("inf")

    def stop(self) -> None:
        """End it at its next evaluation, or at once if it still waits."""
        self._stop.set()
        self.future.cancel()

    def begin(self, minutes: float) -> None:
        """Start the clock."""
        self._deadline = time.monotonic() + 60 * minutes

    def watch(self, progress: Progress) -> None:
        """The engine's `on_progress`."""
        self.progress = progress
        self.check()

    def watch_within(self, within: Within) -> None:
        """The engine's `on_within`."""
        self.within = within

    @property
    def mark(self) -> tuple[int, int]:
        """Another one whenever there is something new to be seen: a frame, an evaluation."""
        return 0, self.progress.latest.evaluation if self.progress else 0

    def check(self) -> None:
        """The engine's `on_tile`: raises if the run shall end."""
        if self._stop.is_set():
            self.why = STOPPED
        elif time.monotonic() > self._deadline:
            self.why = TIME_UP
        if self.why:
            raise Cancelled

    def so_far(self) -> "Outcome | None":
        """What a run that was ended has found; None before its first evaluation."""
        if self.progress is None:
            return None
        return Result.so_far(self.progress, self.why or STOPPED)

    def error(self) -> BaseException | None:
        """What it ended with, once it is over, if it failed."""
        ended = self.future.done() and not self.future.cancelled()
        return self.future.exception() if ended else None

    def result(self) -> "Outcome | None":
        """What it has found, once it is over; None if it was stopped before there was a picture.

        Raises:
            NSTError: what was wrong with the request.
        """
        return None if self.future.cancelled() else self.future.result()
