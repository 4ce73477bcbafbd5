"""Layers by name, in lists and with weights."""

import math
from collections.abc import Mapping, Sequence

from .errors import SettingsError
from .losses import NORMALIZATIONS
from .vgg import canonical_layer

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
