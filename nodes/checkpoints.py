"""Runs of the host that go on where they were stopped."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from torch import Tensor

from ..nst_core.control.losses import Loss
from ..nst_core.errors import CheckpointError
from ..nst_core.files.checkpoint_file import previous_of
from ..nst_core.files.paths import CHECKPOINT_ENDING
from ..nst_core.gatys.vgg import VGG16
from ..nst_core.run.checkpoint import Checkpoint, load_checkpoint
from ..nst_core.run.identity import identity_of
from ..nst_core.run.runtime import Runtime
from ..nst_core.run.saver import Saver
from ..nst_core.settings import RunSettings
from . import _host as host

# Seconds between two checkpoints, how many runs that were stopped are kept, and how many bytes of
# them: at 2048 pixels a run has more than a gigabyte, twice.
EVERY, KEPT, BYTES = 20.0, 5, 4 << 30


def checkpoints_of(
    losses: Sequence[Loss],
    start: Tensor | None,
    vgg: VGG16,
    settings: RunSettings,
    runtime: Runtime,
) -> tuple[Saver, Checkpoint | None]:
    """What keeps checkpoints of a run, and the one that the same run has left, if it has.

    The file is named by what the run is of: a workflow decides no name, and another run finds none.
    """
    identity = identity_of(losses, start, vgg, settings, runtime)
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]
    folder = host.checkpoint_folder()
    with suppress(OSError):  # the saver says what it cannot write
        folder.mkdir(parents=True, exist_ok=True)
    saver = Saver(folder / f"{name}{CHECKPOINT_ENDING}", every=EVERY)
    found = None
    if os.path.exists(saver.path):
        try:
            found = load_checkpoint(saver.path)
        except CheckpointError as error:
            host.show(str(error))
    saver.saved = found is not None
    if found is not None:
        host.show(f"It goes on after {len(found.records)} evaluations that were done before.")
    with suppress(OSError):  # another host may make room at the same time
        _make_room(saver.path)
    return saver, found


@contextmanager
def told_if_kept(saver: Saver | None) -> Iterator[None]:
    """A note on the node if a run ends before its time and can be gone on with."""
    try:
        yield
    except BaseException:
        if saver is not None and saver.saved:
            host.show("Run it again to go on from here.")
        raise


def _make_room(own: Path) -> None:
    """Delete the oldest checkpoints of others than this run, and what a killed host left of one."""
    files = [path for path in own.parent.iterdir() if path not in (own, previous_of(own))]
    files.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    size = 0
    for number, path in enumerate(files):
        size += path.stat().st_size
        if number >= 2 * KEPT or size > BYTES:  # each run has two, the last and the one before it
            path.unlink(missing_ok=True)
