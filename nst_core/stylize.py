"""The one entry point: losses in, a picture out, straight down from coarse to fine."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .finishing import Finish, recolored
from .memory import give_back_memory, memory_kept
from .objective import Evaluation
from .optimizer import Minimizer, State
from .preconditioner import FOR_CONTENT, FOR_STYLE, Identity, Preconditioner, Spectral
from .progress import OnProgress, Progress, Record, ignore_progress
from .pyramid import VIEW_FACTOR, Scale, enlarged, plan_scales, views_of
from .runtime import Runtime
from .settings import RunSettings
from .staging import (
    bounds_of,
    first_picture,
    moved,
    picture,
    resized,
    result_size,
    style_sizes,
)
from .statistics import EXTRA_BYTES
from .terms import ContentLoss, Keep, Loss, StyleLoss, Weighed
from .tiling import ALIGNMENT
from .vgg import VGG16
from .views import Views

# The share of the last scale's steps that is done in float32 when the others are not.
EXACT_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Result:
    """A finished picture and how it came about.

    Attributes:
        image: (1, 3, H, W) float32 RGB in [0, 1] on the CPU.
        records: every evaluation, over all scales.
        scales: the sizes that were worked on.
        stops: why each scale ended, in words.
        tile: longest side of the last scale's tiles in pixels; 0 is untiled.
        seconds: of the whole run.
    """

    image: Tensor
    records: tuple[Record, ...]
    scales: tuple[Scale, ...]
    stops: tuple[str, ...]
    tile: int
    seconds: float


def stylize(
    losses: Sequence[Loss],
    *,
    vgg: VGG16,
    settings: RunSettings | None = None,
    runtime: Runtime | None = None,
    start: Tensor | None = None,
    on_progress: OnProgress = ignore_progress,
    on_tile: Callable[[], None] = lambda: None,
) -> Result:
    """Find the picture that the losses like best.

    Args:
        losses: values from `terms`, or `losses_of(content, styles, settings)`. The first content
            picture gives the proportions, else `start`, else the first style. Its colors are
            those that `settings.colors` keeps, in the result and in every preview.
        vgg: from `load_vgg16`. A copy is moved to the runtime's device; yours stays as it is.
        settings: size, steps, start …; None is the defaults.
        runtime: where to compute; None chooses by the settings.
        start: a (1, 3, h, w) picture to start from, in place of `settings.init`.
        on_progress: told after each evaluation; raising there cancels.
        on_tile: called after each tile, and on the way back after each layer, for hosts that must
            hear of a cancel sooner; may raise.

    Raises:
        SettingsError, ImageTooSmall, NotFinite, OutOfMemory: what to do is in the message.
    """
    settings = settings or RunSettings()
    runtime = runtime or Runtime.choose(settings.device, settings.precision)
    # A host may call in inference mode, where nothing has a gradient and every tensor made stays
    # unusable for one: leave it, and copy what was brought along.
    with torch.inference_mode(False), torch.no_grad():
        aims = [moved(loss, runtime.device) for loss in losses]
        colored = recolored(aims, settings)
        run = _Run(
            losses=[loss for loss in colored if not isinstance(loss, Keep)],
            finish=Finish.of(aims, settings),
            vgg=vgg,
            settings=settings,
            runtime=runtime,
            start=None if start is None else picture(start, runtime.device),
            on_progress=on_progress,
            on_tile=on_tile,
        )
        return run.result()


def scales_of(
    losses: Sequence[Loss], settings: RunSettings, height: int, width: int
) -> tuple[Scale, ...]:
    """The sizes of a run whose result has (height, width), coarse to fine."""
    # Every view of a seamless picture must meet itself on the coarsest grid.
    views = views_of(height, width, settings.views)
    grid = ALIGNMENT * int(VIEW_FACTOR ** (views - 1)) if settings.seamless else 1
    styles = (loss for loss in losses if isinstance(loss, StyleLoss) and loss.weight > 0)
    sides = (
        min(size) for loss in styles for size in style_sizes(loss, height, width, settings.shape)
    )
    return plan_scales(
        height,
        width,
        scales=settings.scales,
        steps=settings.steps,
        factor=settings.scale_factor,
        grid=grid,
        narrowest=min(sides, default=None),
    )


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


@dataclass(frozen=True)
class _Place:
    """One of the scales, and its tiles' longest side."""

    scales: tuple[Scale, ...]
    index: int
    tile: int

    @property
    def scale(self) -> Scale:
        return self.scales[self.index]

    @property
    def is_last(self) -> bool:
        return self.index == len(self.scales) - 1


@dataclass(frozen=True, eq=False)
class _Run:
    """One call of `stylize`: what stays the same over its scales, and the records so far."""

    losses: list[Weighed]
    finish: Finish
    vgg: VGG16  # the caller's
    settings: RunSettings
    runtime: Runtime
    start: Tensor | None
    on_progress: OnProgress
    on_tile: Callable[[], None]
    began: float = field(default_factory=time.perf_counter)
    records: list[Record] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)

    def result(self) -> Result:
        """Every scale in turn, each starting from the one before."""
        settings = self.settings
        height, width = result_size(self.losses, settings, self.start)
        scales = scales_of(self.losses, settings, height, width)
        image = self.start
        if image is None:
            image = first_picture(self.losses, scales[0], settings, self.runtime.device)
        detail = self._detail()
        for place in self._places(scales):
            above = detail if place.index else None
            image = enlarged(image, above, place.scale.height, place.scale.width)
            image, stop = self._minimize(place, image)
            self.stops.append(stop)
        return Result(
            image=self.finish(image),
            records=tuple(self.records),
            scales=scales,
            stops=tuple(self.stops),
            tile=place.tile,
            seconds=time.perf_counter() - self.began,
        )

    def _places(self, scales: tuple[Scale, ...]) -> Iterator[_Place]:
        for index, scale in enumerate(scales):
            yield _Place(scales, index, tile_of(self.losses, scale, self.settings, self.runtime))

    def _views(self, height: int, width: int) -> int:
        return views_of(height, width, self.settings.views)

    def _detail(self) -> Tensor | None:
        """What larger scales take their detail from: the content, if the search began with it."""
        contents = [loss for loss in self.losses if isinstance(loss, ContentLoss)]
        began = self.start is None and self.settings.init == "content"
        return contents[0].image if contents and began else None

    def _minimize(self, place: _Place, image: Tensor) -> tuple[Tensor, str]:
        """The best picture of one scale, and why its search ended."""
        steps, budget = place.scale.steps, self._budget(place)
        exact = exact_steps(place.scale, self.runtime) if place.is_last else 0
        if not exact:
            state, stop = self._search(place, self.runtime, image, steps, budget)
            return state.image, stop
        first = max(1, budget - round(budget * EXACT_SHARE)) if budget else 0
        rough, stop = self._search(place, self.runtime, image, steps - exact, first)
        if 0 < budget <= rough.evaluations:
            return rough.image, stop
        left = budget and budget - rough.evaluations
        state, stop = self._search(place, self.runtime.exact(), rough.image, exact, left, rough)
        return state.image, stop

    def _search(
        self,
        place: _Place,
        runtime: Runtime,
        image: Tensor,
        steps: int,
        budget: int,
        before: State | None = None,
    ) -> tuple[State, str]:
        """One search at one scale in one arithmetic; goes on after `before`, if there was one."""
        scale, settings = place.scale, self.settings
        give_back_memory()  # or what is smaller leaves holes that what is larger does not fit into
        objective = Views(
            [resized(loss, scale, settings.shape) for loss in self.losses],
            views=self._views(scale.height, scale.width),
            vgg=runtime.place(self.vgg),
            height=scale.height,
            width=scale.width,
            tile=place.tile,
            wrap=settings.seamless,
            on_tile=self.on_tile,
            record=runtime.record,
        )
        minimizer = Minimizer(
            objective.evaluate,
            bounds=bounds_of(self.finish.keeps, scale, settings.bounded),
            precondition=self._preconditioner(scale),
            record=runtime.record,
            history=settings.history,
            tolerance=settings.tolerance,
            max_evaluations=budget,
            on_evaluation=self._reporter(place, objective.unit, before.steps if before else 0),
        )
        with memory_kept(below=runtime.convolution.kept):
            start = minimizer.start(image, before.curvature if before else None)
            return minimizer.run(start, steps)

    def _preconditioner(self, scale: Scale) -> Preconditioner:
        if self.settings.preconditioner == "none":
            return Identity()
        styled = any(isinstance(loss, StyleLoss) and loss.weight > 0 for loss in self.losses)
        guess = FOR_STYLE if styled else FOR_CONTENT
        return Spectral(scale.height, scale.width, self.runtime.device, guess)

    def _budget(self, place: _Place) -> int:
        """Evaluations for a scale: of those left, its share by its steps; 0 is no limit."""
        if not self.settings.max_evaluations:
            return 0
        left = self.settings.max_evaluations - len(self.records)
        steps = sum(scale.steps for scale in place.scales[place.index :])
        return max(1, left * place.scale.steps // max(1, steps))  # none would leave no loss

    def _reporter(
        self, place: _Place, unit: float, steps_before: int
    ) -> Callable[[State, Evaluation], None]:
        """What tells the caller of each evaluation in one scale."""
        scales, index = place.scales, place.index
        work = [scale.height * scale.width * (scale.steps + 1) for scale in scales]
        finish = self.finish  # whoever keeps a preview for later shall not keep the network

        def report(state: State, evaluation: Evaluation) -> None:
            steps = steps_before + state.steps
            record = Record(
                scale=index + 1,
                step=steps,
                evaluation=len(self.records) + 1,
                loss=evaluation.loss * unit,
                parts={name: part * unit for name, part in evaluation.parts.items()},
                seconds=time.perf_counter() - self.began,
            )
            self.records.append(record)
            done = sum(work[:index]) + work[index] * (steps + 1) / (scales[index].steps + 1)
            image = state.image
            self.on_progress(
                Progress(
                    records=self.records,
                    latest=record,
                    scales=scales,
                    stops=self.stops,
                    tile=place.tile,
                    fraction=done / sum(work),
                    preview=lambda: finish(image),
                )
            )

        return report
