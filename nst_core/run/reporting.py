"""What a search tells after each evaluation."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ..control.pyramid import fit, resize
from ..gatys.minimizer import State
from ..gatys.objective import Evaluation
from ..gatys.vgg import size_of
from .finishing import Finish
from .phases import Phase
from .progress import OnProgress, Preview, Progress, Record, seconds_since

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Reporter:
    """The minimizer's `on_evaluation` in one phase.

    Attributes:
        phase: which one.
        unit: what the losses were divided by.
        began: `time.perf_counter()` at the run's beginning.
        records, stops: of the run; every evaluation is added to the records.
        finish: makes the picture that is shown.
        on_progress: the caller's; may raise.
        on_step: told each state that the search can go on from, before `on_progress`.
    """

    phase: Phase
    unit: float
    began: float
    records: list[Record]
    stops: list[str]
    finish: Finish
    on_progress: OnProgress
    on_step: Callable[[Phase, State], None]

    def __call__(self, state: State, evaluation: Evaluation) -> None:
        """After an evaluation; `state` is the best."""
        stage, steps = self.phase.stage, self.phase.steps_before + state.steps
        record = Record(
            scale=stage.index + 1,
            step=steps,
            evaluation=len(self.records) + 1,
            loss=evaluation.loss * self.unit,
            parts={name: part * self.unit for name, part in evaluation.parts.items()},
            seconds=seconds_since(self.began),
        )
        self._warn_of(record)
        self.records.append(record)
        if evaluation.gradient is state.gradient:  # in a line search, only its end is a step
            self.on_step(self.phase, state)
        work = [scale.height * scale.width * (scale.steps + 1) for scale in stage.scales]
        share = (steps + 1) / (stage.scale.steps + 1)
        done = sum(work[: stage.index]) + work[stage.index] * share
        self.on_progress(
            Progress(
                records=self.records,
                latest=record,
                scales=stage.scales,
                stops=self.stops,
                tile=stage.tile,
                fraction=done / sum(work),
                preview=_preview(state.image, self.finish),
            )
        )

    def _warn_of(self, record: Record) -> None:
        """Of the run's first evaluation without a loss: its step is not taken."""
        if math.isfinite(record.loss) or not all(math.isfinite(one.loss) for one in self.records):
            return
        log.warning(
            f"Evaluation {record.evaluation} gave numbers that are not finite. It is passed over: "
            "the best picture so far is kept, and a shorter step is tried. If the picture does not "
            "get on, use precision float32 or smaller weights."
        )


def _preview(image: Tensor, finish: Finish) -> Preview:
    """Kept for later, it keeps no network."""

    def preview(longer: int = 0) -> Tensor:
        height, width = size_of(image)
        shrink = 0 < longer < max(height, width)
        return finish(resize(image, *fit(height, width, longer)) if shrink else image)

    return preview
