"""A clip to try without one of one's own."""

from pathlib import Path

from ..files.clip import clip_of_sample
from ..files.video_out import video_to

# Boats that sail, in the size of a stamp: some minutes of work for a processor.
CLIP = "harbor"
_SIZE = 160


def write_clip(path: Path) -> None:
    """Draw it into a file.

    Raises:
        PackageError: PyAV is missing.
    """
    clip = clip_of_sample(CLIP, size=_SIZE)
    with video_to(path, clip.info.height, clip.info.width, clip.info) as writer:
        for frame in clip.frames(0):
            writer.add(frame.image, frame.ticks, 1)
