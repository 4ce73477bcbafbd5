"""Before a run: what it will take."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..control.losses import Keep, Loss, Weighed
from ..control.pyramid import Scale, fit
from ..control.tiles import margin_of, plan_tiles
from ..gatys.vgg import VGG16
from ..settings import RunSettings
from .objective import evaluator_of, in_units
from .runtime import Runtime
from .scales import exact_steps, extra_bytes, scales_of, tile_of
from .staging import moved, resized, result_size

# Longer side of the picture that is timed: large enough to keep the device busy, and 4 or 16 times
# less work than the usual sizes.
_PROBE = 256
# The first pays for set-up.
_TRIES = 3


@dataclass(frozen=True)
class Needs:
    """What a run will take, as far as it is known without trying.

    Attributes:
        scales: the sizes to work on, coarse to fine, each with its steps.
        tile: longest side of the last scale's tiles in pixels; 0 is untiled.
        memory: bytes on the device at most, beside the network itself.
        free: bytes that can be had there; None where the system does not say.
    """

    scales: tuple[Scale, ...]
    tile: int
    memory: int
    free: int | None

    @property
    def sentences(self) -> list[str]:
        """For people, a line each."""
        sizes = ", then ".join(
            f"{scale.width}x{scale.height} px in {scale.steps} step{'s' * (scale.steps != 1)}"
            for scale in self.scales
        )
        free = "" if self.free is None else f" of {self.free / 1e9:.1f} GB free"
        tiles = f", in tiles of {self.tile} px" if self.tile else ""
        return [
            f"Sizes: {sizes}.",
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
        SettingsError, OutOfMemory: as `stylize` would.
    """
    weighed = [loss for loss in losses if not isinstance(loss, Keep)]
    scales = scales_of(weighed, settings, *result_size(weighed, settings, start))
    last = scales[-1]
    tile = tile_of(weighed, last, settings, runtime)
    extra = extra_bytes(weighed)
    # A seamless picture goes on at its other end, as far as the network looks.
    around = 2 * margin_of(_layers(weighed)) if settings.seamless else 0
    memory = runtime.estimate(
        last.height + around, last.width + around, settings.history, tile, extra
    )
    return Needs(scales, tile, memory, runtime.memory)


@dataclass(frozen=True)
class Pace:
    """Seconds per pixel of one evaluation.

    Attributes:
        usual: in the arithmetic that the search begins with.
        exact: in float32, for the last steps, if they are done in another.
    """

    usual: float
    exact: float


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
        weighed = [loss for loss in losses if not isinstance(loss, Keep)]
        needed = needs(weighed, settings=settings, runtime=runtime, start=start)
        scales, tile, last = needed.scales, needed.tile, needed.scales[-1]
        pace = pace or pace_of(weighed, vgg=vgg, settings=settings, runtime=runtime, start=start)
        layers = _layers(weighed)
        pixels = sum((s.steps + 1) * _pixels(s, tile, layers, settings.seamless) for s in scales)
        exact = exact_steps(last, runtime) * _pixels(last, tile, layers, settings.seamless)
        seconds = (pixels - exact) * pace.usual + exact * pace.exact
    return Plan(scales, tile, needed.memory, needed.free, seconds)


def duration(seconds: float) -> str:
    """How long that is, for people.

    >>> duration(1.2), duration(44), duration(200)
    ('a second', '44 seconds', '3 minutes')
    """
    if seconds >= 90:
        return f"{round(seconds / 60)} minutes"
    return "a second" if seconds < 1.5 else f"{round(seconds)} seconds"


def _layers(losses: Sequence[Weighed]) -> list[str]:
    return [name for loss in losses for name in getattr(loss, "layer_weights", {})]


def pace_of(
    losses: Sequence[Loss],
    *,
    vgg: VGG16,
    settings: RunSettings,
    runtime: Runtime,
    start: Tensor | None = None,
) -> Pace:
    """How long an evaluation takes here and now: a few of them at 256 pixels."""
    with torch.inference_mode(False), torch.no_grad():
        here = (moved(loss, runtime.device) for loss in losses)
        weighed = [loss for loss in here if not isinstance(loss, Keep)]
        last = scales_of(weighed, settings, *result_size(weighed, settings, start))[-1]
        usual = _seconds_per_pixel(weighed, vgg, settings, runtime, last)
        if not exact_steps(last, runtime):
            return Pace(usual, usual)
        return Pace(usual, _seconds_per_pixel(weighed, vgg, settings, runtime.exact(), last))


def _seconds_per_pixel(
    losses: Sequence[Weighed], vgg: VGG16, settings: RunSettings, runtime: Runtime, last: Scale
) -> float:
    """What an evaluation costs, measured at a small size."""
    size = fit(last.height, last.width, min(_PROBE, max(last.height, last.width)))
    scale = Scale(*size, steps=0)
    resized_losses, _ = in_units([resized(loss, scale, settings.shape) for loss in losses])
    evaluator = evaluator_of(
        resized_losses,
        vgg=runtime.place(vgg),
        height=scale.height,
        width=scale.width,
    )
    image = torch.full((1, 3, scale.height, scale.width), 0.5, device=runtime.device)
    times = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        evaluator.evaluate(image)  # its loss is a number: the device is done
        times.append(time.perf_counter() - began)
    return min(times) / (scale.height * scale.width)


def _pixels(scale: Scale, tile: int, layers: Sequence[str], seamless: bool) -> float:
    """What an evaluation costs, in pixels: margins are read too, and tiles have two forward passes.

    A seamless picture has margins of its own, where it goes on at its other end.
    """
    tiles = plan_tiles(scale.height, scale.width, tile, layers, wrap=seamless)
    read = sum((t.rows.stop - t.rows.start) * (t.columns.stop - t.columns.start) for t in tiles)
    return read if len(tiles) == 1 else 1.5 * read
