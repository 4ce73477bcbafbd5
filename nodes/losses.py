"""The loss nodes. A chain is a tuple of links; a link is a loss for each picture of a batch.

A link of one loss is shared by the whole batch. Links are never changed, only added to: the host
keeps them and may pass the same chain to several nodes.
"""

from typing import TypeAlias

from torch import Tensor

from ..nst_core.control import losses as engine
from ..nst_core.control.alpha import both
from ..nst_core.control.guidance import check_large_enough
from ..nst_core.control.losses import Loss
from ..nst_core.gatys.vgg import size_of
from ..nst_core.settings import default_of, limits_of
from ..nst_core.settings.loss import shares_in
from . import _host as host
from ._host import io
from ._inputs import STEP, chain_input, image_mask_input, losses_output, mask_input, setting
from .pictures import masks_of, together, with_alpha_of

_BLACK = (
    "it is ignored and this loss counts in the whole picture. Paint white where it shall count, or "
    "set its weight to 0 to turn it off."
)

Link: TypeAlias = tuple[Loss, ...]
Chain: TypeAlias = tuple[Link, ...]


def check_sizes(loss: engine.ContentLoss | engine.StyleLoss, what: str) -> None:
    """ImageTooSmall if a picture, as it came, has no feature at one of its layers.

    The engine enlarges pictures to the size asked for; out of so few pixels comes nothing but a
    blur, and whoever wired a thumbnail or a single pixel should hear of it.
    """
    for picture in loss.pictures:
        check_large_enough(*size_of(picture), loss.layer_weights, f"The {what} picture")


class ContentLoss(io.ComfyNode):
    """A picture whose shapes the result shall keep."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        return host.schema(
            node_id="NST_ContentLoss",
            display_name="Content Loss",
            description="The result shall show what this picture shows. Chain it with a Style Loss "
            "and connect both to L-BFGS Optimize.",
            search_aliases=["neural style transfer", "nst", "gatys", "content", "vgg loss"],
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="The picture to be repainted. Each picture of a batch gets a result "
                    "of its own. If it has an alpha channel (Join Image with Alpha), only what is "
                    "opaque counts, for all losses.",
                ),
                setting("content_weight"),
                setting("content_layers"),
                setting("normalization"),
                mask_input(),
                chain_input(),
                setting("feather", advanced=True),
            ],
            outputs=[losses_output()],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        content_weight: float,
        content_layers: str,
        normalization: str,
        mask: Tensor | None = None,
        losses: Chain = (),
        feather: float = default_of("feather"),
    ) -> io.NodeOutput:
        """One loss for each picture, at the end of the chain."""
        batches = (
            with_alpha_of(image, "content"),
            masks_of(mask, "content", black=_BLACK, feather=feather),
        )
        link = tuple(
            engine.ContentLoss(
                image=picture,
                alpha=alpha,
                weight=content_weight,
                layers=content_layers,
                normalization=normalization,
                mask=area,
            )
            for (picture, alpha), area in together("Content pictures and masks", *batches)
        )
        check_sizes(link[0], "content")
        return io.NodeOutput((*losses, link))


class StyleLoss(io.ComfyNode):
    """Pictures whose texture and colors the result shall have."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        return host.schema(
            node_id="NST_StyleLoss",
            display_name="Style Loss",
            description="The result shall be painted as this picture is: the Gram matrices of its "
            "features say how. A batch is one style, the average of its pictures.",
            search_aliases=["neural style transfer", "nst", "gatys", "gram matrix", "vgg loss"],
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="The style. All pictures of a batch make one style together. What an "
                    "alpha channel makes transparent does not count.",
                ),
                setting("style_weight"),
                setting("style_layers"),
                setting("normalization"),
                mask_input(),
                chain_input(),
                *(setting(name, advanced=True) for name in ("statistics", "style_scale")),
                setting("style_shares", advanced=True),
                image_mask_input(),
                setting("feather", advanced=True),
            ],
            outputs=[losses_output()],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        style_weight: float,
        style_layers: str,
        normalization: str,
        mask: Tensor | None = None,
        losses: Chain = (),
        statistics: str = default_of("statistics"),
        style_scale: float = default_of("style_scale"),
        style_shares: str = default_of("style_shares"),
        image_mask: Tensor | None = None,
        feather: float = default_of("feather"),
    ) -> io.NodeOutput:
        """One loss of all pictures at the end of the chain; with many masks, one for each.

        As with `Region`s, it counts by the mask's area: a mask changes where is painted, and not
        how strongly.
        """
        pictures = with_alpha_of(image, "style")
        parts = masks_of(
            image_mask,
            "style picture's",
            black="all of the picture counts. Paint white what shall count.",
            each=True,
        )
        rows = together("Style pictures and their masks", pictures, parts)
        image_masks = tuple(both(part, alpha) for (_, alpha), part in rows)
        link = tuple(
            engine.StyleLoss(
                images=tuple(picture for (picture, _), _ in rows),
                image_masks=image_masks,
                shares=shares_in(style_shares),
                statistics=statistics,
                scale=style_scale,
                weight=style_weight * (1.0 if area is None else float(area.mean())),
                layers=style_layers,
                normalization=normalization,
                mask=area,
            )
            for area in masks_of(mask, "style", black=_BLACK, feather=feather)
        )
        check_sizes(link[0], "style")
        return io.NodeOutput((*losses, link))


class TotalVariationLoss(io.ComfyNode):
    """Smoothness."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        low, high = limits_of("tv_weight")
        weight = setting("tv_weight")
        # Off is the engine's default; who adds this node wants to see it do something.
        weight = io.Float.Input(
            "tv_weight", default=100.0, min=low, max=high, step=STEP, tooltip=weight.tooltip
        )
        return host.schema(
            node_id="NST_TotalVariationLoss",
            display_name="Total Variation Loss",
            description="Neighboring pixels of the result shall be alike: less noise, softer "
            "edges.",
            search_aliases=["neural style transfer", "nst", "smooth", "denoise", "tv loss"],
            inputs=[weight, chain_input()],
            outputs=[losses_output()],
        )

    @classmethod
    def execute(cls, tv_weight: float, losses: Chain = ()) -> io.NodeOutput:
        """One loss for all pictures, at the end of the chain."""
        return io.NodeOutput((*losses, (engine.TotalVariationLoss(weight=tv_weight),)))
