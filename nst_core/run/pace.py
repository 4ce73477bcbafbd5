"""How long an evaluation takes here and now."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..control.losses import Keep, Loss, StyleLoss, Weighed
from ..control.pyramid import Scale, fit
from ..gatys.vgg import VGG16
from ..settings import RunSettings
from .objective import evaluator_of, in_units
from .progress import seconds_since
from .runtime import Runtime
from .scales import exact_steps, scales_of
from .sizes import problem_at
from .staging import moved, resized, result_size

# Longer side of the picture that is timed: large enough to keep the device busy, and 4 or 16 times
# less work than the usual sizes.
_PROBE = 256
# The same of a picture so small that little of its time is for its pixels.
_SMALL = 64
# The first pays for set-up.
_TRIES = 3


@dataclass(frozen=True)
class Pace:
    """What one evaluation takes.

    Attributes:
        usual: seconds per pixel in the arithmetic that the search begins with.
        exact: the same in float32, for the last steps, if they are done in another.
        fixed: seconds for each tile, however small: much of what coarse scales take.
    """

    usual: float
    exact: float
    fixed: float = 0.0


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
        seconds, pixels = _measured(weighed, vgg, settings, runtime, last, _PROBE)
        least, few = _measured(weighed, vgg, settings, runtime, last, _SMALL)
        usual, fixed = seconds / pixels, 0.0
        if few < pixels and least < seconds:
            usual = (seconds - least) / (pixels - few)
            fixed = max(0.0, least - few * usual)
        if not exact_steps(last, runtime):
            return Pace(usual, usual, fixed)
        seconds, pixels = _measured(weighed, vgg, settings, runtime.exact(), last, _PROBE)
        return Pace(usual, max(0.0, seconds - fixed) / pixels, fixed)


def _measured(
    losses: Sequence[Weighed],
    vgg: VGG16,
    settings: RunSettings,
    runtime: Runtime,
    last: Scale,
    side: int,
) -> tuple[float, int]:
    """Seconds of an evaluation at about this longer side, and its pixels."""
    # The pace does not depend on the styles' size, and the largest would take long.
    usual = [
        replace(loss, scale=min(loss.scale, 1.0)) if isinstance(loss, StyleLoss) else loss
        for loss in losses
    ]
    longer = max(last.height, last.width)
    while side < longer and problem_at(usual, settings, *fit(last.height, last.width, side)):
        side *= 2
    scale = Scale(*fit(last.height, last.width, min(side, longer)), steps=0)
    if problem_at(usual, settings, scale.height, scale.width):
        usual = list(losses)
    resized_losses, _ = in_units([resized(loss, scale, settings.shape) for loss in usual])
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
        times.append(seconds_since(began))
    return min(times), scale.height * scale.width
