"""The search for one picture: scale after scale, each from the picture of the one before."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ..control.losses import Weighed
from ..control.pyramid import Scale, enlarged
from ..errors import NotFinite
from ..gatys.lbfgs import History
from ..gatys.minimizer import Minimizer, State
from ..gatys.vgg import VGG16
from ..kernels.history import FastHistory
from ..kernels.mapped_memory import memory_kept
from ..settings import RunSettings
from .checkpoint import Checkpoint
from .enough import Enough, run_until
from .finishing import Finish
from .history import history_of
from .memory import give_back_memory
from .phases import Phase, Stage
from .placing import rows_at, tiles_then_and_now
from .progress import OnProgress, Record, Result, ignore_progress, seconds_since
from .reporting import Reporter
from .runtime import Runtime
from .saver import Saver, Snapshot
from .scale_objective import checked, objective_at
from .scales import EXACT_SHARE, budget_left, exact_steps, places_of, scales_of
from .staging import bounds_of, detail_of, first_picture, result_size

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Search:
    """One call of `stylize`: what stays the same over its scales, and the records so far."""

    losses: list[Weighed]
    finish: Finish
    vgg: VGG16  # the caller's
    settings: RunSettings
    runtime: Runtime
    start: Tensor | None
    saver: Saver | None
    run: Mapping[str, Any]  # its identity
    resume: Checkpoint | None
    began: float
    on_progress: OnProgress = ignore_progress
    on_tile: Callable[[], None] = lambda: None
    enough: Enough | None = None
    records: list[Record] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)

    def result(self) -> Result:
        """Every scale in turn, each starting from the one before."""
        if self.resume is not None:
            self.records.extend(self.resume.records)
            self.stops.extend(self.resume.stops)
        scales, tiles, away = self._plan()
        first, images = self._beginning(scales)
        for index in range(first, len(scales)):
            stage = Stage(scales, index, tiles, away[index])
            if index > first:
                self._enlarge(images, stage.scale)
            try:
                self.stops.append(self._minimize(stage, images))
            except NotFinite as error:
                if not self.records:
                    raise
                log.warning(f"{error} The run ends with the picture of the scale before, enlarged.")
                self._enlarge(images, scales[-1])
                break
        return Result(
            image=self.finish(images.pop()),
            records=tuple(self.records),
            scales=scales[: len(self.stops)],
            stops=tuple(self.stops),
            tile=stage.tile,
            seconds=seconds_since(self.began),
        )

    def _enlarge(self, images: list[Tensor], scale: Scale) -> None:
        """The picture, to a larger scale's size."""
        detail = detail_of(self.losses, self.start, self.settings)
        images.append(enlarged(images.pop(), detail, scale.height, scale.width))

    def _plan(self) -> tuple[tuple[Scale, ...], list[int], list[bool]]:
        """All scales, their tiles, and which keep their history elsewhere; some may not fit."""
        size = result_size(self.losses, self.settings, self.start)
        scales = scales_of(self.losses, self.settings, *size)
        losses = [*self.losses, *self.finish.keeps]
        places = places_of(losses, scales, self.settings, self.runtime)
        tiles = [place.tile for place in places]
        if self.resume is not None:
            tiles = tiles_then_and_now(self.resume.position, tiles)
        return scales, tiles, [place.away for place in places]

    def _beginning(self, scales: tuple[Scale, ...]) -> tuple[int, list[Tensor]]:
        """The first scale to work at, and the picture to begin with.

        In a list here and below: whoever takes it out has it alone, and it ends when he is done.
        """
        if self.resume is not None:
            return self.resume.position.scale, [self.resume.image.to(self.runtime.device)]
        image = self.start
        if image is None:
            image = first_picture(self.losses, scales[0], self.settings, self.runtime.device)
        return 0, [enlarged(image, None, scales[0].height, scales[0].width)]

    def _minimize(self, stage: Stage, images: list[Tensor]) -> str:
        """From one picture to the best of a scale, and why its search ended."""
        steps, budget = stage.scale.steps, budget_left(stage, self.records, self.settings)
        exact = exact_steps(stage.scale, self.runtime) if stage.is_last else 0
        if not exact:
            return self._search(Phase(stage, steps, budget), images)[1]
        history, resumed = None, self._resumed(Phase(stage, exact, exact=True))
        if resumed:
            done = resumed.position.steps_before, resumed.position.evaluations_before
        else:
            first = max(1, budget - round(budget * EXACT_SHARE)) if budget else 0
            rough, stop = self._search(Phase(stage, steps - exact, first), images)
            if 0 < budget <= rough.evaluations:
                return stop
            history, done = rough.history, (rough.steps, rough.evaluations)
            del rough
        last = Phase(stage, exact, budget and budget - done[1], True, *done)
        try:
            return self._search(last, images, history)[1]
        except NotFinite as error:
            log.warning(f"{error} The last steps, which are done in float32, are left out.")
            return "the loss is no finite number in float32"

    def _search(
        self, phase: Phase, images: list[Tensor], history: History | None = None
    ) -> tuple[State, str]:
        """One search at one scale in one arithmetic; goes on with a history, if there is one.

        Its last state, whose picture takes the place of the one that it begins with, and why it is.
        """
        stage = phase.stage
        runtime = self.runtime.exact() if phase.exact else self.runtime
        give_back_memory()  # or what is smaller leaves holes that what is larger does not fit into
        with memory_kept(below=runtime.convolution.kept):
            objective, unit = objective_at(
                stage, self.losses, self.settings, self.vgg, runtime, self.on_tile
            )
            minimizer = Minimizer(
                checked(objective.evaluate),
                bounds=bounds_of(self.finish.keeps, stage.scale, self.settings.bounded),
                tolerance=self.settings.tolerance,
                max_evaluations=phase.budget,
                on_evaluation=self._reporter(phase, unit),
            )
            states = [self._begun(phase, minimizer, images, history)]
            del history
            asked = self.enough if stage.is_last else None
            state, stop = run_until(asked, minimizer, states, phase.steps, self.records)
        images.append(state.image)
        return state, stop

    def _begun(
        self, phase: Phase, minimizer: Minimizer, images: list[Tensor], history: History | None
    ) -> State:
        """Where a search begins, or goes on; the picture that it begins with is taken out."""
        history = history or self._history(phase.stage, images[0])
        resumed = self._resumed(phase)
        state = resumed.state_with(history) if resumed else minimizer.start(images[0], history)
        images.clear()
        return state

    def _resumed(self, phase: Phase) -> Checkpoint | None:
        """The checkpoint that this phase goes on from; None if it begins at its beginning."""
        found = self.resume
        if found is None:
            return None
        same = (found.position.scale, found.position.exact) == (phase.stage.index, phase.exact)
        return found if same else None

    def _history(self, stage: Stage, image: Tensor) -> History:
        made = history_of(
            self.losses,
            stage.scale,
            image,
            settings=self.settings,
            graphs=self.runtime.graphs,
            processes=self.runtime.processes,
            rows=rows_at(stage, self.runtime),
        )
        if self.saver is not None and not isinstance(made, FastHistory):
            log.warning("This device keeps no checkpoints.")
        return made

    def _reporter(self, phase: Phase, unit: float) -> Reporter:
        return Reporter(
            phase=phase,
            unit=unit,
            began=self.began,
            records=self.records,
            stops=self.stops,
            finish=self.finish,
            on_progress=self.on_progress,
            on_step=self._on_step,
        )

    def _on_step(self, phase: Phase, state: State) -> None:
        if self.saver is not None and isinstance(state.history, FastHistory):
            self.saver.reached(
                Snapshot(
                    run=self.run,
                    phase=phase,
                    state=state,
                    history=state.history,
                    records=self.records,
                    stops=tuple(self.stops),
                    began=self.began,
                )
            )
