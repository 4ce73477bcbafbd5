"""The nodes for what shall stay of a picture: its detail, or its very pixels."""

import torch
from torch import Tensor

from ..nst_core.control import losses as engine
from ..nst_core.settings import default_of, help_of, limits_of
from . import _host as host
from ._host import io
from ._inputs import STEP, chain_input, losses_output, setting
from .losses import Chain
from .pictures import masks_of, pictures_of, together


class LaplacianLoss(io.ComfyNode):
    """Detail that stays where it is."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        low, high = limits_of("laplacian_weight")
        return host.schema(
            node_id="NST_LaplacianLoss",
            display_name="Laplacian Loss",
            description="Edges and details of the result shall stay where this picture has them "
            "(Lapstyle). For faces, text and architecture.",
            search_aliases=["neural style transfer", "nst", "detail", "edges", "lapstyle"],
            inputs=[
                io.Image.Input("image", tooltip="The picture whose detail stays: the content."),
                # Off is the engine's default; who adds this node wants to see it do something.
                io.Float.Input(
                    "laplacian_weight",
                    default=100.0,
                    min=low,
                    max=high,
                    step=STEP,
                    tooltip=help_of("laplacian_weight"),
                ),
                chain_input(),
            ],
            outputs=[losses_output()],
        )

    @classmethod
    def execute(cls, image: Tensor, laplacian_weight: float, losses: Chain = ()) -> io.NodeOutput:
        """One loss for each picture, at the end of the chain."""
        link = tuple(
            engine.LaplacianLoss(image=picture, weight=laplacian_weight)
            for picture in pictures_of(image, "detail")
        )
        return io.NodeOutput((*losses, link))


class KeepPixels(io.ComfyNode):
    """A part of the picture that nobody paints."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        return host.schema(
            node_id="NST_KeepPixels",
            display_name="Keep Pixels",
            description="Where the mask is white, the result keeps the pixels of this picture "
            "exactly; the rest is painted. Give the Style Loss the opposite mask, so that it looks "
            "at the painted part alone.",
            search_aliases=["neural style transfer", "nst", "mask", "region", "protect", "inpaint"],
            inputs=[
                io.Image.Input("image", tooltip="The picture whose pixels stay: the content."),
                io.Mask.Input(
                    "mask",
                    tooltip="White stays, black is painted, gray may go a part of the way. It is "
                    "stretched over the picture. One that is all black keeps nothing.",
                ),
                chain_input(),
                setting("feather", advanced=True),
            ],
            outputs=[losses_output()],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        mask: Tensor,
        losses: Chain = (),
        feather: float = default_of("feather"),
    ) -> io.NodeOutput:
        """One for each picture, at the end of the chain."""
        black = "nothing is kept. Paint white what shall stay."
        masks = masks_of(mask, "kept pixels", black=black, feather=feather)
        rows = together("Pictures and masks", pictures_of(image, "kept"), masks)
        link = tuple(
            engine.Keep(image=picture, mask=torch.zeros(1, 1) if area is None else area)
            for picture, area in rows
        )
        return io.NodeOutput((*losses, link))
