"""Bytes of a process at its peak after videos of as many frames as its arguments say.

Each is made and written. Frames are 192x144 pixels, 0.33 MB each in memory.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from clips import LIMIT, make_video
from small import seeded_vgg

from nst_core import Runtime, Settings
from nst_core.files.clip import clip_of
from nst_core.settings.video import VideoSettings
from nst_core.video.run import VideoRun
from nst_core.video.writing import write_video


def peak() -> int:
    """Of this process alone: `getrusage` also knows the peak of whoever started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def make(folder: Path, frames: int) -> None:
    """A whole video, in two passes."""
    ticks = [40 * index for index in range(frames)]
    source = make_video(folder / f"{frames}.mp4", size=(144, 192), ticks=ticks)
    run = VideoRun(
        clip=clip_of(source, max_pixels=LIMIT),
        regions=[],
        settings=Settings(size=192, steps=0, scales=1, content_layers="relu1_1"),
        video=VideoSettings(frame_steps=1),
        vgg=NETWORK,
        runtime=Runtime(torch.device("cpu")),
        flow=lambda first, second: torch.zeros(1, 2, *first.image.shape[-2:]),
        path=folder / f"{frames}.frames",
    )
    write_video(run, folder / f"out{frames}.mp4", run.run())


NETWORK = seeded_vgg()
with TemporaryDirectory() as name:
    peaks = []
    for frames in map(int, sys.argv[1:]):
        make(Path(name), frames)
        peaks.append(peak())
print(*peaks)  # noqa: T201
