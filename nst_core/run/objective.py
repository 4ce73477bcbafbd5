"""Losses to an objective: targets, the fast network, tiles, CUDA graphs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..control.image_losses import laplacian, total_variation
from ..control.losses import LaplacianLoss, TotalVariationLoss, Weighed
from ..control.targets import MakeMap, TargetMaker, map_in_memory, numbered
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
from ..processes import ALONE, Processes
from .devices import has_kernels
from .tiling import Tiling
from .within import Pass, Ticks, depth_of, passes_of_evaluation, passes_of_targets


def in_units(losses: Sequence[Weighed]) -> tuple[list[Weighed], float]:
    """The losses that count, with weights divided by the largest, and that.

    Only ratios of weights say which picture is best; so scaling all of them changes no bit of the
    path. A loss times the unit is the loss as it was asked for.
    """
    unit = max((loss.weight for loss in losses), default=0.0)
    return [replace(loss, weight=loss.weight / unit) for loss in losses if loss.weight > 0], unit


class Evaluator:
    """`evaluate(image) -> Evaluation` of an objective, as a CUDA graph where there can be one.

    Args:
        make: tile -> an objective in such tiles.
        tiling: in which.
        ticks: told what is counted within an evaluation.
    """

    def __init__(self, make: Callable[[int], "Called"], tiling: Tiling, ticks: Ticks) -> None:
        self._make, self._tiling, self._ticks = make, tiling, ticks
        self._called = make(tiling.tile)

    def evaluate(self, image: Tensor) -> Evaluation:
        """Loss and gradient of a contiguous (1, 3, H, W) image."""
        gradient, losses = self._tiling.done(lambda tile: self._evaluated(image, tile))
        evaluation = self._called.objective.evaluation(gradient, losses)
        self._ticks.end()
        self._called.after()
        return evaluation

    def _evaluated(self, image: Tensor, tile: int) -> tuple[Tensor, ...]:
        if tile != self._called.tile:
            self._called = self._make(tile)
        self._ticks.begin(self._called.passes)
        return self._called.execute(self._called.objective.gradient_and_losses, image)


@dataclass(frozen=True)
class Called:
    """An objective and how to call it.

    Attributes:
        objective: what is evaluated.
        tile: longest side of its tiles' cores, in pixels; 0 is untiled.
        execute: how.
        after: called after each evaluation; may raise to cancel.
        passes: what is counted within an evaluation; none of a CUDA graph.
    """

    objective: Objective
    tile: int
    execute: Execute
    after: Callable[[], None]
    passes: Sequence[Pass]


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
    processes: Processes = ALONE,
    make_map: MakeMap = map_in_memory,
    on_smaller: Callable[[int], None] = lambda tile: None,
) -> Evaluator:
    """What evaluates losses for a picture, in smaller tiles from where memory turns out too small.

    Args:
        losses: with weights above 0, and content pictures at that size.
        vgg: on the device and in the dtype to compute with, with convolutions of `kernels`.
        height, width: in pixels; multiples of `tiles.ALIGNMENT` if it wraps.
        tile: longest side of a tile's core in pixels; 0 is one tile.
        wrap: the picture goes on at its other end, so that copies of it lie side by side.
        on_tile: called after each tile and each layer's backward; may raise to cancel.
        graphs: whether evaluations become CUDA graphs, each followed by `on_tile`.
        processes: those that share the picture.
        make_map: as of `TargetMaker`.
        on_smaller: told the tile when it becomes smaller.

    Raises:
        ImageTooSmall, SettingsError: a picture has no feature at a layer; nothing has a weight.
    """
    ticks = on_tile if isinstance(on_tile, Ticks) else Ticks(on_tile)
    device = next(vgg.parameters()).device
    by_hand = has_kernels(device)
    # Several processes would have to change tiles at the same time.
    tiling = Tiling(tile, max(height, width), device, on_smaller, fixed=processes.size > 1)
    maker = TargetMaker(
        vgg=vgg,
        height=height,
        width=width,
        wrap=wrap,
        sums=FAST_SUMS if by_hand else Sums(),
        on_tile=ticks,
        processes=processes,
        make_map=make_map,
    )

    def made(tile: int) -> list[Target]:
        ticks.begin(passes_of_targets(losses, height, width, tile, wrap=wrap))
        return replace(maker, tile=tile).targets_of(losses)

    with torch.no_grad():
        targets, image_losses = tiling.done(made), _image_losses(losses, wrap)
    ticks.end()
    _check_counting(targets, image_losses)
    layers = [target.layer for target in targets]
    graphs = graphs and processes.size == 1 and all(target.asynchronous for target in targets)

    def called(tile: int) -> Called:
        tiles = plan_tiles(height, width, tile, layers, wrap=wrap, processes=processes)
        execute = executor(device, graphs=graphs and len(tiles) == 1)
        inside, after = (ticks, _ignore) if execute is eager else (_ignore, ticks)
        network = fast_network(vgg, inside) if by_hand else autograd_network(vgg)
        objective = TiledObjective(
            targets,
            network,
            image_losses,
            vgg=vgg,
            tiles=tiles,
            on_tile=inside,
            processes=processes,
        )
        passes = passes_of_evaluation(len(tiles), depth_of(layers), by_hand=by_hand)
        return Called(objective, tile, execute, after, passes if execute is eager else ())

    return Evaluator(called, tiling, ticks)


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
    return found


def _detail(image: Tensor, *, target: Tensor, weight: float) -> Tensor:
    return weight * (laplacian(image) - target).square().mean()
