"""The layers of VGG-16 by name, in lists and with weights."""

import difflib
import math
import re
from collections.abc import Mapping, Sequence

from ..errors import LayerError, SettingsError

# Convolutions of each block.
_COUNTS = (2, 2, 3, 3, 3)
LAYER_NAMES = tuple(
    f"relu{block}_{index}"
    for block, count in enumerate(_COUNTS, start=1)
    for index in range(1, count + 1)
)

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


# jcjohnson's relu4_2, the paper's conv4_2 and Keras's block4_conv2 are one tensor: Caffe applies
# its ReLU in place and Keras fuses it, so all three mean the value after the ReLU.
_DIALECTS = re.compile(r"^(?:relu|conv)([1-5])_([1-3])$|^block([1-5])_conv([1-3])$")


def canonical_layer(name: str) -> str:
    """`relu4_2` for any of `relu4_2`, `conv4_2`, `block4_conv2`; LayerError with near names.

    >>> canonical_layer("block4_conv2")
    'relu4_2'
    """
    match = _DIALECTS.match(name.strip().lower())
    if match:
        block, index = (group for group in match.groups() if group)
        if f"relu{block}_{index}" in LAYER_NAMES:
            return f"relu{block}_{index}"
    near = difflib.get_close_matches(name.strip().lower(), LAYER_NAMES, n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"VGG-16 has {', '.join(LAYER_NAMES)}."
    raise LayerError(f"There is no layer '{name}' in VGG-16. {hint}")


def layer_weights(
    layers: LayerNames, named: Mapping[str, Sequence[str]], *, averaged: bool
) -> dict[str, float]:
    """{canonical layer: weight} of a choice by name, a list, or a mapping.

    Args:
        layers: a key of `named`, "relu1_1=2,relu3_1", a list of names, or {name: weight}.
        named: choices with a name.
        averaged: whether n layers without a weight have 1/n each, or 1.

    Raises:
        LayerError: a layer VGG-16 does not have.
        SettingsError: no layer, a layer twice, or a weight that is no finite positive number.

    >>> layer_weights("conv1_1=2, relu3_1", STYLE_LAYERS, averaged=True)
    {'relu1_1': 2.0, 'relu3_1': 0.5}
    """
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
    default = 1 / len(pairs) if averaged else 1.0
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
