"""The node that finds the picture its losses like best."""

from typing import Any

from torch import Tensor

from ..nst_core.gatys.vgg import VGG16
from ..nst_core.settings import RunSettings
from . import _host as host
from ._host import io
from ._inputs import (
    LOSSES,
    image_output,
    mask_output,
    preview_interval_input,
    report_output,
    resumable_input,
    setting,
    vgg_input,
)
from .losses import Chain
from .pictures import pictures_of
from .run import stylize_batch

# In the order of the node. All of RunSettings but `device` and `memory`, which the host decides.
BASIC = ("init", "size", "steps", "scales", "seed", "precision")
ADVANCED = (
    "shape",
    "tolerance",
    "bounded",
    "history",
    "preconditioner",
    "max_evaluations",
    "tile",
    "scale_factor",
    "views",
    "seamless",
    "aspect",
    "colors",
    "color_when",
    "color_source",
    "color_strength",
)


class LBFGSOptimize(io.ComfyNode):
    """L-BFGS on the pixels of a picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        return host.schema(
            node_id="NST_LBFGSOptimize",
            display_name="L-BFGS Optimize",
            description="Changes the pixels of a picture until its losses are as small as they "
            "get. Shows the picture while it works; Cancel stops it at once.",
            search_aliases=["neural style transfer", "nst", "gatys", "optimizer", "lbfgs"],
            inputs=[
                vgg_input(tooltip="The network that looks at the pictures, from Load VGG-16."),
                LOSSES.Input(
                    "losses",
                    tooltip="What a good picture is: a chain of Content, Style and Total "
                    "Variation Loss nodes.",
                ),
                *(setting(name) for name in BASIC),
                preview_interval_input(),
                io.Image.Input(
                    "start",
                    optional=True,
                    tooltip="A picture to start from, in place of init. A batch needs as many as "
                    "there are contents.",
                ),
                *(setting(name, advanced=True) for name in ADVANCED),
                resumable_input(),
                # Inputs that come later are at the end: saved workflows have theirs by place.
                setting("cards", advanced=True),
            ],
            outputs=[image_output(), report_output(), mask_output()],
        )

    @classmethod
    def execute(
        cls,
        vgg: VGG16,
        losses: Chain,
        preview_interval: float,
        start: Tensor | None = None,
        resumable: bool = False,
        **settings: Any,
    ) -> io.NodeOutput:
        """One result for each picture of the batch."""
        image, report, mask = stylize_batch(
            losses,
            vgg=vgg,
            settings=RunSettings(**settings),
            interval=preview_interval,
            starts=(None,) if start is None else pictures_of(start, "start"),
            resumable=resumable,
        )
        return io.NodeOutput(image, report, mask)
