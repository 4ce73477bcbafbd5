"""What the scripts that make pictures are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Stands for the network that was asked for, among the names of networks.
GIVEN = "given"
# Large enough for every layer, and the fewest steps that the page takes.
DRAFT_SIZE, DRAFT_STEPS = 96, 10
# Of each picture, by its path in the project, the names of the networks that make it.
Networks = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Job:
    """The network by name, the folder that stands for the project, and whether to be quick."""

    weights: str
    folder: Path
    draft: bool = False

    def size(self, pixels: int) -> int:
        """The size to paint at."""
        return DRAFT_SIZE if self.draft else pixels

    def steps(self, steps: int) -> int:
        """The steps to take."""
        return DRAFT_STEPS if self.draft else steps
