"""Everything in one node: a content, a style, a preset and three sliders."""

from dataclasses import replace
from typing import Any

from torch import Tensor

from ..nst_core.gatys.vgg import VGG16
from ..nst_core.run.recipes import Region, losses_of_regions
from ..nst_core.settings import PRESETS, Settings, default_of, help_of, limits_of, preset_named
from . import _host as host
from ._host import io
from ._inputs import PREVIEW_INTERVAL, image_output, mask_output, report_output, setting, vgg_input
from .load import default_vgg, fingerprint
from .losses import Chain, check_sizes
from .pictures import masks_of, together, with_alpha_of
from .run import stylize_batch

# What the sliders span is what people use; L-BFGS Optimize takes all that the engine does.
SIZES = (128, 2048, 16)
STEPS = (10, 1000, 10)
STRENGTH_STEP = 0.05


class NeuralStyleTransfer(io.ComfyNode):
    """The short way to a picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        presets = "; ".join(f"{name}: {preset.description}" for name, preset in PRESETS.items())
        return host.schema(
            node_id="NST_NeuralStyleTransfer",
            display_name="Neural Style Transfer",
            description="Repaints a picture in the style of another, by Gatys' method: any style, "
            "no training. Shows the picture while it works; Cancel stops it at once.",
            search_aliases=["nst", "gatys", "style transfer", "artistic style", "painting", "vgg"],
            inputs=[
                io.Image.Input(
                    "content",
                    tooltip="The picture to be repainted. Each picture of a batch gets a result "
                    "of its own.",
                ),
                io.Image.Input(
                    "style", tooltip="The style. All pictures of a batch make one style together."
                ),
                io.Combo.Input(
                    "preset",
                    options=list(PRESETS),
                    default=next(iter(PRESETS)),
                    tooltip=f"Losses, weights and the picture to start from. {presets}",
                ),
                *_sliders(),
                vgg_input(
                    optional=True,
                    tooltip="The network, from Load VGG-16. Without one, the weights auto are "
                    "used.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="What is painted: white is, black stays as it is. It is stretched over "
                    "the content. Without one, or with one that is all black, everything is.",
                ),
                setting("colors", advanced=True),
                setting("style_scale", advanced=True),
                setting("feather", advanced=True),
            ],
            outputs=[image_output(), report_output(), mask_output()],
        )

    @classmethod
    def fingerprint_inputs(cls, **inputs: Any) -> str:
        """Changes when the weights change that are taken when no network is wired."""
        return "" if "vgg" in inputs else fingerprint(default_of("weights"))

    @classmethod
    def execute(
        cls,
        content: Tensor,
        style: Tensor,
        preset: str,
        style_strength: float,
        size: int,
        steps: int,
        vgg: VGG16 | None = None,
        mask: Tensor | None = None,
        colors: str = default_of("colors"),
        style_scale: float = default_of("style_scale"),
        feather: float = default_of("feather"),
    ) -> io.NodeOutput:
        """One result for each content."""
        wanted = preset_named(preset).settings
        settings = replace(
            wanted,
            style_weight=wanted.style_weight * style_strength,
            size=size,
            steps=steps,
            colors=colors,
            style_scale=style_scale,
            feather=feather,
        )
        image, report, mask = stylize_batch(
            chain_of(content, style, settings, mask),
            vgg=vgg or default_vgg(),
            settings=settings,
            interval=PREVIEW_INTERVAL,
        )
        return io.NodeOutput(image, report, mask)


def chain_of(
    content: Tensor, style: Tensor, settings: Settings, mask: Tensor | None = None
) -> Chain:
    """The usual losses for each content, as a chain of them would come from loss nodes."""
    styles, alphas = zip(*with_alpha_of(style, "style"), strict=True)
    black = "everything is painted. Paint white what shall be painted."
    areas = masks_of(mask, "content", black=black)
    rows = together("Content pictures and masks", with_alpha_of(content, "content"), areas)
    of_each = [
        losses_of_regions(
            single, [Region(styles=styles, mask=area, style_masks=alphas)], settings, alpha=alpha
        )
        for (single, alpha), area in rows
    ]
    for loss, what in zip(of_each[0], ("content", "style"), strict=False):
        check_sizes(loss, what)
    return tuple(zip(*of_each, strict=True))


def _sliders() -> list[io.Input]:
    size, steps = default_of("size"), default_of("steps")
    return [
        io.Float.Input(
            "style_strength",
            default=default_of("style_strength"),
            **_range((*limits_of("style_strength"), STRENGTH_STEP)),
            tooltip=help_of("style_strength"),
        ),
        io.Int.Input("size", default=size, **_range(SIZES), tooltip=help_of("size")),
        io.Int.Input("steps", default=steps, **_range(STEPS), tooltip=help_of("steps")),
    ]


def _range(limits: tuple[float | None, float | None, float]) -> dict[str, object]:
    low, high, step = limits
    return {"min": low, "max": high, "step": step, "display_mode": io.NumberDisplay.slider}
