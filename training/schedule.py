"""What comes when: sizes of the pictures, learning rate, and how much each objective counts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

# (share of a cycle's pictures, side in pixels, pictures a batch): the network learns most a second
# from small pictures, and from larger ones what late layers need.
STAGES = ((0.40, 64, 256), (0.30, 96, 256), (0.20, 128, 128), (0.10, 192, 128))
PICTURES = 1_742_021  # of our own training: what one H100 learned from in seven minutes
WARM_UP = 0.03  # share of a cycle in which the learning rate rises

Weights = Mapping[str, float]


def _weights(classes: float, pairs: float, rebuild: float) -> Weights:
    return {"classes": classes, "pairs": pairs, "rebuild": rebuild}


@dataclass(frozen=True)
class Cycle:
    """All stages once; the learning rate ends at zero, so that the end is a network to be used.

    Attributes:
        share: of all pictures.
        height: of the learning rate's peak.
        free: share of the styles that are of no class.
        turn: share of the cycle after which the second weights hold.
        weights: of the objectives, before and after.
    """

    share: float
    height: float
    free: float
    turn: float
    weights: tuple[Weights, Weights]


# First the classes have the largest gradient at relu4_1: with pairs or pictures in front, the late
# layers learn nothing of textures. At the end of a cycle, while the learning rate falls, the
# picture gets more say; from cycle to cycle, pairs too.
CYCLES = (
    Cycle(0.36, 1.0, 0.0, 0.75, (_weights(1, 0.1, 0.5), _weights(1, 0.3, 2))),
    Cycle(0.34, 0.7, 0.5, 0.70, (_weights(1, 1, 1.5), _weights(1, 1, 4))),
    Cycle(0.30, 0.7, 0.5, 0.57, (_weights(0.5, 1, 4), _weights(0.5, 1.5, 8))),
)


@dataclass(frozen=True)
class Step:
    """What one step learns from, and how.

    Attributes:
        side, batch: of the pictures, and how many.
        free: share of styles of no class.
        rate: of learning, as a share of the peak.
        weights: of the objectives.
        done: share of the training before it.
    """

    side: int
    batch: int
    free: float
    rate: float
    weights: Weights
    done: float


@dataclass(frozen=True)
class Plan:
    """All steps of a training.

    Args:
        pictures: to learn from, in all cycles.
        stages, cycles: as above.
    """

    pictures: int
    stages: tuple[tuple[float, int, int], ...] = STAGES
    cycles: tuple[Cycle, ...] = CYCLES

    def steps(self) -> list[Step]:
        """One after the other."""
        return [step for cycle in range(len(self.cycles)) for step in self._steps_of(cycle)]

    def last_cycle(self) -> int:
        """The step that the last cycle begins with."""
        return len(self.steps()) - len(self._steps_of(len(self.cycles) - 1))

    def _steps_of(self, number: int) -> list[Step]:
        cycle, before = self.cycles[number], sum(each.share for each in self.cycles[:number])
        steps, way, pictures = [], 0.0, cycle.share * self.pictures
        for share, side, batch in self.stages:
            for _ in range(round(share * pictures / batch)):
                weights, rate = cycle.weights[way >= cycle.turn], cycle.height * rise_and_fall(way)
                done = before + way * cycle.share
                steps.append(Step(side, batch, cycle.free, rate, weights, done))
                way = min(1.0, way + batch / pictures)
        return steps


def rise_and_fall(way: float) -> float:
    """The learning rate at a share of a cycle: up in a line and down along a cosine."""
    if way < WARM_UP:
        return way / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (way - WARM_UP) / (1 - WARM_UP)))
