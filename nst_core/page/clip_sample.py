"""A clip to try without one of one's own."""

from fractions import Fraction
from pathlib import Path

from ..files.samples.scenes import moving_sample
from ..files.video_in import VideoInfo
from ..files.video_out import video_to

# Two seconds of boats that sail, in the size of a stamp: some minutes of work for a processor.
CLIP = "harbor"
_SIZE, _FRAMES, _RATE = 160, 24, 12


def write_clip(path: Path) -> None:
    """Draw it into a file.

    Raises:
        PackageError: PyAV is missing.
    """
    scene = moving_sample(CLIP)
    first = scene.frame(0.0, _SIZE)
    height, width = first.shape[-2:]
    rate = Fraction(_RATE)
    like = VideoInfo(
        height=height,
        width=width,
        rate=rate,
        time_base=1 / rate,
        frames=_FRAMES,
        bits=8,
        sound=False,
        full_range=False,
        bt709=False,
    )
    with video_to(path, height, width, like) as writer:
        for index in range(_FRAMES):
            writer.add(scene.frame(index / _RATE, _SIZE), index, 1)
