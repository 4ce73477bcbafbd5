"""Settings of the search for the picture."""

from dataclasses import dataclass

from .amount import bytes_in
from .color import ColorSettings
from .option import option

STARTS = ("content", "gray", "noise", "style")
SHAPES = ("keep", "square")
PRECONDITIONERS = ("spectral", "none")
PRECISIONS = ("auto", "float32", "bfloat16")
# Longer side of a result, in pixels. What fits is decided by memory, and by the format it is
# written in (`writing.MAX_SIDES`); hosts and pages have smaller limits of their own.
MAX_SIZE = 65536


@dataclass(frozen=True, kw_only=True)
class RunSettings(ColorSettings):
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
        "L-BFGS steps in all, more for larger scales. One step costs about one evaluation.",
        minimum=0,
        maximum=100_000,
    )
    max_evaluations: int = option(
        0, "Evaluations of the loss in all; 0 leaves it to the steps.", minimum=0, maximum=1_000_000
    )
    scales: int = option(
        0,
        "Sizes from coarse to fine. 0 adds scales while the coarser one keeps 64 pixels, and no "
        "side of a picture is too short there; 1 works at full size only.",
        minimum=0,
        maximum=8,
    )
    scale_factor: float = option(
        2.0,
        "How much larger each scale is than the one before: 2, or 1.41 for more and gentler steps.",
        minimum=1.1,
        maximum=4,
    )
    views: int = option(
        1,
        "Sizes at which the picture must show the style, each a quarter of the one before and "
        "eight times as strong. 1 looks at full size only. More give large pictures larger forms "
        "and less of the content, for networks like builtin; 0 adds views from 768 pixels up.",
        minimum=0,
        maximum=5,
    )
    seamless: bool = option(
        False,
        "Left meets right and top meets bottom, so that copies lie side by side without a seam. "
        "The size is rounded to 16 pixels.",
    )
    aspect: float = option(
        0.0,
        "Width divided by height of a result without content; 0 takes the style's proportions.",
        minimum=0,
        maximum=16,
    )
    seed: int = option(
        0,
        "Seed of the noise start; the same seed gives the same picture. Above 2^53, neighbors are "
        "one seed, because browsers round such numbers.",
        minimum=0,
        maximum=2**64 - 1,
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
        "spectral smooths the steps and finds the picture sooner; none is textbook L-BFGS. Both "
        "look for the same picture.",
        choices=PRECONDITIONERS,
    )
    precision: str = option(
        "auto",
        "Arithmetic of the convolutions; sums, gradient and picture are float32 in any case. "
        "auto takes bfloat16 where the device is much faster at it, with float32 for the last "
        "steps (TF32 on NVIDIA's cards), on processors sums with fewer multiplications (Winograd) "
        "and on NVIDIA's cards CUDA graphs; float32 and bfloat16 use one throughout, and none of "
        "these.",
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
    memory: str = option(
        "auto",
        "The most memory to take, such as 4GB or 4000MB: on a processor all of the program's, on a "
        "card what it holds there. What does not fit is done in tiles, and kept on disk. auto is "
        "what is free.",
    )
    cards: int = option(
        1,
        "Cards of this machine that share one picture: each does a part of it and keeps a part of "
        "the L-BFGS history. 0 is all that there are.",
        minimum=0,
        maximum=64,
    )

    def __post_init__(self) -> None:
        if self.init == "grey":
            object.__setattr__(self, "init", "gray")
        super().__post_init__()
        bytes_in(self.memory)  # refuses what is no amount
