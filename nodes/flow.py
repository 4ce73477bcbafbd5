"""Optical flow as a value that nodes pass on: between any two frames of one video."""

from dataclasses import dataclass

from torch import Tensor

from ..nst_core.control.flow import resized_flow
from ..nst_core.errors import SettingsError
from ..nst_core.video.flows import FlowBetween, Frame


@dataclass(frozen=True, eq=False)
class Flow:
    """The motion of a video. It is looked up when a frame needs it, so that none lies in memory.

    Attributes:
        between: (1, 2, h, w) in pixels of any size, from one frame to another.
        frames: how many the video has.
        identity: tells this flow from every other.
    """

    between: FlowBetween
    frames: int
    identity: str

    def for_frames(self, count: int) -> FlowBetween:
        """The same in pixels of the frames that are asked about.

        Args:
            count: how many frames there are.

        Raises:
            SettingsError: it is of a video of another length.
        """
        if count != self.frames:
            raise SettingsError(
                f"The optical flow is of {self.frames} frames, and the video has {count}. Take "
                "both from the same video, uncut."
            )

        def resized(first: Frame, second: Frame) -> Tensor:
            return resized_flow(self.between(first, second), *first.image.shape[-2:])

        return resized
