"""The search for one picture: scale after scale, each from the picture of the one before."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from ..control.context import Evaluate, WithContext, with_context
from ..control.losses import ContentLoss, Weighed, styles_in
from ..control.preconditioner import FOR_CONTENT, FOR_STYLE, Spectral
from ..control.pyramid import Scale, enlarged
from ..gatys.lbfgs import History, Identity, InitialHessian
from ..gatys.minimizer import Minimizer, State
from ..gatys.objective import Evaluation
from ..gatys.vgg import VGG16
from ..kernels.history import FastHistory
from ..kernels.mapped_memory import memory_kept
from ..settings import RunSettings
from .finishing import Finish
from .memory import give_back_memory
from .objective import evaluator_of, in_units
from .progress import OnProgress, Progress, Record, Result
from .runtime import Runtime
from .scales import EXACT_SHARE, budget_of, exact_steps, scales_of, tile_of
from .sizes import views_at
from .staging import bounds_of, first_picture, resized, result_size


@dataclass(frozen=True)
class _Stage:
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
class Search:
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
        # Before the first evaluation, because no tile of the last scale may fit.
        losses = [*self.losses, *self.finish.keeps]
        tiles = [tile_of(losses, scale, settings, self.runtime) for scale in scales]
        image = self.start
        if image is None:
            image = first_picture(self.losses, scales[0], settings, self.runtime.device)
        for stage in (_Stage(scales, index, tile) for index, tile in enumerate(tiles)):
            above = self._detail() if stage.index else None
            image = enlarged(image, above, stage.scale.height, stage.scale.width)
            image, stop = self._minimize(stage, image)
            self.stops.append(stop)
        return Result(
            image=self.finish(image),
            records=tuple(self.records),
            scales=scales,
            stops=tuple(self.stops),
            tile=stage.tile,
            seconds=time.perf_counter() - self.began,
        )

    def _detail(self) -> Tensor | None:
        """What larger scales take their detail from: the content, if the search began with it."""
        contents = [loss for loss in self.losses if isinstance(loss, ContentLoss)]
        began = self.start is None and self.settings.init == "content"
        return contents[0].image if contents and began else None

    def _minimize(self, stage: _Stage, image: Tensor) -> tuple[Tensor, str]:
        """The best picture of one scale, and why its search ended."""
        steps, budget = stage.scale.steps, self._budget(stage)
        exact = exact_steps(stage.scale, self.runtime) if stage.is_last else 0
        if not exact:
            state, stop = self._search(stage, self.runtime, image, steps, budget)
            return state.image, stop
        first = max(1, budget - round(budget * EXACT_SHARE)) if budget else 0
        rough, stop = self._search(stage, self.runtime, image, steps - exact, first)
        if 0 < budget <= rough.evaluations:
            return rough.image, stop
        left = budget and budget - rough.evaluations
        state, stop = self._search(stage, self.runtime.exact(), rough.image, exact, left, rough)
        return state.image, stop

    def _search(
        self,
        stage: _Stage,
        runtime: Runtime,
        image: Tensor,
        steps: int,
        budget: int,
        before: State | None = None,
    ) -> tuple[State, str]:
        """One search at one scale in one arithmetic; goes on after `before`, if there was one."""
        scale, settings = stage.scale, self.settings
        give_back_memory()  # or what is smaller leaves holes that what is larger does not fit into
        with memory_kept(below=runtime.convolution.kept):
            objective, unit = self._objective(stage, runtime)
            minimizer = Minimizer(
                objective.evaluate,
                bounds=bounds_of(self.finish.keeps, scale, settings.bounded),
                tolerance=settings.tolerance,
                max_evaluations=budget,
                on_evaluation=self._reporter(stage, unit, before.steps if before else 0),
            )
            history = before.history if before else self._history(scale, image)
            return minimizer.run(minimizer.start(image, history), steps)

    def _objective(self, stage: _Stage, runtime: Runtime) -> tuple[WithContext, float]:
        """What evaluates pictures of a scale, and the largest weight.

        The losses' pictures at the scale's size are needed no longer once their targets are made.
        """
        scale, settings, vgg = stage.scale, self.settings, runtime.place(self.vgg)
        losses, unit = in_units([resized(loss, scale, settings.shape) for loss in self.losses])

        def evaluate_of(counting: Sequence[Weighed], height: int, width: int) -> Evaluate:
            return evaluator_of(
                counting,
                vgg=vgg,
                height=height,
                width=width,
                tile=stage.tile,
                wrap=settings.seamless,
                on_tile=self.on_tile,
                graphs=runtime.graphs,
            ).evaluate

        objective = with_context(
            evaluate_of,
            losses,
            views=views_at(self.losses, settings, scale.height, scale.width),
            height=scale.height,
            width=scale.width,
            wrap=settings.seamless,
            device=runtime.device,
        )
        return objective, unit

    def _history(self, scale: Scale, image: Tensor) -> History:
        return FastHistory(
            self.settings.history, image, self._preconditioner(scale), graphs=self.runtime.graphs
        )

    def _preconditioner(self, scale: Scale) -> InitialHessian:
        if self.settings.preconditioner == "none":
            return Identity()
        guess = FOR_STYLE if styles_in(self.losses) else FOR_CONTENT
        return Spectral(scale.height, scale.width, self.runtime.device, guess)

    def _budget(self, stage: _Stage) -> int:
        """Evaluations for a scale; 0 is no limit."""
        if not self.settings.max_evaluations:
            return 0
        left = self.settings.max_evaluations - len(self.records)
        return budget_of(stage.scales[stage.index :], left)

    def _reporter(
        self, stage: _Stage, unit: float, steps_before: int
    ) -> Callable[[State, Evaluation], None]:
        """What tells the caller of each evaluation in one scale."""
        scales, index = stage.scales, stage.index
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
                    tile=stage.tile,
                    fraction=done / sum(work),
                    preview=lambda: finish(image),
                )
            )

        return report
