"""Smaller tiles where memory turns out to be less than was planned with."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from .estimate import TILES
from .memory import give_back_memory, is_out_of_memory

log = logging.getLogger(__name__)
T = TypeVar("T")


class Tiling:
    """In which tiles a picture is done. They only become smaller.

    Args:
        tile: longest side of a tile's core in pixels; 0 is untiled.
        longer: side of the picture, in pixels.
        device: for the line that says so.
        on_smaller: told the new tile.
        fixed: whether they stay what they are.
    """

    def __init__(
        self,
        tile: int,
        longer: int,
        device: torch.device,
        on_smaller: Callable[[int], None],
        *,
        fixed: bool = False,
    ) -> None:
        self.tile, self.device, self._longer = tile, device, longer
        self._on_smaller, self._fixed = on_smaller, fixed

    def done(self, work: Callable[[int], T]) -> T:
        """What `work(tile)` returns; done anew in smaller tiles when the memory is full.

        Whatever memory's lack is raised as is raised again when even the smallest are too large.
        """
        while True:
            try:
                return work(self.tile)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or not (smaller := self._smaller()):
                    raise
            # Not inside `except`, where the traceback would keep what filled the memory alive.
            give_back_memory()
            log.warning(
                "The memory of %s is full. Going on in tiles of %d pixels.", self.device, smaller
            )
            self.tile = smaller
            self._on_smaller(smaller)

    def _smaller(self) -> int:
        """The next smaller tile; 0 if there is none."""
        if self._fixed:
            return 0
        now = min(self.tile or self._longer, self._longer)
        return next((tile for tile in TILES if tile < now), 0)
