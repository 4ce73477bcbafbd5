"""Before a run: what it will take."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..control.losses import Loss
from ..control.pyramid import VIEW_FACTOR, Scale
from ..control.tiles import plan_tiles
from ..gatys.vgg import VGG16
from ..settings import RunSettings
from .estimate import estimate
from .finishing import Finish
from .pace import Pace, pace_of
from .runtime import Runtime
from .scales import EXACT_SHARE, evaluations_of, exact_steps, load_of, scales_of, tile_of
from .sizes import views_at
from .staging import picture_to_start, result_size


@dataclass(frozen=True)
class Needs:
    """What a run will take, as far as it is known without trying.

    Attributes:
        scales: the sizes to work on, coarse to fine, each with its steps.
        tile: longest side of the last scale's tiles in pixels; 0 is untiled.
        memory: bytes on the device at most, beside the network itself.
        free: bytes that can be had there; None where the system does not say.
        evaluations: how many may be made in all; 0 is as many as the steps take.
    """

    scales: tuple[Scale, ...]
    tile: int
    memory: int
    free: int | None
    evaluations: int

    @property
    def sentences(self) -> list[str]:
        """For people, a line each."""
        sizes = ", then ".join(
            f"{scale.width}x{scale.height} px in {scale.steps} step{'s' * (scale.steps != 1)}"
            for scale in self.scales
        )
        free = "" if self.free is None else f" of {self.free / 1e9:.1f} GB free"
        tiles = f", in tiles of {self.tile} px" if self.tile else ""
        most = f", but at most {self.evaluations} evaluations in all" if self.evaluations else ""
        return [
            f"Sizes: {sizes}{most}.",
            f"Memory: about {self.memory / 1e9:.2f} GB{free}{tiles}, beside the network.",
        ]


@dataclass(frozen=True)
class Plan(Needs):
    """What a run will take, before it is done.

    Attributes:
        seconds: of all steps, at the pace of a small evaluation measured just now. A search that
            stops early takes less.
    """

    seconds: float

    @property
    def sentences(self) -> list[str]:
        """For people, a line each."""
        time = f"Time: about {duration(self.seconds)}, less if a scale is finished early."
        return [*super().sentences, time]


def needs(
    losses: Sequence[Loss],
    *,
    settings: RunSettings,
    runtime: Runtime,
    start: Tensor | None = None,
) -> Needs:
    """What `stylize` with the same arguments will take. Costs nothing.

    Raises:
        SettingsError, ImageTooSmall, OutOfMemory: as `stylize` would before its first evaluation.
    """
    size = result_size(losses, settings, start)
    Finish.of(losses, settings)
    if start is None:
        picture_to_start(losses, settings)
    scales = scales_of(losses, settings, *size)
    tile = [tile_of(losses, scale, settings, runtime) for scale in scales][-1]
    memory = estimate(load_of(losses, scales[-1], settings), runtime, tile)
    return Needs(scales, tile, memory, runtime.memory, settings.max_evaluations)


def plan(
    losses: Sequence[Loss],
    *,
    vgg: VGG16,
    settings: RunSettings | None = None,
    runtime: Runtime | None = None,
    start: Tensor | None = None,
    pace: Pace | None = None,
) -> Plan:
    """What `stylize` with the same arguments will take. Costs a few evaluations at 256 pixels.

    Args:
        losses, vgg, settings, runtime, start: as `stylize` takes them.
        pace: of `pace_of` for losses that cost the same; with it, this costs nothing.

    Raises:
        SettingsError, ImageTooSmall, OutOfMemory: as `stylize` would.
    """
    settings = settings or RunSettings()
    runtime = runtime or Runtime.choose(settings.device, settings.precision)
    with torch.inference_mode(False), torch.no_grad():
        needed = needs(losses, settings=settings, runtime=runtime, start=start)
        pace = pace or pace_of(losses, vgg=vgg, settings=settings, runtime=runtime, start=start)
        seconds = _seconds(losses, settings, runtime, needed, pace)
    return Plan(**vars(needed), seconds=seconds)


def duration(seconds: float) -> str:
    """How long that is, for people.

    >>> duration(1.2), duration(44), duration(200)
    ('a second', '44 seconds', '3 minutes')
    """
    if seconds >= 90:
        return f"{round(seconds / 60)} minutes"
    return "a second" if seconds < 1.5 else f"{round(seconds)} seconds"


def _seconds(
    losses: Sequence[Loss], settings: RunSettings, runtime: Runtime, needed: Needs, pace: Pace
) -> float:
    """What all evaluations cost, and before them the targets of the styles."""
    scales = needed.scales
    counts = evaluations_of(scales, settings.max_evaluations)
    exact = min(exact_steps(scales[-1], runtime), round(counts[-1] * EXACT_SHARE))
    seconds = 0.0
    for scale, count in zip(scales, counts, strict=True):
        load = load_of(losses, scale, settings)
        # A forward pass alone is a third of an evaluation.
        targets = sum(height * width for height, width in load.styles) / 3
        views = views_at(losses, settings, scale.height, scale.width)
        copies = sum(VIEW_FACTOR ** (-2 * level) for level in range(views))
        pixels = copies * _pixels(scale, needed.tile, load.layers, settings.seamless)
        last = exact if scale is scales[-1] else 0
        seconds += (targets + pixels * (count - last)) * pace.usual
        seconds += (targets + pixels * last) * pace.exact if last else 0.0
    return seconds


def _pixels(scale: Scale, tile: int, layers: Collection[str], seamless: bool) -> float:
    """What an evaluation costs, in pixels: tiles have margins, and two forward passes but for one.

    A seamless picture has margins of its own, where it goes on at its other end.
    """
    tiles = plan_tiles(scale.height, scale.width, tile, layers, wrap=seamless)
    return sum(1.5 * tile.work for tile in tiles) - 0.5 * tiles[-1].work
