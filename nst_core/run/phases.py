"""Parts of a run: a scale, and a search at a scale in one arithmetic."""

from dataclasses import dataclass

from ..control.pyramid import Scale


@dataclass(frozen=True)
class Stage:
    """One of the scales.

    Attributes:
        scales: all of them, coarse to fine.
        index: of this one.
        tiles: longest side of the tiles at each scale, in pixels; 0 is untiled. The same list for
            all of them, which changes when memory turns out to be short.
        away: whether the history is kept elsewhere than in the device's memory, see `placing`.
    """

    scales: tuple[Scale, ...]
    index: int
    tiles: list[int]
    away: bool = False

    @property
    def scale(self) -> Scale:
        """This one."""
        return self.scales[self.index]

    @property
    def tile(self) -> int:
        """Longest side of its tiles."""
        return self.tiles[self.index]

    def at_most(self, tile: int) -> None:
        """From this scale on, take no larger tiles."""
        for index in range(self.index, len(self.tiles)):
            self.tiles[index] = min(self.tiles[index] or tile, tile)

    @property
    def is_last(self) -> bool:
        """Whether it is the result's own size."""
        return self.index == len(self.scales) - 1


@dataclass(frozen=True)
class Phase:
    """One search at a scale.

    Attributes:
        stage: the scale.
        steps: its steps.
        budget: its evaluations; 0 is no limit.
        exact: whether these are the float32 steps that follow rounded ones.
        steps_before, evaluations_before: of the rounded ones.
    """

    stage: Stage
    steps: int
    budget: int = 0
    exact: bool = False
    steps_before: int = 0
    evaluations_before: int = 0
