"""One pass over a video: frame after frame, each from those that are done."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from ..control.known import KnownStyles
from ..control.losses import Loss
from ..gatys.vgg import VGG16, size_of
from ..run.progress import OnProgress, Record, Result, ignore_progress
from ..run.runtime import Runtime
from ..run.stylize import stylize
from ..settings import RunSettings
from ..settings.video import VideoSettings
from .coloring import Coloring
from .flows import FlowBetween, Frame
from .frame_done import FrameDone, comparable, next_aim
from .guides import Done, Guide, guide_of, is_cut, kept_in, temporal_losses

# Of the steps of the first frame, the most that a frame after it may have.
_STEPS_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Painted:
    """A frame that is done.

    Attributes:
        index: counted from 0.
        image: (1, 3, H, W) RGB in [0, 1].
        found: the same before its colors were changed: what frames to come go on from.
        records: of its evaluations.
        began_anew: whether it was the first one, or came after a cut.
        aim: the loss that the frame after it is compared with, see `FrameDone`.
    """

    index: int
    image: Tensor
    found: Tensor
    records: tuple[Record, ...]
    began_anew: bool
    aim: float


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
    _known: KnownStyles = field(default_factory=KnownStyles, init=False)

    def paint(self, frame: Frame, before: Tensor | None = None) -> Painted:
        """The next frame.

        Args:
            frame: in the size of the result.
            before: what the pass before has made of it.
        """
        own = self.losses_at(frame)
        guides = self._guides(frame, own)
        start = guides[0].start(before) if guides else before
        aim = self._aim(own) if guides else 0.0
        coloring = Coloring.of(own, self.settings)
        held = temporal_losses(guides, self.video.temporal_weight)
        result = self._stylized([*coloring.losses, *held], coloring, start, aim)
        return Painted(
            index=frame.index,
            image=coloring.shown(result.image),
            found=result.image,
            records=result.records,
            began_anew=not guides,
            aim=next_aim(aim, result.records),
        )

    def remember(self, done: Done) -> None:
        """What the frames to come take their start from."""
        self.done.append(done)
        while len(self.done) > max(self.video.distances):
            self.done.popleft()

    @property
    def frame_steps(self) -> int:
        """The most steps of a frame that goes on from another one."""
        return self.video.frame_steps or max(1, round(self.settings.steps * _STEPS_SHARE))

    def _aim(self, losses: Sequence[Loss]) -> float:
        """What a frame with these losses is compared with; 0 if it cannot be."""
        before = self.done[-1]
        return before.aim if comparable(losses, self.losses_at(before.frame)) else 0.0

    def _guides(self, frame: Frame, losses: Sequence[Loss]) -> list[Guide]:
        """Of earlier frames, nearest first; none after a cut."""
        guides: list[Guide] = []
        size = size_of(frame.image)
        for distance in self.video.distances:
            if distance > len(self.done):
                break
            done = self.done[-distance]
            kept = kept_in(self.losses_at(done.frame), *size), kept_in(losses, *size)
            guide = guide_of(done, frame, self.flow, kept)
            if not guides and self.video.cuts and is_cut(guide.mask):
                self.done.clear()
                break
            guides.append(guide)
        return guides

    def _stylized(
        self, losses: Sequence[Loss], coloring: Coloring, start: Tensor | None, aim: float
    ) -> Result:
        """As a still; or from a picture that is nearly one, in its size and one arithmetic."""
        settings, runtime, enough = coloring.settings, self._runtime, None
        if start is not None:
            settings = replace(settings, scales=1, steps=self.frame_steps)
            runtime = replace(runtime, finish=False)
            tolerance = self.video.frame_tolerance
            enough = FrameDone(aim, tolerance) if tolerance else None
        return stylize(
            losses,
            vgg=self.vgg,
            settings=settings,
            runtime=runtime,
            start=start,
            on_progress=coloring.told(self.on_progress),
            on_tile=self.on_tile,
            enough=enough,
        )

    @property
    def _runtime(self) -> Runtime:
        chosen = self.runtime
        if chosen is None:
            chosen = Runtime.choose(self.settings.device, self.settings.precision)
        return replace(chosen, known=self._known)


def stylize_frames(frames: Iterable[Frame], painter: Painter) -> Iterator[Painted]:
    """Every frame in turn, each from those before it."""
    for frame in frames:
        painted = painter.paint(frame)
        painter.remember(Done(frame, painted.found, painted.aim))
        yield painted
