"""What can be asked for: the only home of defaults, limits and help texts.

Command line, nodes and page make their flags, inputs and sliders from the fields below and
nothing else, so a limit or a help text is changed here and nowhere else.
"""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from .errors import SettingsError
from .losses import NORMALIZATIONS
from .preprocessing import PREPROCESSINGS
from .vgg import POOLINGS

STARTS = ("content", "gray", "noise", "style")
SHAPES = ("keep", "square")
PRECONDITIONERS = ("spectral", "none")
PRECISIONS = ("float32", "bfloat16")
# Longer side of a result, in pixels.
MAX_SIZE = 16384


def option(
    default: Any,
    help_text: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A dataclass field that carries its own limits and help."""
    limits = {"help": help_text, "minimum": minimum, "maximum": maximum, "choices": choices}
    return field(default=default, metadata=limits)


class _Checked:
    """Refuses values outside the limits of their fields."""

    def __post_init__(self) -> None:
        for item in fields(self):  # type: ignore[arg-type]
            _check(item, getattr(self, item.name))


def _check(item: "Field[Any]", value: Any) -> None:
    name, limits = item.name.replace("_", " "), item.metadata
    if limits["choices"] and value not in limits["choices"]:
        raise SettingsError(
            f"{name} '{value}' is unknown. Use one of: {', '.join(limits['choices'])}."
        )
    if isinstance(item.default, int | float) and not isinstance(item.default, bool):
        if not math.isfinite(value):
            raise SettingsError(f"{name} is {value}. Use a finite number.")
        low, high = limits["minimum"], limits["maximum"]
        if (low is not None and value < low) or (high is not None and value > high):
            raise SettingsError(f"{name} is {value}. Use a number from {low:g} to {high:g}.")


@dataclass(frozen=True, kw_only=True)
class NetworkSettings(_Checked):
    """Which VGG-16 looks at the pictures."""

    weights: str = option(
        "auto",
        "Network weights: auto, keras, torchvision, torchvision-features, builtin, or a file "
        "(.safetensors, .pth, .h5). auto takes trained weights when it can have them.",
    )
    preprocessing: str = option(
        "auto",
        "Input range the weights were trained on. auto knows it for known files and for files "
        "of ours; say it for others.",
        choices=("auto", *PREPROCESSINGS),
    )
    pooling: str = option(
        "max",
        "Pooling between blocks. max is what the network was trained with; average gives "
        "smoother pictures.",
        choices=POOLINGS,
    )


@dataclass(frozen=True, kw_only=True)
class LossSettings(_Checked):
    """What a good picture is."""

    content_weight: float = option(
        1.0, "How much the content's shapes count (the paper's alpha).", minimum=0, maximum=1e9
    )
    style_weight: float = option(
        100.0,
        "How much the style's texture and colors count (the paper's beta).",
        minimum=0,
        maximum=1e9,
    )
    tv_weight: float = option(
        0.0,
        "Total variation: smooths noise between neighboring pixels. 0 is off.",
        minimum=0,
        maximum=1e9,
    )
    content_layers: str = option(
        "relu4_2",
        "Layers that say what the content is: low, high, all, or a list such as "
        "relu4_2 or relu3_2=0.5,relu4_2=1.",
    )
    style_layers: str = option(
        "all",
        "Layers that say what the style is: low (fine texture), high (large strokes), all, or a "
        "list such as relu1_1=2,relu3_1.",
    )
    normalization: str = option(
        "relative",
        "What weights are measured in. relative: free of units, the same at every size, layer "
        "and network; gatys: the paper's formulas; mean: neural-style's.",
        choices=tuple(NORMALIZATIONS),
    )


@dataclass(frozen=True, kw_only=True)
class RunSettings(_Checked):
    """How the picture is found."""

    size: int = option(512, "Longer side of the result, in pixels.", minimum=16, maximum=MAX_SIZE)
    shape: str = option(
        "keep",
        "keep the content's proportions, or make everything square as the seed project did.",
        choices=SHAPES,
    )
    init: str = option(
        "content", "The picture to start from: content, gray, noise or style.", choices=STARTS
    )
    steps: int = option(
        300,
        "L-BFGS steps in all, shared between the scales. One step costs about one evaluation.",
        minimum=0,
        maximum=100_000,
    )
    max_evaluations: int = option(
        0, "Evaluations of the loss in all; 0 leaves it to the steps.", minimum=0, maximum=1_000_000
    )
    scales: int = option(
        0,
        "Sizes from coarse to fine, each twice the one before. 0 adds scales while the coarser "
        "one keeps 256 pixels; 1 works at full size only.",
        minimum=0,
        maximum=8,
    )
    seed: int = option(
        0,
        "Seed of the noise start; the same seed gives the same picture.",
        minimum=0,
        maximum=2**32 - 1,
    )
    tolerance: float = option(
        1e-3,
        "Stop a scale when the loss has fallen by less than this share in 20 steps. 0 never stops "
        "early.",
        minimum=0,
        maximum=1,
    )
    bounded: bool = option(
        True, "Keep every step inside the range of a picture instead of clipping the result."
    )
    history: int = option(10, "Curvature pairs that L-BFGS remembers.", minimum=1, maximum=200)
    preconditioner: str = option(
        "spectral",
        "spectral finds large shapes and fine detail at the same pace, in about half the steps; "
        "none is textbook L-BFGS. Both look for the same picture.",
        choices=PRECONDITIONERS,
    )
    precision: str = option(
        "float32",
        "Arithmetic of the convolutions; sums, gradient and picture are float32 in any case. "
        "bfloat16 is faster where the device has it, and a little coarser.",
        choices=PRECISIONS,
    )
    device: str = option("auto", "Where to compute: auto, cpu, cuda, cuda:1, mps …")
    tile: int = option(
        0,
        "Work in tiles of this many pixels a side; the result is the same, only memory is "
        "saved. 0 tiles only when the picture would not fit.",
        minimum=0,
        maximum=MAX_SIZE,
    )

    def __post_init__(self) -> None:
        if self.init == "grey":
            object.__setattr__(self, "init", "gray")
        super().__post_init__()


@dataclass(frozen=True, kw_only=True)
class ReadSettings(_Checked):
    """What is read at all."""

    max_pixels: int = option(
        100_000_000,
        "Pixels of the largest picture that is read. A file says its size before it is decoded, "
        "so a larger one costs nothing.",
        minimum=1,
        maximum=2**31 - 1,
    )


@dataclass(frozen=True, kw_only=True)
class Settings(ReadSettings, NetworkSettings, LossSettings, RunSettings):
    """Everything that can be asked for in one record."""


def help_of(name: str) -> str:
    """The help text of a setting."""
    return str(_field(name).metadata["help"])


def limits_of(name: str) -> tuple[float | None, float | None]:
    """The smallest and the largest value of a setting; None where there is none."""
    metadata = _field(name).metadata
    return metadata["minimum"], metadata["maximum"]


def choices_of(name: str) -> tuple[str, ...]:
    """The values that a setting can have; empty when it is free."""
    return tuple(_field(name).metadata["choices"])


def default_of(name: str) -> Any:
    """The default of a setting."""
    return _field(name).default


def _field(name: str) -> "Field[Any]":
    for item in fields(Settings):
        if item.name == name and item.default is not MISSING:
            return item
    raise SettingsError(f"There is no setting '{name}'.")


@dataclass(frozen=True)
class Preset:
    """Settings under a name, with where they come from."""

    settings: Settings
    description: str


PRESETS: Mapping[str, Preset] = {
    "default": Preset(
        Settings(),
        "Relative losses, coarse to fine, from the content: weights that mean the same everywhere.",
    ),
    # alpha / beta = 1e-3 and conv4_2 as in arXiv:1508.06576, on a 224x224 VGG-16 from a gray
    # square. The seed ran scipy's fmin_l_bfgs_b without bounds; it restarted it every few
    # evaluations, which we do not: that only forgets curvature.
    "gatys-vgg16": Preset(
        Settings(
            content_weight=1.0,
            style_weight=1e3,
            content_layers="relu4_2",
            style_layers="all",
            normalization="gatys",
            size=224,
            shape="square",
            init="gray",
            steps=300,
            scales=1,
            bounded=False,
        ),
        "The seed project: Gatys, Ecker and Bethge (arXiv:1508.06576) on Keras's VGG-16, a gray "
        "224x224 square, alpha 1, beta 1000.",
    ),
    # neural_style.lua's defaults. Its total variation (1e-3) acts on the gradient alone and is
    # not part of its loss; it is left out here.
    "neural-style": Preset(
        Settings(
            content_weight=5.0,
            style_weight=100.0,
            content_layers="relu4_2",
            style_layers="all",
            normalization="mean",
            size=512,
            init="noise",
            steps=1000,
            scales=1,
            bounded=False,
        ),
        "jcjohnson's neural-style: mean squared errors, content 5, style 100, from noise.",
    ),
}


def preset_named(name: str) -> Preset:
    """The preset called `name`; SettingsError lists the known ones otherwise."""
    if name not in PRESETS:
        raise SettingsError(f"Preset '{name}' is unknown. Use one of: {', '.join(PRESETS)}.")
    return PRESETS[name]
