"""What a run does at which size: scales, tiles, and the steps in float32."""

from collections.abc import Sequence
from functools import partial

from ..control.losses import ContentLoss, Loss, StyleLoss
from ..control.pyramid import VIEW_FACTOR, Scale, plan_scales
from ..control.statistics import EXTRA_BYTES
from ..control.tiles import ALIGNMENT
from ..settings import RunSettings
from .runtime import Runtime
from .sizes import check_scales, narrowest_style, problem_at, views_at

# The share of the last scale's steps that is done in float32 when the others are not.
EXACT_SHARE = 0.1


def scales_of(
    losses: Sequence[Loss], settings: RunSettings, height: int, width: int
) -> tuple[Scale, ...]:
    """The sizes of a run whose result has (height, width), coarse to fine.

    Scales that nobody asked for are those where every picture is large enough for its layers, and
    not more than `max_evaluations`.

    Raises:
        ImageTooSmall, SettingsError: as `check_scales`.
    """
    # Every copy (`views`) of a seamless picture must meet itself on the coarsest grid.
    views = views_at(losses, settings, height, width)
    planned = partial(
        plan_scales,
        height,
        width,
        scales=settings.scales,
        steps=settings.steps,
        factor=settings.scale_factor,
        grid=ALIGNMENT * int(VIEW_FACTOR ** (views - 1)) if settings.seamless else 1,
        narrowest=narrowest_style(losses, settings, height, width),
    )
    scales = planned(most=settings.max_evaluations or None)
    while settings.scales == 0 and len(scales) > 1:
        if not problem_at(losses, settings, scales[0].height, scales[0].width):
            break
        scales = planned(most=len(scales) - 1)
    check_scales(losses, settings, scales)
    return scales


def budget_of(scales: Sequence[Scale], left: int) -> int:
    """Evaluations for the first of the scales to come: its share of those that are left."""
    steps = sum(scale.steps for scale in scales)
    return max(1, left * scales[0].steps // max(1, steps))  # none would leave no loss


def tile_of(losses: Sequence[Loss], scale: Scale, settings: RunSettings, runtime: Runtime) -> int:
    """Longest side of the tiles at a scale, in pixels; 0 when it is done in one."""
    if settings.tile:
        return settings.tile
    layers = {
        layer
        for loss in losses
        if isinstance(loss, ContentLoss | StyleLoss)
        for layer in loss.layer_weights
    }
    return runtime.tile_for(
        scale.height, scale.width, layers, settings.history, extra_bytes(losses)
    )


def extra_bytes(losses: Sequence[Loss]) -> int:
    """Bytes for each pixel that the statistics of the styles take beside Gram matrices."""
    return sum(EXTRA_BYTES[loss.statistics] for loss in losses if isinstance(loss, StyleLoss))


def exact_steps(last: Scale, runtime: Runtime) -> int:
    """How many of the last scale's steps are done in float32 after rounded ones; may be none."""
    return round(last.steps * EXACT_SHARE) if runtime.finish else 0
