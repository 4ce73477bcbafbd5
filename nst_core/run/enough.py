"""A search that ends as soon as its picture is good enough for whoever asked for it."""

from collections.abc import Callable, Sequence

from ..gatys.minimizer import Minimizer, State
from .progress import Record

# Every evaluation so far, the last that of the best picture -> whether to stop.
Enough = Callable[[Sequence[Record]], bool]


def run_until(
    enough: Enough | None,
    minimizer: Minimizer,
    states: list[State],
    steps: int,
    records: Sequence[Record],
) -> tuple[State, str]:
    """As `minimizer.run`, and asks before each step whether that is enough; None never is.

    Args:
        states: the one to begin with, taken out: whoever has it keeps its picture in memory.
        steps: of the whole search, those of the state among them.
        records: of the run; the list grows.
    """
    if enough is None:
        left = steps - states[0].steps
        return minimizer.run(states.pop(), left)
    state, stop = states.pop(), "all steps are done"
    while state.steps < steps:
        if enough(records):
            return state, "it is good enough"
        done = state.steps
        state, stop = minimizer.run(state, 1)
        if state.steps == done:
            break
    return state, stop
