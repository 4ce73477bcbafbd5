"""A batch of runs on the host's device: memory, progress and notes."""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor

from .. import nst_core
from ..nst_core.control.alpha import alpha_of
from ..nst_core.control.losses import Loss
from ..nst_core.gatys.vgg import VGG16
from ..nst_core.run.checkpoint import Checkpoint
from ..nst_core.run.plan import Needs, needs
from ..nst_core.run.progress import Result
from ..nst_core.run.runtime import Runtime
from ..nst_core.run.saver import Saver
from ..nst_core.run.stylize import stylize
from ..nst_core.run.within import Within
from ..nst_core.settings import RunSettings
from . import _host as host
from .checkpoints import checkpoints_of, told_if_kept
from .finished import Finished
from .losses import Chain
from .pictures import together
from .report import Report, run_details
from .watch import Watch


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
    host.show(said(needs(losses, settings=settings, runtime=runtime, start=start)))
    finished = Finished(len(jobs))
    try:
        with warnings_shown():
            for index, job in enumerate(jobs):
                own = job[1:], job[0], vgg, settings, runtime
                kept = checkpoints_of(*own) if resumable else None
                with told_if_kept(kept[0] if kept else None):
                    result = _run(*own, watch.of_run(index), watch.within_run(index), kept)
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


def said(needed: Needs) -> str:
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
    on_within: Callable[[Within], None],
    kept: tuple[Saver, Checkpoint | None] | None,
) -> Result:
    """One picture; the engine takes smaller tiles where memory turns out to be full."""
    saver, resume = kept or (None, None)
    result = stylize(
        losses,
        vgg=vgg,
        settings=settings,
        runtime=runtime,
        start=start,
        on_progress=on_progress,
        on_within=on_within,
        on_tile=host.stop_if_asked,
        saver=saver,
        resume=resume,
    )
    if saver is not None:
        saver.remove()
    return result


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        host.show(record.getMessage())


@contextmanager
def warnings_shown() -> Iterator[None]:
    """What the engine warns of appears on the node."""
    # By the package's own name: the host imports us under the path of our folder.
    logger, notes = logging.getLogger(nst_core.__name__), _Notes(logging.WARNING)
    logger.addHandler(notes)
    try:
        yield
    finally:
        logger.removeHandler(notes)
