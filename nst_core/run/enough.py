"""A search that ends as soon as its picture is good enough for whoever asked for it."""

from collections.abc import Callable, Sequence

from ..gatys.minimizer import Minimizer, State
from .progress import Record

# The evaluation of the best picture so far -> whether to stop.
Enough = Callable[[Record], bool]


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
        records: of the run, the latest that of the best picture.
    """
    if enough is None:
        return minimizer.run(states.pop(), steps)
    state, stop = states.pop(), "all steps are done"
    last = state.steps + steps
    while state.steps < last:
        if enough(records[-1]):
            return state, "it is good enough"
        done = state.steps
        state, stop = minimizer.run(state, 1)
        if state.steps == done:
            break
    return state, stop
