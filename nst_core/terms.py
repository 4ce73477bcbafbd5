"""Losses as values: a picture, layers, weights, a mask. Frozen, so safe to cache and reuse.

They become targets inside `stylize`, at each scale.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from .errors import SettingsError
from .losses import NORMALIZATIONS
from .settings import LossSettings
from .vgg import canonical_layer

_DEFAULTS = LossSettings()

LayerNames = str | Sequence[str] | Mapping[str, float]

# The five style layers of arXiv:1508.06576; low ones hold fine texture, high ones large strokes.
STYLE_LAYERS = {
    "all": ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    "low": ("relu1_1", "relu2_1"),
    "high": ("relu4_1", "relu5_1"),
}
CONTENT_LAYERS = {
    "all": ("relu1_2", "relu2_2", "relu3_2", "relu4_2", "relu5_2"),
    "low": ("relu2_2",),
    "high": ("relu4_2",),
}


def layer_weights(
    layers: LayerNames, named: Mapping[str, Sequence[str]], normalization: str
) -> dict[str, float]:
    """{canonical layer: weight} of a choice by name, a list, or a mapping.

    Args:
        layers: a key of `named`, "relu1_1=2,relu3_1", a list of names, or {name: weight}.
        named: choices with a name.
        normalization: gives the weight of layers without one (1/n, or 1 for "mean").

    Raises:
        LayerError: a layer VGG-16 does not have.
        SettingsError: no layer, a layer twice, or a weight that is no finite positive number.
    """
    if normalization not in NORMALIZATIONS:
        known = ", ".join(NORMALIZATIONS)
        raise SettingsError(f"Normalization '{normalization}' is unknown. Use one of: {known}.")
    if isinstance(layers, str):
        layers = named.get(layers.strip().lower()) or [
            part for part in layers.split(",") if part.strip()
        ]
    pairs = (
        list(layers.items())
        if isinstance(layers, Mapping)
        else [_name_and_weight(p) for p in layers]
    )
    if not pairs:
        raise SettingsError(
            f"No layers were named. Use {', '.join(named)}, or a list such as relu4_2."
        )
    default = NORMALIZATIONS[normalization].layer_weight(len(pairs))
    weights: dict[str, float] = {}
    for name, weight in pairs:
        layer = canonical_layer(name)
        if layer in weights:
            raise SettingsError(f"Layer {layer} is named twice. Name it once.")
        weights[layer] = check_weight(default if weight is None else weight, f"weight of {layer}")
    return weights


def _name_and_weight(text: str) -> tuple[str, float | None]:
    name, equals, weight = text.partition("=")
    if not equals:
        return name, None
    try:
        return name, float(weight)
    except ValueError as error:
        raise SettingsError(
            f"'{text.strip()}' is not a layer with a weight. Write it as relu3_1=0.5."
        ) from error


def check_weight(weight: float, what: str) -> float:
    """The weight, if it is a finite number that is not negative; SettingsError otherwise."""
    if not math.isfinite(weight) or weight < 0:
        raise SettingsError(f"The {what} is {weight}. Use a finite number, 0 or more.")
    return float(weight)


@dataclass(frozen=True, eq=False, kw_only=True)
class _LayerLoss:
    weight: float
    layers: LayerNames
    normalization: str = _DEFAULTS.normalization
    mask: Tensor | None = None
    layer_weights: Mapping[str, float] = field(init=False)

    def _resolve(self, named: Mapping[str, Sequence[str]], what: str) -> None:
        check_weight(self.weight, f"{what} weight")
        weights = layer_weights(self.layers, named, self.normalization)
        object.__setattr__(self, "layer_weights", weights)


@dataclass(frozen=True, eq=False, kw_only=True)
class ContentLoss(_LayerLoss):
    """The picture shall show what `image` shows.

    Attributes:
        image: (1, 3, H, W) RGB in [0, 1]; resized to the result's size.
        weight: of the whole loss; 0 is the same as leaving it out.
        layers: low, high, all, "relu3_2=0.5,relu4_2", a list, or {layer: weight}.
        normalization: relative, gatys or mean.
        mask: (h, w) in [0, 1], where in the picture this loss counts; None is everywhere.
    """

    image: Tensor
    weight: float = _DEFAULTS.content_weight
    layers: LayerNames = _DEFAULTS.content_layers

    def __post_init__(self) -> None:
        self._resolve(CONTENT_LAYERS, "content")


@dataclass(frozen=True, eq=False, kw_only=True)
class StyleLoss(_LayerLoss):
    """The picture shall be painted as `images` are: one style, from one or more pictures.

    Attributes:
        images: each (1, 3, h, w) RGB in [0, 1], of any size; their longer side becomes the
            result's. The target is the weighted mean of their Gram matrices.
        shares: of each picture in the target; None is equal shares. Only ratios count.
        weight, layers, normalization, mask: as in ContentLoss.
    """

    images: tuple[Tensor, ...]
    shares: tuple[float, ...] | None = None
    weight: float = _DEFAULTS.style_weight
    layers: LayerNames = _DEFAULTS.style_layers

    def __post_init__(self) -> None:
        self._resolve(STYLE_LAYERS, "style")
        if not self.images:
            raise SettingsError("A style needs at least one picture.")
        if self.shares is None:
            return
        if len(self.shares) != len(self.images):
            raise SettingsError(
                f"There are {len(self.images)} style pictures but {len(self.shares)} shares. "
                "Give one share for each."
            )
        if sum(check_weight(share, "share of a style") for share in self.shares) == 0:
            raise SettingsError("All shares of the style pictures are 0. Raise one.")

    @property
    def normalized_shares(self) -> tuple[float, ...]:
        """The shares, adding up to 1."""
        shares = self.shares or (1.0,) * len(self.images)
        return tuple(share / sum(shares) for share in shares)


@dataclass(frozen=True, kw_only=True)
class TotalVariationLoss:
    """Neighboring pixels shall be alike. `weight` is per mean squared step, in [0, 1] units."""

    weight: float

    def __post_init__(self) -> None:
        check_weight(self.weight, "total variation weight")


Loss = ContentLoss | StyleLoss | TotalVariationLoss
