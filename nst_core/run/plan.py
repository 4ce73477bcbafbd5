"""Before a run: what it will take."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..control.losses import Loss
from ..control.pyramid import Scale
from ..control.tiles import Tile, plan_tiles
from ..gatys.vgg import VGG16
from ..processes import Processes
from ..settings import RunSettings
from ..settings.amount import bytes_in
from .cards import cards_of, shared
from .estimate import away_bytes, estimate
from .finishing import Finish
from .pace import Pace, pace_of
from .runtime import Runtime
from .scales import EXACT_SHARE, evaluations_of, exact_steps, load_of, place_of, scales_of
from .staging import picture_to_start, result_size

# Of tiles, the first pass, which adds up the sums, takes this share of the second.
_SUMS = 0.7


@dataclass(frozen=True)
class Needs:
    """What a run will take, as far as it is known without trying.

    Attributes:
        scales: the sizes to work on, coarse to fine, each with its steps.
        tile: longest side of the last scale's tiles in pixels; 0 is untiled.
        memory: bytes on the device at most, beside the network itself.
        free: bytes that can be had there; None where the system does not say.
        evaluations: how many may be made in all; 0 is as many as the steps take.
        processes: how many share the picture; memory is of each.
        away: bytes that are kept on disk, or for a card in the machine's memory.
    """

    scales: tuple[Scale, ...]
    tile: int
    memory: int
    free: int | None
    evaluations: int
    processes: int = 1
    away: int = 0

    @property
    def sentences(self) -> list[str]:
        """For people, a line each."""
        sizes = ", then ".join(
            f"{scale.width}x{scale.height} px in {scale.steps} step{'s' * (scale.steps != 1)}"
            for scale in self.scales
        )
        free = "" if self.free is None else f" of {self.free / 1e9:.1f} GB free"
        tiles = f", in tiles of {self.tile} px" if self.tile else ""
        away = f", and {self.away / 1e9:.2f} GB outside of it" if self.away else ""
        each = f" for each of {self.processes} processes" if self.processes > 1 else ""
        most = f", but at most {self.evaluations} evaluations in all" if self.evaluations else ""
        memory = f"about {self.memory / 1e9:.2f} GB{each}{free}{tiles}, beside the network{away}"
        return [
            f"Sizes: {sizes}{most}.",
            f"Memory: {memory}.",
        ]


@dataclass(frozen=True)
class Plan(Needs):
    """What a run will take, before it is done.

    Attributes:
        seconds: of all steps, at the pace of a small evaluation measured just now. A search that
            stops early takes less.
    """

    seconds: float = field(kw_only=True)

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
    runtime = _shared(runtime, settings)
    size = result_size(losses, settings, start)
    Finish.of(losses, settings)
    if start is None:
        picture_to_start(losses, settings)
    scales = scales_of(losses, settings, *size)
    place = [place_of(losses, scale, settings, runtime) for scale in scales][-1]
    load = load_of(losses, scales[-1], settings, runtime)
    return Needs(
        scales=scales,
        tile=place.tile,
        memory=estimate(load, runtime, place.tile, away=place.away),
        free=runtime.memory,
        evaluations=settings.max_evaluations,
        processes=runtime.processes.size,
        away=away_bytes(load, runtime) if place.away else 0,
    )


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
        seconds = _seconds(losses, settings, _shared(runtime, settings), needed, pace)
    return Plan(**vars(needed), seconds=seconds)


def _shared(runtime: Runtime, settings: RunSettings) -> Runtime:
    """As a run takes it: within its limit, and with the cards that share the picture."""
    runtime = runtime.within(bytes_in(settings.memory))
    return shared(runtime, cards_of(settings.cards, runtime))


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
        load = load_of(losses, scale, settings, runtime)
        # A forward pass alone is a third of an evaluation.
        targets = sum(height * width for height, width in load.styles) / 3
        pixels, most = 0.0, 0
        for rank in range(runtime.processes.size):
            tiles = plan_tiles(
                scale.height,
                scale.width,
                needed.tile,
                load.layers,
                wrap=settings.seamless,
                processes=Processes(rank, runtime.processes.size),
            )
            pixels, most = max(pixels, load.looked_at * _pixels(tiles)), max(most, len(tiles))
        last = exact if scale is scales[-1] else 0
        seconds += (targets + pixels * (count - last)) * pace.usual
        # The search in float32 begins with an evaluation of its own.
        seconds += (targets + pixels * (last + 1)) * pace.exact if last else 0.0
        seconds += (count + (last > 0)) * most * pace.fixed
    return seconds


def _pixels(tiles: Sequence[Tile]) -> float:
    """What an evaluation costs, in pixels: tiles have margins, and two forward passes but for one.

    A seamless picture has margins of its own, where it goes on at its other end.
    """
    work = [tile.work for tile in tiles]
    return sum(work) + _SUMS * sum(work[:-1])
