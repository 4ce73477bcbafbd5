"""The node that makes one mask into a mask for each frame."""

import torch
from torch import Tensor

from ..nst_core.errors import SettingsError
from ..nst_core.settings import VideoSettings, default_of
from ..nst_core.video.flows import Frame
from ..nst_core.video.moving_mask import moving_masks
from . import _host as host
from ._host import io
from ._inputs import FLOW, setting
from .flow import Flow, flow_between
from .pictures import masks_of, pictures_of
from .run import warnings_shown


class MovingMask(io.ComfyNode):
    """A mask that follows what it lies on."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        return host.schema(
            node_id="NST_MovingMask",
            display_name="Moving Mask",
            description="A mask over the first frame of a video, carried along by the optical "
            "flow: one mask for each frame, for Stylize Video, Style Loss and Keep Pixels.",
            search_aliases=["neural style transfer", "nst", "video", "track", "rotoscope", "mask"],
            inputs=[
                io.Image.Input("frames", tooltip="The video."),
                io.Mask.Input(
                    "mask", tooltip="Over the first frame. It is stretched over the picture."
                ),
                FLOW.Input(
                    "optical_flow",
                    optional=True,
                    tooltip="How the video moves, if it is known. Without it, it is found here.",
                ),
                setting("flow", advanced=True),
            ],
            outputs=[
                io.Mask.Output(
                    "mask_out",
                    display_name="mask",
                    tooltip="A mask for each frame. After a scene cut it is black.",
                )
            ],
        )

    @classmethod
    def execute(
        cls,
        frames: Tensor,
        mask: Tensor,
        optical_flow: Flow | None = None,
        flow: str = default_of("flow"),
    ) -> io.NodeOutput:
        """(B, H, W)."""
        pictures = pictures_of(frames, "video's")
        (first, *others) = masks_of(mask, "video's", black="it stays empty. Paint white what moves")
        if others:
            raise SettingsError(
                f"There are {len(others) + 1} masks. Connect one, over the first frame."
            )
        height, width = pictures[0].shape[-2:]
        made = torch.zeros(len(pictures), height, width)
        if first is not None:
            device = host.runtime_for("auto", lambda runtime: 0).device
            between = flow_between(optical_flow, len(pictures), VideoSettings(flow=flow), device)
            bar = host.progress_bar(len(pictures))
            with warnings_shown():
                given = (Frame(i, one.float()) for i, one in enumerate(pictures))
                for index, one in enumerate(moving_masks(first, given, between)):
                    host.stop_if_asked()
                    made[index] = one
                    bar.update_absolute(index + 1, len(pictures))
        return io.NodeOutput(host.to_host(made[:, None])[..., 0])
