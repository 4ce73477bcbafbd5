"""Where a run does its work and keeps what it remembers, so that it fits into memory.

What no tile makes smaller, the pairs of L-BFGS and the features of content pictures, moves when the
rest would have to be done in small tiles otherwise: on a processor to a temporary file, of a card
to the machine's memory (the pairs alone).
"""

import logging
from dataclasses import dataclass

import torch

from ..control.targets import MakeMap, map_in_memory
from ..errors import OutOfMemory
from ..kernels.disk import room_on_disk, temporary_folder
from ..kernels.maps import map_on_disk
from ..kernels.rows import MakeRows, Rows, RowsOnDisk, RowsOnHost
from .checkpoint import Position
from .estimate import TILES, Load, away_bytes, estimate, maps_move
from .memory import free_memory
from .phases import Stage
from .runtime import Runtime

log = logging.getLogger(__name__)

_HOST = torch.device("cpu")
# Smaller tiles read more beyond their cores than a history elsewhere costs.
_SMALLEST_BEFORE_AWAY = 512


@dataclass(frozen=True)
class Place:
    """How a scale is done.

    Attributes:
        tile: longest side of its tiles' cores, in pixels; 0 is untiled.
        away: whether history and content features are kept elsewhere.
    """

    tile: int
    away: bool = False


def place_for(load: Load, runtime: Runtime) -> Place:
    """The place that costs the least time of those that fit.

    Raises:
        OutOfMemory: none fits; names a size that would.
    """
    place = _fitting(load, runtime)
    if place is not None:
        return place
    assert runtime.memory is not None
    fits, too_large = 0, load.longer
    while too_large - fits > 1:
        size = (fits + too_large) // 2
        fitting = _fitting(load.times(size / load.longer), runtime) is not None
        fits, too_large = (size, too_large) if fitting else (fits, size)
    style = any(max(size) > load.longer for size in load.styles)
    least = estimate(load, runtime, TILES[-1], away=True)
    raise OutOfMemory(
        f"{load.width}x{load.height} px need at least {least / 1e9:.1f} GB"
        f"{_beside(load, runtime)}, and {runtime.device} has {runtime.memory / 1e9:.1f} GB free. "
        + (f"Use a size up to {fits}" if fits >= 64 else "Free some memory first")
        + (" or a smaller style_scale." if style else ".")
    )


def is_away(load: Load, runtime: Runtime, tile: int) -> bool:
    """Whether what can be kept elsewhere is, in given tiles."""
    return not _fits(load, runtime, Place(tile)) and _has_room(load, runtime)


def tiles_then_and_now(position: Position, now: list[int]) -> list[int]:
    """The tiles that a run goes on with: those that it had, or smaller ones where these fit not."""
    tiles = list(position.tiles)
    for index in range(position.scale, len(tiles)):
        if now[index] and not 0 < tiles[index] <= now[index]:
            log.warning(
                "Here is less memory than where the checkpoint was made: tiles of %d pixels in "
                "place of %s. The picture may differ in its last digits.",
                now[index],
                tiles[index] or "the whole picture",
            )
            tiles[index] = now[index]
    return tiles


def announce(load: Load, runtime: Runtime) -> None:
    """Say where the history is, which is elsewhere."""
    disk = f"on disk, in '{temporary_folder()}'"
    where = disk if runtime.device.type == "cpu" else "in the machine's memory"
    size = away_bytes(load, runtime) / 1e9
    log.warning("%.1f GB that do not fit into memory are kept %s.", size, where)


def rows_at(stage: Stage, runtime: Runtime) -> MakeRows:
    """Where the pairs of L-BFGS are kept at a scale."""
    if not stage.away:
        return Rows
    return RowsOnDisk if runtime.device.type == "cpu" else RowsOnHost


def make_map_at(stage: Stage, runtime: Runtime) -> MakeMap:
    """Where the features of content pictures are kept at a scale."""
    return map_on_disk if stage.away and maps_move(runtime) else map_in_memory


def _fitting(load: Load, runtime: Runtime) -> Place | None:
    """None if none does."""
    near = [Place(tile) for tile in (0, *TILES)]
    away = [Place(tile, away=True) for tile in (0, *TILES)] if _has_room(load, runtime) else []
    large = [place for place in near if not 0 < place.tile < _SMALLEST_BEFORE_AWAY]
    small = [place for place in near if place not in large]
    return next((p for p in [*large, *away, *small] if _fits(load, runtime, p)), None)


def _fits(load: Load, runtime: Runtime, place: Place) -> bool:
    if runtime.budget is None:
        return True
    return estimate(load, runtime, place.tile, away=place.away) <= runtime.budget


def _has_room(load: Load, runtime: Runtime) -> bool:
    """Whether there is room elsewhere."""
    cpu = runtime.device.type == "cpu"
    room = room_on_disk() if cpu else free_memory(_HOST)
    return room is not None and away_bytes(load, runtime) <= room


def _beside(load: Load, runtime: Runtime) -> str:
    if _has_room(load, runtime) or runtime.device.type != "cpu":
        return ""
    need = away_bytes(load, runtime) / 1e9
    return f" and {need:.1f} GB on disk, where '{temporary_folder()}' has less"
