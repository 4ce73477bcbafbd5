"""What a run does at which size: scales, tiles, and the steps in float32."""

from collections.abc import Sequence
from functools import partial

import torch

from ..control.losses import Keep, Loss, TotalVariationLoss, styles_in
from ..control.pyramid import VIEW_FACTOR, Scale, plan_scales
from ..control.statistics import EXTRA_BYTES
from ..control.tiles import ALIGNMENT, margin_of
from ..settings import RunSettings
from .estimate import Load
from .finishing import recolored_kind
from .phases import Stage
from .placing import Place, announce, is_away, place_for
from .progress import Record
from .runtime import Runtime
from .sizes import check_scales, narrowest_style, problem_at, views_at
from .staging import is_shared, style_size

# Float32 pictures that a loss without a network takes in an evaluation: what autograd remembers of
# total variation; of kept pixels their smallest and largest values.
_PICTURES = {TotalVariationLoss: 12.0, Keep: 2.3}
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


def budget_left(stage: Stage, records: Sequence[Record], settings: RunSettings) -> int:
    """Evaluations for a scale after those in the records; 0 is no limit."""
    if not settings.max_evaluations:
        return 0
    done = sum(record.scale <= stage.index for record in records)
    return budget_of(stage.scales[stage.index :], settings.max_evaluations - done)


def evaluations_of(scales: Sequence[Scale], budget: int) -> list[int]:
    """About how many evaluations each scale takes, of `budget` in all; 0 is no limit."""
    counts: list[int] = []
    for index, scale in enumerate(scales):
        most = budget_of(scales[index:], budget - sum(counts)) if budget else scale.steps + 1
        counts.append(min(scale.steps + 1, most))
    return counts


def places_of(
    losses: Sequence[Loss], scales: Sequence[Scale], settings: RunSettings, runtime: Runtime
) -> list[Place]:
    """How each scale is done; says so where something is kept elsewhere."""
    places = [place_of(losses, scale, settings, runtime) for scale in scales]
    if places[-1].away:
        announce(load_of(losses, scales[-1], settings, runtime), runtime)
    return places


def place_of(
    losses: Sequence[Loss], scale: Scale, settings: RunSettings, runtime: Runtime
) -> Place:
    """In which tiles a scale is done, and where its history is kept."""
    load = load_of(losses, scale, settings, runtime)
    if settings.tile:
        return Place(settings.tile, is_away(load, runtime, settings.tile))
    return place_for(load, runtime)


def load_of(losses: Sequence[Loss], scale: Scale, settings: RunSettings, runtime: Runtime) -> Load:
    """What a run holds at a scale."""
    styles = styles_in(losses)
    layers = {layer for loss in losses for layer in getattr(loss, "layer_weights", {})}
    # A seamless picture goes on at its other end, as far as the network looks.
    around = 2 * margin_of(layers) if settings.seamless else 0
    views = views_at(losses, settings, scale.height, scale.width)
    return Load(
        height=scale.height + around,
        width=scale.width + around,
        history=settings.history,
        layers=layers,
        extra=sum(EXTRA_BYTES[loss.statistics] for loss in styles),
        given=given_bytes(losses, settings, runtime.device),
        styles=[
            style_size(loss, image, scale.height, scale.width, settings.shape)
            for loss in styles
            for image in loss.images
        ],
        pictures=sum(_PICTURES.get(type(loss), 0.0) for loss in losses if _counts(loss)),
        looked_at=sum(VIEW_FACTOR ** (-2 * level) for level in range(views)),
    )


def _counts(loss: Loss) -> bool:
    return isinstance(loss, Keep) or loss.weight > 0


def given_bytes(losses: Sequence[Loss], settings: RunSettings, device: torch.device) -> int:
    """Bytes of the copies of pictures and masks that a run holds from beginning to end."""
    given = 0
    for loss in losses:
        masks = [getattr(loss, name, None) for name in ("mask", "alpha")]
        masks += getattr(loss, "image_masks", None) or ()
        given += sum(mask.numel() for mask in masks if mask is not None)
        given += sum(image.numel() for image in loss.pictures if not is_shared(image, device))
        if isinstance(loss, recolored_kind(settings)):
            given += sum(image.numel() for image in loss.pictures)
    return 4 * given  # float32


def exact_steps(last: Scale, runtime: Runtime) -> int:
    """How many of the last scale's steps are done in float32 after rounded ones; may be none."""
    return round(last.steps * EXACT_SHARE) if runtime.finish else 0
