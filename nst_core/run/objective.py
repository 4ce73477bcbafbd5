"""Losses to an objective: targets, the fast network, tiles, CUDA graphs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..control.known import KnownStyles
from ..control.losses import Weighed
from ..control.targets import MakeMap, TargetMaker, map_in_memory
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
from .image_losses import image_losses_of
from .tiling import Tiling
from .within import Pass, Ticks, depth_of, passes_of_evaluation, passes_of_targets


def in_units(losses: Sequence[Weighed]) -> tuple[list[Weighed], float]:
    """The losses that count, with weights divided by the largest, and that.

    Only ratios of weights say which picture is best; so scaling all of them changes no bit of the
    path. A loss times the unit is the loss as it was asked for.
    """
    unit = max((loss.weight for loss in losses), default=0.0)
    return [replace(loss, weight=loss.weight / unit) for loss in losses if loss.weight > 0], unit


@dataclass(eq=False, kw_only=True)
class Evaluator:
    """`evaluate(image) -> Evaluation` of an objective, as a CUDA graph where there can be one.

    Attributes:
        targets, image_losses, vgg: of the objective.
        height, width, wrap: as of `evaluator_of`.
        graphs: whether evaluations may become CUDA graphs.
        processes: those that share the picture.
        tiling: in which tiles it is done.
        ticks: told what is counted within an evaluation.
    """

    targets: Sequence[Target]
    image_losses: Mapping[str, ImageLoss]
    vgg: VGG16
    height: int
    width: int
    wrap: bool
    graphs: bool
    processes: Processes
    tiling: Tiling
    ticks: Ticks
    _called: "_Called" = field(init=False)

    def __post_init__(self) -> None:
        self._called = self._made(self.tiling.tile)

    def evaluate(self, image: Tensor) -> Evaluation:
        """Loss and gradient of a contiguous (1, 3, H, W) image."""
        gradient, losses = self.tiling.done(lambda tile: self._evaluated(image, tile))
        evaluation = self._called.objective.evaluation(gradient, losses)
        self.ticks.end()
        self._called.after()
        return evaluation

    def _evaluated(self, image: Tensor, tile: int) -> tuple[Tensor, ...]:
        if tile != self._called.tile:
            self._called = self._made(tile)
        self.ticks.begin(self._called.passes)
        return self._called.execute(self._called.objective.gradient_and_losses, image)

    def _made(self, tile: int) -> "_Called":
        """The objective in such tiles."""
        device, layers = self.tiling.device, [target.layer for target in self.targets]
        tiles = plan_tiles(
            self.height, self.width, tile, layers, wrap=self.wrap, processes=self.processes
        )
        graphs = self.graphs and self.processes.size == len(tiles) == 1
        graphs = graphs and all(target.asynchronous for target in self.targets)
        execute = executor(device, graphs=graphs, large=True)
        by_hand = has_kernels(device)
        inside, after = (self.ticks, _ignore) if execute is eager else (_ignore, self.ticks)
        objective = TiledObjective(
            self.targets,
            fast_network(self.vgg, inside) if by_hand else autograd_network(self.vgg),
            self.image_losses,
            vgg=self.vgg,
            tiles=tiles,
            on_tile=inside,
            processes=self.processes,
        )
        passes = passes_of_evaluation(len(tiles), depth_of(layers), by_hand=by_hand)
        return _Called(objective, tile, execute, after, passes if execute is eager else ())


@dataclass(frozen=True)
class _Called:
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
    known: KnownStyles | None = None,
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
        known: as of `TargetMaker`.

    Raises:
        ImageTooSmall, SettingsError: a picture has no feature at a layer; nothing has a weight.
    """
    ticks = on_tile if isinstance(on_tile, Ticks) else Ticks(on_tile)
    device = next(vgg.parameters()).device
    # Several processes would have to change tiles at the same time.
    tiling = Tiling(tile, max(height, width), device, on_smaller, fixed=processes.size > 1)
    maker = TargetMaker(
        vgg=vgg,
        height=height,
        width=width,
        wrap=wrap,
        sums=FAST_SUMS if has_kernels(device) else Sums(),
        on_tile=ticks,
        processes=processes,
        make_map=make_map,
        known=known,
    )

    def made(tile: int) -> list[Target]:
        ticks.begin(passes_of_targets(losses, height, width, tile, wrap=wrap))
        return replace(maker, tile=tile).targets_of(losses)

    with torch.no_grad():
        targets, image_losses = tiling.done(made), image_losses_of(losses, wrap)
    ticks.end()
    _check_counting(targets, image_losses)
    return Evaluator(
        targets=targets,
        image_losses=image_losses,
        vgg=vgg,
        height=height,
        width=width,
        wrap=wrap,
        graphs=graphs,
        processes=processes,
        tiling=tiling,
        ticks=ticks,
    )


def _check_counting(targets: Sequence[Target], image_losses: Mapping[str, ImageLoss]) -> None:
    if not targets and not image_losses:
        raise SettingsError("No loss has a weight above 0. Give content or style a weight.")


def _ignore() -> None:
    """Do nothing."""
