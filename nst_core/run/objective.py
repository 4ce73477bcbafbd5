"""Losses to an objective: targets, the fast network, tiles, CUDA graphs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..control.image_losses import laplacian, total_variation
from ..control.losses import LaplacianLoss, TotalVariationLoss, Weighed
from ..control.targets import TargetMaker, numbered
from ..control.temporal import TemporalLoss, changed, temporal_mask
from ..control.tiled import TiledObjective
from ..control.tiles import plan_tiles
from ..errors import SettingsError
from ..gatys.functions import Sums
from ..gatys.objective import Evaluation, ImageLoss, Objective
from ..gatys.targets import Target
from ..gatys.vgg import VGG16, autograd_network
from ..kernels.cuda_graph import Execute, eager, executor
from ..kernels.network import fast_network
from ..kernels.sums import FAST_SUMS
from .devices import has_kernels


def in_units(losses: Sequence[Weighed]) -> tuple[list[Weighed], float]:
    """The losses that count, with weights divided by the largest, and that.

    Only ratios of weights say which picture is best; so scaling all of them changes no bit of the
    path. A loss times the unit is the loss as it was asked for.
    """
    unit = max((loss.weight for loss in losses), default=0.0)
    return [replace(loss, weight=loss.weight / unit) for loss in losses if loss.weight > 0], unit


@dataclass(frozen=True)
class Evaluator:
    """`evaluate(image) -> Evaluation` of an objective, as a CUDA graph where there can be one.

    Attributes:
        objective: what is evaluated.
        execute: how.
        after: called after each evaluation; may raise to cancel.
    """

    objective: Objective
    execute: Execute
    after: Callable[[], None]

    def evaluate(self, image: Tensor) -> Evaluation:
        """Loss and gradient of a contiguous (1, 3, H, W) image."""
        gradient, losses = self.execute(self.objective.gradient_and_losses, image)
        evaluation = self.objective.evaluation(gradient, losses)
        self.after()
        return evaluation


def evaluator_of(
    losses: Sequence[Weighed],
    *,
    vgg: VGG16,
    height: int,
    width: int,
    tile: int = 0,
    wrap: bool = False,
    on_tile: Callable[[], None] = lambda: None,
    graphs: bool = False,
) -> Evaluator:
    """What evaluates losses for a picture.

    Args:
        losses: with weights above 0, and content pictures at that size.
        vgg: on the device and in the dtype to compute with, with convolutions of `kernels`.
        height, width: in pixels; multiples of `tiles.ALIGNMENT` if it wraps.
        tile: longest side of a tile's core in pixels; 0 is one tile.
        wrap: the picture goes on at its other end, so that copies of it lie side by side.
        on_tile: called after each tile and each layer's backward; may raise to cancel.
        graphs: whether evaluations become CUDA graphs, each followed by `on_tile`.

    Raises:
        ImageTooSmall, SettingsError: a picture has no feature at a layer; nothing has a weight.
    """
    by_hand = has_kernels(device := next(vgg.parameters()).device)
    with torch.no_grad():
        maker = TargetMaker(
            vgg=vgg,
            height=height,
            width=width,
            tile=tile,
            wrap=wrap,
            sums=FAST_SUMS if by_hand else Sums(),
            on_tile=on_tile,
        )
        targets, image_losses = maker.targets_of(losses), _image_losses(losses, wrap)
    _check_counting(targets, image_losses)
    tiles = plan_tiles(height, width, tile, {target.layer for target in targets}, wrap=wrap)
    graphs = graphs and len(tiles) == 1 and all(target.asynchronous for target in targets)
    execute = executor(device, graphs=graphs)
    inside, after = (on_tile, _ignore) if execute is eager else (_ignore, on_tile)
    network = fast_network(vgg, inside) if by_hand else autograd_network(vgg)
    objective = TiledObjective(targets, network, image_losses, vgg=vgg, tiles=tiles, on_tile=inside)
    return Evaluator(objective, execute, after)


def _check_counting(targets: Sequence[Target], image_losses: Mapping[str, ImageLoss]) -> None:
    if not targets and not image_losses:
        raise SettingsError("No loss has a weight above 0. Give content or style a weight.")


def _ignore() -> None:
    """Do nothing."""


def _image_losses(losses: Sequence[Weighed], wrap: bool) -> Mapping[str, ImageLoss]:
    """{name: weighted loss} of what needs no network, and no tiles."""
    found: dict[str, ImageLoss] = {}
    variation = sum(loss.weight for loss in losses if isinstance(loss, TotalVariationLoss))
    if variation:
        found["total variation"] = lambda image: variation * total_variation(image, wrap=wrap)
    details = [loss for loss in losses if isinstance(loss, LaplacianLoss)]
    for name, loss in zip(numbered("laplacian", len(details)), details, strict=True):
        found[name] = partial(_detail, target=laplacian(loss.image), weight=loss.weight)
    earlier = [loss for loss in losses if isinstance(loss, TemporalLoss)]
    for name, loss in zip(numbered("temporal", len(earlier)), earlier, strict=True):
        mask, target = temporal_mask(loss), loss.image
        found[name] = partial(_changed, target=target, mask=mask, weight=loss.weight)
    return found


def _detail(image: Tensor, *, target: Tensor, weight: float) -> Tensor:
    return weight * (laplacian(image) - target).square().mean()


def _changed(image: Tensor, *, target: Tensor, mask: Tensor, weight: float) -> Tensor:
    return weight * changed(image, target, mask)
