"""Settings of videos."""

from dataclasses import dataclass

from ..errors import SettingsError
from .option import Checked, option

FLOW_NAMES = ("dis", "raft")
VIDEO_BITS = (8, 10, 16)


@dataclass(frozen=True, kw_only=True)
class VideoSettings(Checked):
    """How the frames of a video hang together."""

    temporal_weight: float = option(
        100.0,
        "How strongly a frame is held to the one before, carried along by the optical flow. 0 "
        "leaves it to the start of each frame.",
        minimum=0,
        maximum=1e9,
    )
    earlier: str = option(
        "1",
        "Which earlier frames a frame is held to, such as 1,2,4: what comes into sight again then "
        "looks as it did.",
    )
    frame_steps: int = option(
        0,
        "The most L-BFGS steps for each frame after the first; 0 is a tenth of the steps. Most "
        "frames need fewer, see frame tolerance.",
        minimum=0,
        maximum=100_000,
    )
    frame_tolerance: float = option(
        0.003,
        "A frame after the first is done when three steps lower its loss by less than this share, "
        "or at once if it starts as good as the one before. 0 does all steps.",
        minimum=0,
        maximum=1,
    )
    passes: int = option(
        1,
        "Passes over the whole video, forward and backward in turn. More of them make the borders "
        "of what moves steadier.",
        minimum=1,
        maximum=20,
    )
    flow: str = option(
        "dis",
        "Optical flow. dis: OpenCV's, on the processor; raft: torchvision's network, more exact, "
        "if its weights are on this machine.",
        choices=FLOW_NAMES,
    )
    raft_weights: str = option(
        "", "File of RAFT's weights, of torchvision; empty looks where torch keeps such files."
    )
    cuts: bool = option(True, "Find scene cuts, and begin anew there.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.distances  # noqa: B018 - refuses what is no list of numbers

    @property
    def distances(self) -> tuple[int, ...]:
        """How many frames back each earlier frame lies, nearest first."""
        try:
            found = sorted({int(part) for part in self.earlier.split(",")})
        except ValueError:
            found = [0]
        if found[0] != 1 or found[-1] > 64:
            raise SettingsError(
                f"Earlier frames are '{self.earlier}'. Write how many frames back they lie, 1 and "
                "others up to 64, such as 1,2,4."
            )
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class VideoFileSettings(Checked):
    """How a video is read and written."""

    bits: int = option(
        8,
        "Bits of each channel that are written: 8, 10 for .mp4, .mov and .mkv, or 16 for a folder.",
        choices=VIDEO_BITS,
    )
    rate: float = option(
        25.0,
        "Frames a second of a folder of pictures; videos and animations say it themselves.",
        minimum=0.1,
        maximum=1000,
    )
