"""Inputs made from the engine's settings, so that no default, limit or help is repeated here."""

from typing import Any

from ..nst_core.settings import choices_of, default_of, help_of, limits_of
from ._host import io

# Decimals of a weight or a tolerance: nothing finer can be seen in a picture.
STEP = 0.001
PREVIEW_INTERVAL = 0.5
# What the host takes for "advanced" on every version: 0.8 does not know the keyword yet.
_ADVANCED = {"advanced": True}

VGG = io.Custom("NST_VGG16")
LOSSES = io.Custom("NST_LOSSES")
REPORT = io.Custom("NST_REPORT")
FLOW = io.Custom("NST_FLOW")


def setting(name: str, *, advanced: bool = False) -> io.Input:
    """The input of one setting. An advanced one may be left out of a prompt."""
    default, choices = default_of(name), choices_of(name)
    shared = {
        "default": default,
        "tooltip": help_of(name),
        "optional": advanced,
        "extra_dict": _ADVANCED if advanced else None,
    }
    if choices:
        return io.Combo.Input(name, options=list(choices), **shared)
    if isinstance(default, bool):
        return io.Boolean.Input(name, **shared)
    if isinstance(default, str):
        return io.String.Input(name, **shared)
    low, high = limits_of(name)
    if isinstance(default, float):
        return io.Float.Input(name, min=low, max=high, step=STEP, **shared)
    # A seed that changes by itself would defeat the host's cache: the same prompt would run anew.
    control = {"control_after_generate": False} if name == "seed" else {}
    return io.Int.Input(name, min=int(low or 0), max=int(high or 0), **shared, **control)


def mask_input() -> io.Input:
    """The optional mask of a loss."""
    return io.Mask.Input(
        "mask",
        optional=True,
        tooltip="Where in the picture this loss counts: white is fully, black not at all. It is "
        "stretched over the picture. Without one, or with one that is all black, it counts "
        "in the whole picture.",
    )


def image_mask_input() -> io.Input:
    """The optional mask over a style picture."""
    return io.Mask.Input(
        "image_mask",
        optional=True,
        tooltip="Which part of the style picture counts: white does, black does not. Without one, "
        "or with one that is all black, all of it counts.",
    )


def resumable_input() -> io.Input:
    """Whether a run that was stopped goes on; advanced."""
    return io.Boolean.Input(
        "resumable",
        default=False,
        optional=True,
        extra_dict=_ADVANCED,
        tooltip="Keep what a long run needs to go on: canceled or cut off, the same graph goes on "
        "where it stopped, to the same picture.",
    )


def chain_input() -> io.Input:
    """The optional losses before a loss."""
    return LOSSES.Input(
        "losses",
        optional=True,
        tooltip="Losses to add this one to, from another loss node. Without any, a new chain "
        "begins here.",
    )


def losses_output() -> io.Output:
    """The chain with one more loss."""
    return LOSSES.Output(
        "losses_out",
        display_name="losses",
        tooltip="All losses so far, for the next loss node or for L-BFGS Optimize.",
    )


def image_output() -> io.Output:
    """The finished pictures."""
    return io.Image.Output(
        "image", tooltip="The finished picture; for a batch of contents, one for each."
    )


def mask_output() -> io.Output:
    """How transparent the finished pictures are, in the host's sense."""
    return io.Mask.Output(
        "mask",
        tooltip="Where the picture is transparent, as Load Image gives it: white is transparent. "
        "It is the content's, or black. Join Image with Alpha puts both together for Save Image.",
    )


def report_output() -> io.Output:
    """What became of the run."""
    return REPORT.Output(
        "report",
        tooltip="Settings, weights, times and every evaluation of the loss. Loss Plot draws it; "
        "Preview as Text shows it.",
    )


def preview_interval_input() -> io.Input:
    """How often the node shows the picture."""
    return io.Float.Input(
        "preview_interval",
        default=PREVIEW_INTERVAL,
        min=0.0,
        max=3600.0,
        step=0.1,
        tooltip="Seconds between previews on the node while it works. 0 shows none.",
    )


def vgg_input(**options: Any) -> io.Input:
    """The network."""
    return VGG.Input("vgg", tooltip=options.pop("tooltip"), **options)
