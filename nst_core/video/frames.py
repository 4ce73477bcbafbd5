"""One pass over a video: frame after frame, each from those that are done."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from ..control.losses import Loss
from ..gatys.vgg import VGG16
from ..run.progress import OnProgress, Record, Result, ignore_progress
from ..run.runtime import Runtime
from ..run.stylize import stylize
from ..settings import RunSettings
from ..settings.video import VideoSettings
from .flows import FlowBetween, Frame
from .guides import Done, Guide, guide_of, temporal_losses

# Of the steps of the first frame, those of each frame after it.
_STEPS_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Painted:
    """A frame that is done.

    Attributes:
        index: counted from 0.
        image: (1, 3, H, W) RGB in [0, 1].
        records: of its evaluations.
        began_anew: whether it was the first one, or came after a cut.
    """

    index: int
    image: Tensor
    records: tuple[Record, ...]
    began_anew: bool


@dataclass(kw_only=True)
class Painter:
    """Stylizes the frames of a video in the order that they come in, forward or backward.

    Attributes:
        losses_at: the losses of a frame, those that hold it to other frames not among them.
        vgg, settings, runtime: as of `stylize`; settings are those of the first frame.
        video: how frames hang together.
        flow: between two frames.
        on_progress: told after each evaluation of each frame; raising there cancels.
        on_tile: as of `stylize`.
        done: the frames before, oldest first, as far back as they count.
    """

    losses_at: Callable[[Frame], Sequence[Loss]]
    vgg: VGG16
    settings: RunSettings
    video: VideoSettings
    flow: FlowBetween
    runtime: Runtime | None = None
    on_progress: OnProgress = ignore_progress
    on_tile: Callable[[], None] = lambda: None
    done: deque[Done] = field(default_factory=deque)

    def paint(self, frame: Frame, before: Tensor | None = None) -> Painted:
        """The next frame.

        Args:
            frame: in the size of the result.
            before: what the pass before has made of it.
        """
        guides = self._guides(frame)
        start, settings = before, self.settings
        if guides:
            start = guides[0].start(before)
        if start is not None:
            settings = replace(settings, scales=1, steps=self.frame_steps)
        losses = [*self.losses_at(frame), *temporal_losses(guides, self.video.temporal_weight)]
        result = self._stylized(losses, settings, start)
        return Painted(frame.index, result.image, result.records, not guides)

    def remember(self, done: Done) -> None:
        """What the frames to come take their start from."""
        self.done.append(done)
        while len(self.done) > max(self.video.distances):
            self.done.popleft()

    @property
    def frame_steps(self) -> int:
        """Steps of each frame that goes on from another one."""
        return self.video.frame_steps or max(1, round(self.settings.steps * _STEPS_SHARE))

    def _guides(self, frame: Frame) -> list[Guide]:
        """Of earlier frames, nearest first; none after a cut."""
        guides = []
        for distance in self.video.distances:
            if distance > len(self.done):
                break
            guide = guide_of(self.done[-distance], frame, self.flow)
            if distance == 1 and self.video.cuts and guide.is_cut:
                self.done.clear()
                break
            guides.append(guide)
        return guides

    def _stylized(
        self, losses: Sequence[Loss], settings: RunSettings, start: Tensor | None
    ) -> Result:
        return stylize(
            losses,
            vgg=self.vgg,
            settings=settings,
            runtime=self.runtime,
            start=start,
            on_progress=self.on_progress,
            on_tile=self.on_tile,
        )


def stylize_frames(frames: Iterable[Frame], painter: Painter) -> Iterator[Painted]:
    """Every frame in turn, each from those before it."""
    for frame in frames:
        painted = painter.paint(frame)
        painter.remember(Done(frame, painted.image))
        yield painted
