"""Before a video is made: what it will take."""

import shutil
import time
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from ..errors import ImageError
from ..run.pace import Pace, pace_of
from ..run.plan import Plan, duration, plan
from ..run.progress import seconds_since
from .run import VideoRun

# Bytes of a pixel in the frames that are kept: noise of 16 bits does not pack.
_KEPT = 6
# About the same of the video.
_WRITTEN = 2


@dataclass(frozen=True)
class VideoPlan:
    """What a video will take.

    Attributes:
        frames: how many there are; 0 is not known.
        passes: over all of them.
        size: (height, width) of each.
        first: of the first frame, and of one after a cut.
        each: seconds of each other frame.
        disk: bytes that the frames take until the video is there, and the video.
    """

    frames: int
    passes: int
    size: tuple[int, int]
    first: Plan
    each: float
    disk: int

    @property
    def seconds(self) -> float:
        """Of all frames in all passes."""
        return self.first.seconds + (self.frames * self.passes - 1) * self.each

    @property
    def sentences(self) -> list[str]:
        """For people, a line each."""
        height, width = self.size
        passes = f", in {self.passes} passes" if self.passes > 1 else ""
        known = str(self.frames) if self.frames else "the file does not say how many,"
        of_all = f": {duration(self.seconds)} in all" if self.frames else ""
        steps, memory = self.first.sentences[:2]
        return [
            f"Frames: {known} of {width}x{height} px{passes}.",
            steps.replace("Sizes:", "The first frame:"),
            memory,
            f"Time: about {_seconds(self.first.seconds)} for the first frame and after a cut, "
            f"{_seconds(self.each)} for each other{of_all}.",
            f"Disk: about {_bytes(self.disk)} till the video is done.",
        ]


def check_room(run: VideoRun) -> None:
    """ImageError if the disk has no room for the frames and the video."""
    needed, free = disk_of(run), shutil.disk_usage(run.path.parent).free + _taken(run.path)
    if free < needed:
        raise ImageError(
            f"The frames may need {_bytes(needed)} in '{run.path}', and its disk has "
            f"{_bytes(free)} free. Free some space, choose another folder, or use a smaller size "
            "or fewer passes."
        )


def disk_of(run: VideoRun) -> int:
    """Bytes that the frames take until the video is there, and the video."""
    passes = run.video.passes
    recolored = run.settings.colors != "style"  # kept before and after
    kept = passes * (1 + recolored) + (passes > 1) + (run.mask is not None)
    pixels = run.size[0] * run.size[1] * max(1, run.source.count)
    return pixels * (kept * _KEPT + _WRITTEN)


def plan_video(run: VideoRun, pace: Pace | None = None) -> VideoPlan:
    """What `run.run` will take. Costs a few evaluations at 256 pixels, and one optical flow.

    Args:
        run: the run.
        pace: of its evaluations, if that is known.

    Raises:
        SettingsError, ImageTooSmall, OutOfMemory: as the run would.
    """
    settings = run.own_settings
    losses = run.usual_losses(run.first_frame())
    pace = pace or pace_of(losses, vgg=run.vgg, settings=settings, runtime=run.runtime)
    first, each = (
        plan(losses, vgg=run.vgg, settings=one, runtime=run.runtime, pace=pace)
        for one in (settings, replace(settings, scales=1, steps=run.painter().frame_steps))
    )
    return VideoPlan(
        frames=run.source.count,
        passes=run.video.passes,
        size=run.size,
        first=first,
        each=each.seconds + _flow_seconds(run),
        disk=disk_of(run),
    )


def _flow_seconds(run: VideoRun) -> float:
    """Of the flows of a frame, both ways."""
    pair = list(islice(run.source.frames(0), 2))
    if len(pair) < 2:
        return 0.0
    began = time.perf_counter()
    run.flow(*pair)
    return seconds_since(began) * 2 * len(run.video.distances)


def _taken(folder: Path) -> int:
    """Bytes of the frames that are there already."""
    if not folder.is_dir():
        return 0
    return sum(path.stat().st_size for path in folder.iterdir())


def _seconds(seconds: float) -> str:
    return duration(seconds) if seconds >= 10 else f"{seconds:.2g} seconds"


def _bytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
