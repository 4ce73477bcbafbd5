"""The run of a job: watched, stopped by Ctrl-C, and written."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ..run.checkpoint import Checkpoint
from ..run.progress import Result
from ..run.saver import Saver
from ..run.stylize import stylize
from .asked import Asked
from .console import INTERRUPTED, polite, say
from .filming import filming
from .job import Job, prepared
from .saving import saver_of, tell_or_remove
from .watch import Watch, display


def make(asked: Asked, quiet: bool, resume: Checkpoint | None = None) -> None:
    """Make the picture that was asked for, and write what the run leaves."""
    job, saver = prepared(asked), saver_of(asked)
    saver.saved = resume is not None
    with filming(asked.outputs.film) as film:
        with display(quiet) as show:
            watch = Watch(show, job.save_step, asked.outputs.every, film)
            result, interrupted = run(job, watch, saver, resume)
        if not quiet:
            _tell(result)
        with polite(
            "Stopped while writing: of the files, some may be missing, but none is broken."
        ):
            film.end(result)
            job.finish(result, interrupted=interrupted)
    tell_or_remove(saver, interrupted)
    if asked.outputs.film:
        say(f"Film: {asked.outputs.film}")
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def run(
    job: Job, watch: Watch, saver: Saver, resume: Checkpoint | None = None
) -> tuple[Result, bool]:
    """The result, and whether Ctrl-C came before its time; before the first evaluation it rises."""
    try:
        with terminated_like_ctrl_c():
            result = stylize(
                job.losses,
                vgg=job.vgg,
                settings=job.asked.settings,
                runtime=job.runtime,
                start=job.start_picture,
                on_progress=watch,
                on_within=watch.within,
                saver=saver,
                resume=resume,
            )
    except KeyboardInterrupt:
        so_far = watch.so_far()
        if so_far is None:
            raise
        say("Stopped: the best picture so far is kept.")
        return so_far, True
    return result, False


@contextmanager
def terminated_like_ctrl_c() -> Iterator[None]:
    """While this lasts, SIGTERM ends the command as Ctrl-C does, with what is there so far."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(result: Result) -> None:
    """Why each scale ended."""
    counts = Counter(record.scale for record in result.records)
    for number, (scale, stop) in enumerate(zip(result.scales, result.stops, strict=True), 1):
        size = f"{scale.width}x{scale.height} px"
        say(f"Scale {number}, {size}: {counts[number]} evaluations, then {stop}.")
