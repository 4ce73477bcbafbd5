"""A run between two of its steps, in a file: going on from it is the same as not having stopped."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..files.checkpoint_file import InBlocks, read_checkpoint_file, write_checkpoint_file
from ..gatys.lbfgs import History
from ..gatys.minimizer import State
from ..kernels.history import FastHistory
from .progress import Record


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a search stands.

    Attributes:
        scale: index of the size it works at.
        exact: whether these are the float32 steps that follow rounded ones.
        steps_before, evaluations_before: of the rounded ones, if there were any.
        tiles: longest side of the tiles at each scale, in pixels; 0 is untiled.
    """

    scale: int
    exact: bool
    steps_before: int
    evaluations_before: int
    tiles: tuple[int, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Checkpoint:
    """What a run needs to go on.

    Attributes:
        run: what must not have changed when it goes on, see `identity_of`.
        position: where the search stands.
        image, gradient: the best point of the present scale, (1, 3, H, W), and the gradient there.
        losses, evaluations, length: as in `gatys.minimizer.State`.
        history: the tensors of `FastHistory`, or what is kept elsewhere, in blocks; all processes
            that share it write together.
        pairs: how many it remembers.
        records, stops, seconds: of the run so far, as in `Result`.
        command: what the program that writes it wants to find again.
    """

    run: Mapping[str, Any]
    position: Position
    image: Tensor
    gradient: Tensor
    losses: tuple[float, ...]
    evaluations: int
    length: float
    history: Mapping[str, Tensor | InBlocks]
    pairs: int
    records: tuple[Record, ...]
    stops: tuple[str, ...]
    seconds: float
    command: Mapping[str, Any] = field(default_factory=dict)

    @property
    def _own_history(self) -> Mapping[str, Tensor]:
        return {name: one for name, one in self.history.items() if isinstance(one, Tensor)}

    def state_with(self, history: History) -> State:
        """The state to go on from, with `history` as it was.

        Raises:
            CheckpointError: the history is of another picture, or of another number of pairs.
        """
        if not isinstance(history, FastHistory):
            raise CheckpointError("This device cannot go on from checkpoints. Start the run anew.")
        device = history.device
        try:
            history.restore(self._own_history, self.pairs)
        except (KeyError, ValueError) as error:
            raise CheckpointError(
                f"The checkpoint does not fit this run ({error}). Start the run anew."
            ) from error
        return State(
            image=self.image.to(device),
            loss=self.losses[-1],
            gradient=self.gradient.to(device),
            history=history,
            losses=self.losses,
            evaluations=self.evaluations,
            length=self.length,
        )


def save_checkpoint(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write a checkpoint; the one that was there stays as `previous_of(path)`.

    Raises:
        CheckpointError: the file cannot be written.
    """
    tensors: dict[str, Tensor | InBlocks] = {
        "image": checkpoint.image,
        "gradient": checkpoint.gradient,
    }
    tensors |= {f"history.{name}": tensor for name, tensor in checkpoint.history.items()}
    document = {
        "run": dict(checkpoint.run),
        "position": asdict(checkpoint.position),
        "losses": checkpoint.losses,
        "evaluations": checkpoint.evaluations,
        "length": checkpoint.length,
        "pairs": checkpoint.pairs,
        "records": [asdict(record) for record in checkpoint.records],
        "stops": checkpoint.stops,
        "seconds": checkpoint.seconds,
        "command": dict(checkpoint.command),
    }
    write_checkpoint_file(Path(path), tensors, document)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read what `save_checkpoint` wrote.

    Raises:
        CheckpointError: there is no such file, or it is none, damaged, or of another version.
    """
    tensors, document = read_checkpoint_file(Path(path))
    try:
        return _checkpoint(tensors, document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CheckpointError(
            f"'{path}' is no checkpoint of this program ({error}). Start the run anew."
        ) from error


def _checkpoint(tensors: dict[str, Tensor], document: Mapping[str, Any]) -> Checkpoint:
    position = document["position"]
    made = Checkpoint(
        run=dict(document["run"]),
        position=Position(**{**position, "tiles": tuple(map(int, position["tiles"]))}),
        # Copies, because what was read lies anywhere in memory, and sums of numbers that are not on
        # a boundary of 64 bytes may differ in their last digits.
        image=tensors.pop("image").clone(),
        gradient=tensors.pop("gradient").clone(),
        losses=tuple(map(float, document["losses"])),
        evaluations=int(document["evaluations"]),
        length=float(document["length"]),
        history={name.removeprefix("history."): tensor for name, tensor in tensors.items()},
        pairs=int(document["pairs"]),
        records=tuple(Record(**record) for record in document["records"]),
        stops=tuple(map(str, document["stops"])),
        seconds=float(document["seconds"]),
        command=dict(document["command"]),
    )
    _check(made)
    return made


def _check(made: Checkpoint) -> None:
    """ValueError for what no run can have been in."""
    place = made.position
    numbers = (place.scale, place.steps_before, place.evaluations_before, *place.tiles)
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise ValueError("its position is none")
    if place.scale >= len(place.tiles) or len(made.stops) != place.scale:
        raise ValueError("its scales do not fit together")
    if made.image.ndim != 4 or made.image.shape[:2] != (1, 3):
        raise ValueError(f"its picture has the shape {tuple(made.image.shape)}")
    if made.gradient.shape != made.image.shape or not made.losses or not made.records:
        raise ValueError("its state does not fit together")
    read = [one for one in made.history.values() if isinstance(one, Tensor)]
    if not all(bool(torch.isfinite(one).all()) for one in (made.image, made.gradient, *read)):
        raise ValueError("some of its numbers are not finite")
    if not math.isfinite(made.length) or made.length <= 0 or made.seconds < 0:
        raise ValueError("its step length is none")
