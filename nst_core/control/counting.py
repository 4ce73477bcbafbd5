"""What of a loss counts: its pictures, and its layers. What its masks leave out is told."""

import logging
from collections.abc import Mapping, Sequence

from torch import Tensor

from ..gatys.statistics import Guidance
from ..gatys.vgg import size_of
from .guidance import check_large_enough, guidances_of
from .losses import ContentLoss, StyleLoss

log = logging.getLogger(__name__)


def counting_pictures(
    loss: StyleLoss, name: str, layers: Sequence[str]
) -> list[tuple[Tensor, Mapping[str, Guidance], Mapping[str, float]]]:
    """The style pictures of which something counts, where it does, and their share of each layer.

    The shares of a layer add up to 1.
    """
    seen = []
    for image, mask, share in loss.counting:
        check_large_enough(*size_of(image), layers, "A style picture")
        there = guidances_of(mask, *size_of(image), layers)
        if not there:
            log.warning(
                "The mask of a picture of the %s loss is empty; the picture is left out.", name
            )
        for layer in layers if there else ():
            if layer not in there:
                log.warning(
                    "The mask of a picture of the %s loss is empty at %s; the picture is left out "
                    "there.",
                    name,
                    layer,
                )
        seen.append((image, there, share))
    totals = {layer: sum(share for _, there, share in seen if layer in there) for layer in layers}
    return [
        (image, there, {layer: share / totals[layer] for layer in there})
        for image, there, share in seen
        if there
    ]


def counting_layers(
    loss: ContentLoss | StyleLoss, name: str, height: int, width: int, what: str
) -> dict[str, Guidance]:
    """Where the loss counts at each of its layers; layers where it counts nowhere are left out."""
    layers = [layer for layer, weight in loss.layer_weights.items() if weight > 0]
    check_large_enough(height, width, layers, what)
    guidances = guidances_of(loss.mask, height, width, layers)
    for layer in layers:
        if layer not in guidances:
            log.warning(
                "The mask of the %s loss is empty at %s; the loss is left out.", name, layer
            )
    return guidances
