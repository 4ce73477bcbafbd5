"""Optical flow as a value that nodes pass on, and the node that loads it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..nst_core.control.flow import resized_flow
from ..nst_core.errors import ImageError, NSTError, SettingsError
from ..nst_core.optional import check_installed
from ..nst_core.settings import VideoSettings
from ..nst_core.video.flows import FlowBetween, Frame, flow_named
from ..nst_core.video.given_flow import flow_of_files
from . import _host as host
from ._host import io
from ._inputs import FLOW


@dataclass(frozen=True, eq=False)
class Flow:
    """The motion of a video. It is looked up when a frame needs it, so that none lies in memory.

    Attributes:
        between: (1, 2, h, w) in pixels of any size, from one frame to another.
        identity: tells this flow from every other.
        frames: how many the video has; 0 is not known.
    """

    between: FlowBetween
    identity: str
    frames: int = 0

    def for_frames(self, count: int) -> FlowBetween:
        """The same in pixels of the frames that are asked about.

        Args:
            count: how many frames there are.

        Raises:
            SettingsError: it is of a video of another length.
        """
        if self.frames and count != self.frames:
            raise SettingsError(
                f"The optical flow is of {self.frames} frames, and the video has {count}. Take "
                "both from the same video, uncut."
            )

        def resized(first: Frame, second: Frame) -> Tensor:
            return resized_flow(self.between(first, second), *first.image.shape[-2:])

        return resized


def flow_between(
    given: Flow | None, count: int, video: VideoSettings, device: torch.device
) -> FlowBetween:
    """The flow that is wired, or else found.

    Raises:
        SettingsError: it is of a video of another length.
        PackageError, WeightsError: what finds it is not installed.
    """
    if given is not None:
        return given.for_frames(count)
    if video.flow == "dis":  # a host has packages by their own names
        check_installed("cv2", "opencv-python-headless")
    return flow_named(video.flow, video.raft_weights, device)


class LoadOpticalFlow(io.ComfyNode):
    """Flow out of files."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        return host.schema(
            node_id="NST_LoadOpticalFlow",
            display_name="Load Optical Flow",
            description="Optical flow that another program has computed, from a folder in "
            "ComfyUI's input folder: .flo or KITTI's 16-bit PNG files, two for each pair of "
            "frames.",
            search_aliases=["neural style transfer", "nst", "flo", "kitti", "motion", "raft"],
            inputs=[
                io.Combo.Input(
                    "folder",
                    options=[path.name for path in _folders()],
                    tooltip="A folder in ComfyUI's input folder with 000001-000002.flo or .png "
                    "and 000002-000001, or forward_1_2.flo and backward_2_1.flo, and so on.",
                )
            ],
            outputs=[FLOW.Output("optical_flow", tooltip="How the video moves.")],
        )

    @classmethod
    def fingerprint_inputs(cls, folder: str) -> str:
        """Changes when a file in the folder does."""
        return _fingerprint(host.input_folder() / Path(folder).name)

    @classmethod
    def execute(cls, folder: str) -> io.NodeOutput:
        """The flow, as yet unread."""
        # A name that is wired was compared with no list: it must not lead out of the input folder.
        found = next((path for path in _folders() if path.name == folder), None)
        if found is None:
            raise ImageError(
                f"There is no folder '{folder}' with optical flow. Put it into "
                f"{host.input_folder()}, with files such as forward_1_2.flo and backward_2_1.flo."
            )
        return io.NodeOutput(Flow(flow_of_files(found), _fingerprint(found)))


def _folders() -> list[Path]:
    """Folders with flow."""
    return [path for path in sorted(host.input_folder().glob("*/")) if _has_flow(path)]


def _has_flow(folder: Path) -> bool:
    try:
        flow_of_files(folder)
    except NSTError:
        return False
    return True


def _fingerprint(folder: Path) -> str:
    """Names, dates and sizes of its files."""
    facts: list[Any] = [folder.name]
    for path in sorted(folder.glob("*")):
        status = path.stat()
        facts.append((path.name, status.st_mtime_ns, status.st_size))
    return str(facts)
