"""Before a run: what it will take."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .objective import Objective
from .pyramid import Scale, fit
from .runtime import Runtime
from .settings import RunSettings
from .staging import moved, resized, result_size
from .stylize import exact_steps, scales_of, tile_of
from .terms import Keep, Loss, Weighed
from .tiling import plan_tiles
from .vgg import VGG16

# Longer side of the picture that is timed: large enough to keep the device busy, and 4 or 16 times
# less work than the usual sizes.
_PROBE = 256
# The first pays for set-up.
_TRIES = 3


@dataclass(frozen=True)
class Plan:
    """What a run will take, before it is done.

    Attributes:
        scales: the sizes to work on, coarse to fine, each with its steps.
        tile: longest side of the last scale's tiles in pixels; 0 is untiled.
        memory: bytes on the device at most, beside the network itself.
        free: bytes that can be had there; None where the system does not say.
        seconds: of all steps, at the pace of a small evaluation measured just now. A search that
            stops early takes less.
    """

    scales: tuple[Scale, ...]
    tile: int
    memory: int
    free: int | None
    seconds: float


def plan(
    losses: Sequence[Loss],
    *,
    vgg: VGG16,
    settings: RunSettings | None = None,
    runtime: Runtime | None = None,
    start: Tensor | None = None,
) -> Plan:
    """What `stylize` with the same arguments will take. Costs a few evaluations at 256 pixels.

    Raises:
        SettingsError, ImageTooSmall, OutOfMemory: as `stylize` would.
    """
    settings = settings or RunSettings()
    runtime = runtime or Runtime.choose(settings.device, settings.precision)
    with torch.inference_mode(False), torch.no_grad():
        here = (moved(loss, runtime.device) for loss in losses)
        weighed = [loss for loss in here if not isinstance(loss, Keep)]
        height, width = result_size(weighed, settings, start)
        scales = scales_of(height, width, settings)
        last = scales[-1]
        tile = tile_of(weighed, last, settings, runtime)
        exact = exact_steps(last, runtime) * last.height * last.width
        rough = sum(s.height * s.width * (s.steps + 1) for s in scales) - exact
        seconds = rough * _seconds_per_pixel(weighed, vgg, settings, runtime, last)
        if exact:
            seconds += exact * _seconds_per_pixel(weighed, vgg, settings, runtime.exact(), last)
    return Plan(
        scales=scales,
        tile=tile,
        memory=runtime.estimate(last.height, last.width, settings.history, tile),
        free=runtime.memory,
        seconds=seconds * _tiling_costs(last, tile, weighed),
    )


def _seconds_per_pixel(
    losses: Sequence[Weighed], vgg: VGG16, settings: RunSettings, runtime: Runtime, last: Scale
) -> float:
    """What an evaluation costs, measured at a small size."""
    size = fit(last.height, last.width, min(_PROBE, max(last.height, last.width)))
    scale = Scale(*size, steps=0)
    objective = Objective(
        [resized(loss, scale, settings.shape) for loss in losses],
        vgg=runtime.place(vgg),
        height=scale.height,
        width=scale.width,
    )
    image = torch.full((1, 3, scale.height, scale.width), 0.5, device=runtime.device)
    times = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        objective.evaluate(image)  # its loss is a number: the device is done
        times.append(time.perf_counter() - began)
    return min(times) / (scale.height * scale.width)


def _tiling_costs(last: Scale, tile: int, losses: Sequence[Weighed]) -> float:
    """How much more work tiles are: margins are computed twice, and the way there is too."""
    layers = [n for loss in losses for n in getattr(loss, "layer_weights", {})]
    tiles = plan_tiles(last.height, last.width, tile, layers)
    if len(tiles) == 1:
        return 1.0
    read = sum((t.rows.stop - t.rows.start) * (t.columns.stop - t.columns.start) for t in tiles)
    return 1.5 * read / (last.height * last.width)
