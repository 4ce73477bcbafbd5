"""Line search and bounds around L-BFGS, over any `evaluate`.

Bounds are kept by two-metric projection (Bertsekas, "Projected Newton methods", SIAM J. Control
Optim. 20, 1982): values that rest on a bound and are pushed against it stay; curvature is used on
the others; every trial point is clipped before it is evaluated. Clipping an unbounded result
instead gives away part of its loss. Nothing has a unit: a loss of 1e-9 is minimized like one of
1e9.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from ..errors import NotFinite
from .lbfgs import History, InitialHessian, dot
from .objective import Evaluation

# Sufficient decrease (Nocedal and Wright, equation 3.4), and the fewest of it to ask for.
_ARMIJO = 1e-4
_MAX_TRIALS = 12
# The rule "hardly changes any more" looks this many steps back.
STALL_STEPS = 20


# Of all values, or of each.
Bounds = tuple[float, float] | tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class State:
    """Where a minimization stands; continuing from the last is the same as never having stopped.

    Attributes:
        image: the best point so far. Never modified in place, so it may be kept.
        loss, gradient: there.
        history: the pairs of the steps so far; later states have the same, and add to it.
        losses: the start's, then one after each step.
        evaluations: calls of `evaluate` so far.
        length: where the next line search begins; 1 is the whole direction of L-BFGS.
    """

    image: Tensor
    loss: float
    gradient: Tensor
    history: History
    losses: tuple[float, ...] = ()
    evaluations: int = 1
    length: float = 1.0

    @property
    def steps(self) -> int:
        """Steps done so far."""
        return len(self.losses) - 1


@dataclass(frozen=True)
class Minimizer:
    """How to minimize.

    Attributes:
        evaluate: image -> loss and gradient.
        bounds: smallest and largest value of the image, or of each of its values; None is
            unbounded.
        tolerance: stop when `STALL_STEPS` steps lowered the loss by less than this share.
        max_evaluations: budget of evaluations; 0 is no limit.
        on_evaluation: told the best state (with evaluations counted) and the latest evaluation;
            may raise to cancel.
    """

    evaluate: Callable[[Tensor], Evaluation]
    bounds: Bounds | None = (0.0, 1.0)
    tolerance: float = 0.0
    max_evaluations: int = 0
    on_evaluation: Callable[[State, Evaluation], None] = lambda state, evaluation: None

    def start(self, image: Tensor, history: History | None = None) -> State:
        """The state before the first step, at an image clipped into the bounds.

        `history` is empty, or of another `evaluate` much like this one; None is 10 pairs. NotFinite
        is raised if the loss is not a finite number.
        """
        image = self._clip(image)
        evaluation = self.evaluate(image)
        if not math.isfinite(evaluation.loss):
            raise NotFinite(
                f"The loss of the starting picture is {evaluation.loss}. Look for pixels that are "
                "not numbers in the pictures, or use float32 precision and smaller weights."
            )
        history = History(10, InitialHessian()) if history is None else history
        loss = evaluation.loss
        state = State(image, loss, evaluation.gradient, history, losses=(loss,))
        self.on_evaluation(state, evaluation)
        return state

    def run(self, state: State, steps: int) -> tuple[State, str]:
        """Up to `steps` more: the last state, which is the best, and why it is the last."""
        last = state.steps + steps
        while state.steps < last:
            if state.loss <= 0:
                return state, "the loss is zero"
            if self._stalled(state):
                return state, (
                    f"the loss hardly changes any more (less than {self.tolerance:.2%} "
                    f"in {STALL_STEPS} steps)"
                )
            if self._spent(state):
                return state, "all evaluations are used up"
            before = state
            state = self._step(state)
            if state.steps > before.steps:
                continue
            if not len(state.history):
                return state, "no smaller loss can be found in this precision"
            state.history.forget()  # once more, along the plain gradient
            state = replace(state, length=1.0)
        return state, "all steps are done"

    def _stalled(self, state: State) -> bool:
        if self.tolerance == 0 or state.steps < STALL_STEPS:
            return False
        earlier = state.losses[-1 - STALL_STEPS]
        return earlier - state.loss < self.tolerance * earlier

    def _spent(self, state: State) -> bool:
        return 0 < self.max_evaluations <= state.evaluations

    def _step(self, state: State) -> State:
        """One step down; the same point with more evaluations if none was found."""
        direction = state.history.direction(state.gradient, self._free(state))
        length = state.length
        for _ in range(_MAX_TRIALS):
            trial = self._clip((length * direction).add_(state.image))
            slope = dot(state.gradient, trial - state.image)
            if self._spent(state) or not slope < 0:
                break
            evaluation = self.evaluate(trial)
            state = replace(state, evaluations=state.evaluations + 1)
            if evaluation.loss <= state.loss + _ARMIJO * slope:
                del direction  # as large as the image
                state = self._accept(state, trial, evaluation, length)
                self.on_evaluation(state, evaluation)
                break
            self.on_evaluation(state, evaluation)
            length *= _shorten(evaluation.loss - state.loss, slope)
        return state

    def _accept(self, state: State, image: Tensor, evaluation: Evaluation, length: float) -> State:
        change = evaluation.gradient - state.gradient
        positive = state.history.update(image - state.image, change)
        return State(
            image,
            evaluation.loss,
            evaluation.gradient,
            state.history,
            (*state.losses, evaluation.loss),
            state.evaluations,
            1.0 if positive else max(1.0, length * state.history.scaling.growth),
        )

    def _free(self, state: State) -> Tensor | None:
        """False where a value rests on a bound and is pushed against it; None without bounds."""
        if self.bounds is None:
            return None
        low, high = self.bounds
        stuck = (state.image <= low) & (state.gradient > 0)
        return ~(stuck | (state.image >= high) & (state.gradient < 0))

    def _clip(self, image: Tensor) -> Tensor:
        return image if self.bounds is None else image.clamp(*self.bounds)


def _shorten(rise: float, slope: float) -> float:
    """How much of a failed step to try next: the parabola's minimum, within [0.1, 0.5]."""
    if not math.isfinite(rise):
        return 0.1
    return min(0.5, max(0.1, -slope / (2 * (rise - slope))))
