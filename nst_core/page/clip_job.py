"""A visitor's video, seen from outside the thread that makes it."""

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from ..run.progress import Result
from ..settings.video import VideoSettings
from ..video.run import VideoRun
from .job import Job, Request

# Of an unfinished run: where its frames lie.
FRAMES = "frames"


@dataclass(frozen=True, kw_only=True)
class ClipRequest(Request):
    """What a visitor asks for; the content is the clip.

    Attributes:
        video: how frames hang together.
    """

    video: VideoSettings


@dataclass(frozen=True, eq=False)
class Filmed:
    """Frames that are done, on disk.

    Attributes:
        run: of these frames.
        frames: how many from the first one on.
        seconds: since the run began, or was gone on with.
    """

    run: VideoRun
    frames: int
    seconds: float


# What a run has found: a picture, or frames.
Outcome = Result | Filmed


@dataclass(eq=False)
class ClipJob(Job):
    """A video that waits, works or has ended. `progress` is of the frame in work.

    Attributes:
        folder: for the frames, if there is no `unfinished` that has one.
        run: once there is one.
        frames: how many are done, from the first one on.
        done: likewise in all passes.
    """

    folder: Path = field(kw_only=True)
    run: VideoRun | None = None
    frames: int = 0
    done: int = 0
    _began: float = 0.0
    _times: list[float] = field(default_factory=list)

    def begin(self, minutes: float) -> None:
        """Start the clock."""
        super().begin(minutes)
        self._began = time.monotonic()

    @property
    def frames_folder(self) -> Path:
        """Where the frames lie."""
        return self.unfinished.folder / FRAMES if self.unfinished else self.folder

    @property
    def mark(self) -> tuple[int, int]:
        """Another one whenever there is something new to be seen."""
        return self.done, super().mark[1]

    def on_frame(self, number: int, index: int, evaluations: int) -> None:
        """The engine's `on_frame`."""
        self.frames, self.done = max(self.frames, index + 1), self.done + 1
        if self.unfinished and self.unfinished.saver.wanted:
            self.unfinished.saver.saved = True
        if evaluations:  # it was not there already
            self._times.append(time.monotonic())
        self.check()

    @property
    def total(self) -> int:
        """Frames in all passes, as far as the clip says."""
        assert self.run is not None
        return max(self.done, self.run.source.count * self.run.video.passes)

    @property
    def fraction(self) -> float:
        """Share of all frames done, as if all were the same work."""
        within = self.progress.fraction if self.progress and self.done < self.total else 0.0
        return (self.done + within) / max(1, self.total)

    @property
    def seconds_left(self) -> float | None:
        """What the rest will take; None before two frames are made."""
        # From the end of the first one, which takes longer than others.
        if len(self._times) < 2:
            return None
        each = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
        return each * (self.total - self.done)

    def so_far(self) -> Filmed | None:
        """The frames that are done; None before the first."""
        if self.run is None or not self.frames:
            return None
        return Filmed(self.run, self.frames, time.monotonic() - self._began)


def job_of(request: Request, folder: Path) -> Job:
    """A picture's or a video's; frames that have no place yet go into a new folder in this one."""
    if isinstance(request, ClipRequest):
        return ClipJob(request, folder=folder / secrets.token_urlsafe(16))
    return Job(request)
