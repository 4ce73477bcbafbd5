"""All passes over a video, from frames on disk to frames on disk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from .flows import Frame
from .folder import FramesFolder
from .frames import Painter
from .guides import Done


class Source(Protocol):
    """A video, in the size of the result."""

    def frames(self, first: int) -> Iterator[Frame]:
        """Its frames from an index on, one in memory."""


@dataclass(kw_only=True)
class Passes:
    """The passes of a run.

    Attributes:
        source: the video.
        folder: where the frames go.
        painter_of: a new painter, for each pass.
        passes: how many.
        on_frame: told the pass, the index and how many evaluations it took; for one that was there
            already, 0.
    """

    source: Source
    folder: FramesFolder
    painter_of: Callable[[], Painter]
    passes: int
    on_frame: Callable[[int, int, int], None] = lambda number, index, evaluations: None

    def run(self) -> int:
        """Every pass; how many frames there are."""
        length = self._first()
        for number in range(1, self.passes):
            order = range(length)
            self._later(number, order if number % 2 == 0 else order[::-1])
        return length

    def _first(self) -> int:
        """The first pass, in the order that the video is decoded in."""
        painter = self.painter_of()
        there = next(i for i in count() if not self.folder.painted(0, i).exists())
        first = self._go_on_from(painter, range(there), 0)
        length = there
        for frame in self.source.frames(first):
            if self.passes > 1 and not self.folder.source(frame.index).exists():
                self.folder.save_source(frame)
            if frame.index < there:
                painter.remember(self._done(frame, 0))
                continue
            self._paint(painter, frame, 0)
            length = frame.index + 1
        return length

    def _later(self, number: int, order: range) -> None:
        painter = self.painter_of()
        there = next(
            (i for i, index in enumerate(order) if not self.folder.painted(number, index).exists()),
            len(order),
        )
        skipped = self._go_on_from(painter, order[:there], number)
        for place, index in enumerate(order[skipped:], skipped):
            frame = self.folder.load_source(index)
            if place < there:
                painter.remember(self._done(frame, number))
            else:
                self._paint(painter, frame, number)

    def _go_on_from(self, painter: Painter, there: range, number: int) -> int:
        """How many of the frames that are there need not be looked at again; all are told."""
        for index in there:
            self.on_frame(number, index, 0)
        first = max(0, len(there) - max(painter.video.distances))
        cuts = [place for place, index in enumerate(there) if self.folder.began_anew(number, index)]
        return max([first, *cuts])

    def _done(self, frame: Frame, number: int) -> Done:
        kept = self.folder.load_found(number, frame.index)
        return Done(frame, kept.image, self.folder.aim(number, frame.index))

    def _paint(self, painter: Painter, frame: Frame, number: int) -> None:
        before = self.folder.load_found(number - 1, frame.index).image if number else None
        painted = painter.paint(frame, before)
        kept = self.folder.save(painted, number)
        painter.remember(Done(frame, kept.image, painted.aim))
        self.on_frame(number, frame.index, len(painted.records))
