"""A batch of runs on the host's device: memory, progress, notes, and a second try in tiles."""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from torch import Tensor

from .. import nst_core
from ..nst_core.control.alpha import alpha_of
from ..nst_core.control.losses import Loss
from ..nst_core.errors import OutOfMemory
from ..nst_core.gatys.vgg import VGG16
from ..nst_core.run.checkpoint import Checkpoint
from ..nst_core.run.memory import is_out_of_memory
from ..nst_core.run.plan import Needs, needs
from ..nst_core.run.progress import Result
from ..nst_core.run.runtime import Runtime
from ..nst_core.run.saver import Saver
from ..nst_core.run.stylize import stylize
from ..nst_core.settings import RunSettings
from . import _host as host
from .checkpoints import checkpoints_of, told_if_kept
from .finished import Finished
from .losses import Chain
from .pictures import together
from .report import Report, run_details
from .watch import Watch

# The second try after the device ran out of memory: a sixteenth of the network's memory at 1024.
SMALL_TILE = 256


def stylize_batch(
    chain: Chain,
    *,
    vgg: VGG16,
    settings: RunSettings,
    interval: float,
    starts: Sequence[Tensor | None] = (None,),
    resumable: bool = False,
) -> tuple[Tensor, Report, Tensor]:
    """Every picture of the batch in turn: (B, H, W, 3) for the host, report, (B, H, W) mask."""
    jobs = together("Content pictures, masks and start pictures", starts, *chain)
    watch = Watch(len(jobs), interval)
    start, losses = jobs[0][0], jobs[0][1:]
    runtime = host.runtime_for(
        settings.precision,
        lambda runtime: needs(losses, settings=settings, runtime=runtime, start=start).memory,
    )
    host.show(_said(needs(losses, settings=settings, runtime=runtime, start=start)))
    finished = Finished(len(jobs))
    try:
        with _warnings_shown():
            for index, job in enumerate(jobs):
                own = job[1:], job[0], vgg, settings, runtime
                kept = checkpoints_of(*own) if resumable else None
                with told_if_kept(kept[0] if kept else None):
                    result = _run(*own, watch.of_run(index), kept)
                details = run_details(
                    job[1:],
                    result,
                    f"picture {index + 1} of {len(jobs)}",
                    vgg=vgg,
                    settings=settings,
                    runtime=runtime,
                    start=None if start is None else "a picture",
                )
                finished.add(result, alpha_of(job[1:]), details)
                del result
    except BaseException as error:
        # Else what was computed lives as long as the traceback, past the point of giving it back.
        traceback.clear_frames(error.__traceback__)
        finished.save()
        raise
    finally:
        host.give_memory_back()
    return finished.images, finished.report, finished.masks


def _said(needed: Needs) -> str:
    """A line, because a node has little room."""
    last = needed.scales[-1]
    tiles = f", in tiles of {needed.tile} px" if needed.tile else ""
    return f"{last.width}x{last.height} px: about {needed.memory / 1e9:.2f} GB of memory{tiles}."


def _run(
    losses: Sequence[Loss],
    start: Tensor | None,
    vgg: VGG16,
    settings: RunSettings,
    runtime: Runtime,
    on_progress: Callable[[nst_core.Progress], None],
    kept: tuple[Saver, Checkpoint | None] | None,
) -> Result:
    """One picture; in small tiles if the device turns out to have less memory than it said."""
    saver, resume = kept or (None, None)
    tiles = [settings.tile] if 0 < settings.tile <= SMALL_TILE else [settings.tile, SMALL_TILE]
    for number, tile in enumerate(tiles):
        if number:
            host.show(f"The memory of {runtime.device} is full. Trying again in tiles of {tile}.")
        try:
            result = stylize(
                losses,
                vgg=vgg,
                settings=replace(settings, tile=tile),
                runtime=runtime,
                start=start,
                on_progress=on_progress,
                on_tile=host.stop_if_asked,
                saver=saver,
                resume=None if number else resume,
            )
            if saver is not None:
                saver.remove()
            return result
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Not inside `except`, where the traceback would keep what filled the memory alive.
        host.give_memory_back()
    raise OutOfMemory(
        f"Size {settings.size} does not fit into the memory of {runtime.device}, not even in tiles "
        f"of {tiles[-1]}. Use a size up to {settings.size // 2}, or close other programs."
    )


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        host.show(record.getMessage())


@contextmanager
def _warnings_shown() -> Iterator[None]:
    """What the engine warns of appears on the node."""
    # By the package's own name: the host imports us under the path of our folder.
    logger, notes = logging.getLogger(nst_core.__name__), _Notes(logging.WARNING)
    logger.addHandler(notes)
    try:
        yield
    finally:
        logger.removeHandler(notes)
