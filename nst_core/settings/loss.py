"""Settings of the losses."""

import math
from dataclasses import dataclass

from ..errors import SettingsError
from .option import Checked, option

NORMALIZATION_NAMES = ("relative", "gatys", "mean")
STATISTICS_NAMES = (
    "gram",
    "gram+mean-std",
    "gram+histogram",
    "gaussian",
    "sliced-wasserstein",
)


@dataclass(frozen=True, kw_only=True)
class LossSettings(Checked):
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
        choices=NORMALIZATION_NAMES,
    )
    statistics: str = option(
        "gram",
        "What of a style is compared. gram: which features occur together (Gatys); gram+mean-std "
        "and gram+histogram: steadier contrast; gaussian: means and covariances (Wasserstein-2); "
        "sliced-wasserstein: whole distributions, the most faithful and the slowest.",
        choices=STATISTICS_NAMES,
    )
    style_scale: float = option(
        1.0,
        "Size of the style pictures against the result: 2 paints with strokes twice as large, 0.5 "
        "with strokes half as large.",
        minimum=0.05,
        maximum=8,
    )
    style_shares: str = option(
        "",
        "How much of each style picture, such as 3,1 or 0.75,0.25; empty is equal shares. Two "
        "shares lead from one style to the other.",
    )
    laplacian_weight: float = option(
        0.0,
        "Laplacian loss: keeps the content's edges and detail where they are; try 100. 0 is off.",
        minimum=0,
        maximum=1e9,
    )
    feather: float = option(
        0.02,
        "Width of the soft edges of regions, in longer sides of the picture; 0 is hard.",
        minimum=0,
        maximum=0.5,
    )


@dataclass(frozen=True, kw_only=True)
class StrengthSettings(Checked):
    """Sliders beside a preset, for interfaces that have no flag for each weight."""

    style_strength: float = option(
        1.0,
        "How strongly the style shows. 1 is the preset's balance, 0 leaves the content as it is.",
        minimum=0,
        maximum=4,
    )
    style_share: float = option(
        1.0,
        "How much this picture counts among the pictures of the style. Only the ratio matters.",
        minimum=0,
        maximum=1,
    )


def shares_in(text: str) -> tuple[float, ...] | None:
    """The numbers in "3,1"; None if there is none.

    Raises:
        SettingsError: something in it is no finite number.
    """
    try:
        shares = tuple(float(part) for part in text.split(",")) if text.strip() else None
        if shares and not all(map(math.isfinite, shares)):
            raise ValueError("not finite")
        return shares
    except ValueError as error:
        raise SettingsError(
            f"Style shares are '{text}'. Write a number for each style picture, such as 3,1."
        ) from error
