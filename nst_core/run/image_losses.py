"""The losses of a run that look at the image itself, as functions of it."""

from collections.abc import Mapping, Sequence
from functools import partial

from torch import Tensor

from ..control.image_losses import laplacian, total_variation
from ..control.losses import LaplacianLoss, TotalVariationLoss, Weighed
from ..control.targets import numbered
from ..control.temporal import TemporalLoss, changed, temporal_mask
from ..gatys.objective import ImageLoss


def image_losses_of(losses: Sequence[Weighed], wrap: bool) -> Mapping[str, ImageLoss]:
    """{name: weighted loss} of what needs no network, and no tiles."""
    found: dict[str, ImageLoss] = {}
    variation = sum(loss.weight for loss in losses if isinstance(loss, TotalVariationLoss))
    if variation:
        found["total variation"] = lambda image: variation * total_variation(image, wrap=wrap)
    details = [loss for loss in losses if isinstance(loss, LaplacianLoss)]
    for name, loss in zip(numbered("laplacian", len(details)), details, strict=True):
        found[name] = partial(_detail, target=laplacian(loss.image), weight=loss.weight)
    earlier = [loss for loss in losses if isinstance(loss, TemporalLoss)]
    for name, held in zip(numbered("temporal", len(earlier)), earlier, strict=True):
        mask = temporal_mask(held)
        found[name] = partial(_changed, target=held.image, mask=mask, weight=held.weight)
    return found


def _detail(image: Tensor, *, target: Tensor, weight: float) -> Tensor:
    return weight * (laplacian(image) - target).square().mean()


def _changed(image: Tensor, *, target: Tensor, mask: Tensor, weight: float) -> Tensor:
    return weight * changed(image, target, mask)
