"""Frames that are done, to a video."""

from pathlib import Path
from typing import Any

from ..files.clip_out import clip_to
from .run import VideoRun


def write_video(
    run: VideoRun, path: Path, frames: int, *, bits: int = 8, sound: bool = True
) -> None:
    """The frames of the last pass as a video, a GIF or a folder, at the clip's times.

    Where only some are done, sound ends with them.

    Args:
        run: whose first frames are done.
        path: as of `check_clip`.
        frames: how many there are.
        bits: of each channel: 8, 10 for videos, or 16 for folders.
        sound: whether that of the clip is copied, if it has any.

    Raises:
        ImageError: it cannot be written.
    """
    copied = run.clip.path if sound and run.clip.info.sound else None
    part = run.path / f"unfinished{path.suffix}"
    times = run.clip.times(run.every)
    whole = not 0 < frames < run.source.count
    how: dict[str, Any] = {"sound": copied, "bits": bits, "sound_to_end": whole}
    with clip_to(path, *run.size, run.clip.info, part=part, **how) as writer:
        for index, (ticks, duration) in zip(range(frames), times, strict=False):
            writer.add(run.finished(index), ticks, duration)
