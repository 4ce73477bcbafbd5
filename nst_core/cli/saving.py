"""The checkpoints of a command: where they go, and what becomes of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ..errors import CheckpointError
from ..files.paths import CHECKPOINT_ENDING
from ..processes import ALONE, Processes
from ..run.checkpoint import Checkpoint, load_checkpoint
from ..run.identity import check_identity, identity_of
from ..run.saver import Saver
from .asked import Asked
from .console import say
from .job import Job
from .resuming import command_of

# Seconds between two checkpoints, and before the first of a run for which none was asked.
_EVERY, _LONG = 10.0, 120.0


def saver_of(asked: Asked, processes: Processes = ALONE) -> Saver:
    """What writes the checkpoints: from the start if they were asked for, else if it takes long.

    Of several processes one may be lost, and its part of the history with it: from the start.
    """
    command, own = command_of(asked), asked.outputs.checkpoint
    picture = asked.outputs.picture
    beside = picture.with_name(picture.name + CHECKPOINT_ENDING)
    first = 0.0 if own or processes.size > 1 else _LONG
    return Saver(own or beside, every=_EVERY, first=first, command=command, processes=processes)


def tell_or_remove(saver: Saver, interrupted: bool) -> None:
    """Say where a run that was stopped can be gone on from; one that is done needs nothing more."""
    if not interrupted:
        saver.remove()
    elif saver.saved:
        say(f"To go on: nst resume '{saver.path}'")


@contextmanager
def going_on_told(saver: Saver) -> Iterator[None]:
    """If the command ends inside, says where the run can be gone on from: its picture is lost."""
    try:
        yield
    except typer.Exit:
        tell_or_remove(saver, interrupted=True)
        raise


def found_by(saver: Saver, job: Job) -> Checkpoint | None:
    """The checkpoint that an earlier command has left of the same job; None if there is none.

    One of another job is told, and will be replaced.
    """
    if not saver.path.exists():
        return None
    settings = job.asked.settings
    try:
        found = load_checkpoint(saver.path)
        own = identity_of(job.losses, job.start_picture, job.vgg, settings, job.runtime)
        check_identity(found.run, own)
    except CheckpointError as error:
        say(f"'{saver.path}' is not used. {error}")
        return None
    saver.saved = True
    return found
