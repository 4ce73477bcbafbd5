"""What is seen of a video while it is made: the frames, and the steps of the one at work."""

import time
from dataclasses import dataclass, field

from ..run.progress import Progress
from ..run.within import Within
from ..video.run import VideoRun
from .watch import Place, clock


@dataclass
class Frames:
    """How far a run over frames is.

    Attributes:
        run: it.
        what: is made, before the numbers; may be empty.
        planned: seconds of a frame, until some of them are known; None is not known.
    """

    run: VideoRun
    what: str
    planned: float | None
    done: int = 0
    made: int = 0
    took: float = 0.0
    number: int = 0
    last: float = field(default_factory=time.monotonic)

    def on_frame(self, number: int, index: int, evaluations: int) -> None:
        """To be called for each frame: those that were there already, and those that are made."""
        now = time.monotonic()
        if evaluations:
            # The first one that is made may begin anew, and takes longer than others.
            if self.made:
                self.took += now - self.last
            self.made += 1
        self.done, self.number, self.last = self.done + 1, number, now

    @property
    def total(self) -> int:
        """Frames in all passes; one more than are done if the clip does not say."""
        return max(self.done + 1, self.run.source.count * self.run.video.passes)

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take."""
        each = self.took / (self.made - 1) if self.made > 1 else self.planned
        return None if each is None else each * (self.total - self.done)

    def words(self) -> str:
        """Which frame is made."""
        passes = self.run.video.passes
        count = self.run.source.count
        of_passes = f"pass {self.number + 1}/{passes}  " if passes > 1 else ""
        index = self.done - self.number * count if count else self.done
        of_all = f"/{count}" if count else ""
        return f"{self.what}{' ' * bool(self.what)}{of_passes}frame {index + 1}{of_all}"


@dataclass(frozen=True, kw_only=True)
class FramePlace(Place):
    """The run of a frame, among all of them."""

    frames: Frames

    def fraction(self, progress: Progress | Within) -> float:
        """Share of all frames done, as if all were the same work."""
        return (self.frames.done + progress.fraction) / self.frames.total

    def words(self, progress: Progress) -> str:
        """Where all of it is, in a line."""
        latest, left = progress.latest, self.frames.left
        step = f"step {latest.step}/{progress.steps}  loss {latest.loss:.4g}"
        of_time = "" if left is None else f"  {clock(left)} left"
        return f"{self.frames.words()}  {step}{of_time}"

    def words_within(self, within: Within, last: Progress | None) -> str:
        """The same within an evaluation."""
        return f"{self.frames.words()}  {within.words}"
