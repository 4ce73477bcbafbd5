"""The node that stylizes a video, frame after frame."""

from dataclasses import fields
from typing import Any

from torch import Tensor

from ..nst_core.gatys.vgg import VGG16
from ..nst_core.settings import RunSettings, VideoSettings, default_of
from . import _host as host
from ._host import io
from ._inputs import FLOW, LOSSES, preview_interval_input, setting, vgg_input
from .clip import clip_of
from .flow import Flow
from .losses import Chain
from .optimize import BASIC
from .pictures import masks_of, pictures_of
from .video_run import stylize_clip

# In the order of the node. Of RunSettings, all but what the host decides and what is for textures.
ADVANCED = (
    "earlier",
    "frame_steps",
    "frame_tolerance",
    "passes",
    "flow",
    "cuts",
    "feather",
    "shape",
    "tolerance",
    "bounded",
    "history",
    "preconditioner",
    "max_evaluations",
    "tile",
    "scale_factor",
    "views",
    "colors",
    "color_when",
    "color_source",
    "color_strength",
)
_OF_VIDEO = {item.name for item in fields(VideoSettings)}


class StylizeVideo(io.ComfyNode):
    """L-BFGS on one frame after the other, each held to those before it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        return host.schema(
            node_id="NST_StylizeVideo",
            display_name="Stylize Video",
            description="L-BFGS Optimize for the frames of a video. Each starts from the one "
            "before, carried along by the optical flow, and is held to it, so that nothing "
            "flickers. Canceled, it goes on where it stopped when it is run again.",
            search_aliases=[
                "neural style transfer",
                "nst",
                "gatys",
                "video",
                "animation",
                "optical flow",
                "temporal",
            ],
            inputs=[
                vgg_input(tooltip="The network that looks at the frames, from Load VGG-16."),
                io.Image.Input(
                    "frames",
                    tooltip="The video: the images of Get Video Components, or of any node that "
                    "loads a video as a batch.",
                ),
                LOSSES.Input(
                    "losses",
                    tooltip="What a good frame is: Style Loss, and what else you chain. Without a "
                    "Content Loss, each frame is its own content; with one, wire the frames to "
                    "it too.",
                ),
                *(setting(name) for name in BASIC),
                setting("temporal_weight"),
                preview_interval_input(),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="What is painted: white is, black stays as it is. One for the whole "
                    "video, or one for each frame. Without one, everything is painted.",
                ),
                FLOW.Input(
                    "optical_flow",
                    optional=True,
                    tooltip="How the video moves, from Load Optical Flow or Sample Video. Without "
                    "it, it is found here; that needs OpenCV.",
                ),
                io.Image.Input(
                    "start",
                    optional=True,
                    tooltip="One picture: the first frame, stylized already. Or one for each "
                    "frame: the video, stylized already. Frames then start from these and take "
                    "no more than frame_steps.",
                ),
                *(setting(name, advanced=True) for name in ADVANCED),
            ],
            outputs=[
                io.Image.Output(
                    "frames_out",
                    display_name="frames",
                    tooltip="The stylized frames, for Create Video or any node that saves a batch "
                    "as a video.",
                ),
                io.Mask.Output(
                    "mask_out",
                    display_name="mask",
                    tooltip="Where each frame is transparent, as in the frames that came; else "
                    "black.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        vgg: VGG16,
        frames: Tensor,
        losses: Chain,
        preview_interval: float,
        mask: Tensor | None = None,
        optical_flow: Flow | None = None,
        start: Tensor | None = None,
        feather: float = default_of("feather"),
        **settings: Any,
    ) -> io.NodeOutput:
        """As many frames as came."""
        video = {name: value for name, value in settings.items() if name in _OF_VIDEO}
        run = {name: value for name, value in settings.items() if name not in _OF_VIDEO}
        black = "everything is painted. Paint white what shall be painted."
        clip = clip_of(
            frames,
            losses,
            masks=masks_of(mask, "video's", black=black),
            feather=feather,
            starts=() if start is None else pictures_of(start, "start"),
            settings=RunSettings(**run),
        )
        image, transparent = stylize_clip(
            clip,
            vgg=vgg,
            settings=RunSettings(**run),
            video=VideoSettings(**video),
            flow=optical_flow,
            interval=preview_interval,
        )
        return io.NodeOutput(image, transparent)
