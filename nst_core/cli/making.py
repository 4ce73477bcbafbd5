"""The run of a job: watched, stopped by Ctrl-C, and written."""

from collections import Counter

import typer

from ..run.checkpoint import Checkpoint
from ..run.progress import Result
from ..run.saver import Saver
from ..run.stylize import stylize
from .asked import Asked
from .console import INTERRUPTED, SOME_FAILED, polite, say
from .filming import filming
from .job import Job, prepared
from .saving import going_on_told, saver_of, tell_or_remove
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
        with (
            going_on_told(saver),
            polite("Stopped while writing: of the files, some may be missing, but none is broken."),
        ):
            film.end(result)
            job.finish(result, interrupted=interrupted)
    tell_or_remove(saver, interrupted)
    if film.path:
        say(f"Film: {film.path}")
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if film.failed or watch.failed:
        raise typer.Exit(SOME_FAILED)


def run(
    job: Job, watch: Watch, saver: Saver, resume: Checkpoint | None = None
) -> tuple[Result, bool]:
    """The result, and whether Ctrl-C came before its time; before the first evaluation it rises."""
    try:
        result = stylize(
            job.losses,
            vgg=job.vgg,
            settings=job.asked.settings,
            runtime=job.runtime,
            start=job.start_picture,
            on_progress=watch,
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


def _tell(result: Result) -> None:
    """Why each scale ended."""
    counts = Counter(record.scale for record in result.records)
    for number, (scale, stop) in enumerate(zip(result.scales, result.stops, strict=True), 1):
        size = f"{scale.width}x{scale.height} px"
        say(f"Scale {number}, {size}: {counts[number]} evaluations, then {stop}.")
