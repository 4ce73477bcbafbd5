"""The losses of a run as the objective of one scale."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor

from ..control.context import Evaluate, WithContext, with_context
from ..control.losses import Weighed
from ..gatys.objective import Evaluation
from ..gatys.vgg import VGG16
from ..settings import RunSettings
from .objective import evaluator_of, in_units
from .phases import Stage
from .placing import make_map_at
from .runtime import Runtime
from .sizes import views_at
from .staging import resized
from .within import Ticks


def objective_at(
    stage: Stage,
    losses: Sequence[Weighed],
    settings: RunSettings,
    vgg: VGG16,
    runtime: Runtime,
    on_tile: Callable[[], None],
) -> tuple[WithContext, float]:
    """What evaluates pictures of a scale, and the largest weight.

    The losses' pictures at the scale's size are needed no longer once their targets are made.
    """
    scale, placed = stage.scale, runtime.place(vgg)
    ticks = on_tile if isinstance(on_tile, Ticks) else Ticks(on_tile)
    ticks.stage = stage
    for convolution in placed.convolutions.values():
        convolution.register_forward_hook(ticks.layer)
    counting, unit = in_units([resized(loss, scale, settings.shape) for loss in losses])

    def evaluate_of(some: Sequence[Weighed], height: int, width: int) -> Evaluate:
        return evaluator_of(
            some,
            vgg=placed,
            height=height,
            width=width,
            tile=stage.tile,
            wrap=settings.seamless,
            on_tile=ticks,
            graphs=runtime.graphs,
            processes=runtime.processes,
            make_map=make_map_at(stage, runtime),
            on_smaller=stage.at_most,
            known=runtime.known,
        ).evaluate

    objective = with_context(
        evaluate_of,
        counting,
        views=views_at(losses, settings, scale.height, scale.width),
        height=scale.height,
        width=scale.width,
        wrap=settings.seamless,
        device=runtime.device,
    )
    return objective, unit


def checked(evaluate: Evaluate) -> Evaluate:
    """The same, with a loss that is not a number wherever any of its numbers is not finite.

    The minimizer takes no step there. A finite loss may have a gradient that is not: of a square
    root at zero, or of values that are too large for the arithmetic.
    """

    def evaluated(image: Tensor) -> Evaluation:
        evaluation = evaluate(image)
        # A sum is finite only if all of its terms are, and needs no second picture to find out.
        if math.isfinite(evaluation.loss) and math.isfinite(float(evaluation.gradient.sum())):
            return evaluation
        return replace(evaluation, loss=math.nan)

    return evaluated
