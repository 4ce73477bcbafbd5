"""The run of a job: watched, stopped by Ctrl-C, and written."""

from collections import Counter
from dataclasses import replace

import typer

from ..run.checkpoint import Checkpoint
from ..run.progress import Result
from ..run.saver import Saver
from ..run.stylize import stylize
from .asked import Asked
from .console import INTERRUPTED, SOME_FAILED, polite, say
from .filming import filming
from .job import Job, prepared
from .saving import found_by, going_on_told, saver_of, tell_or_remove
from .sharing import say_how_many, started_anew, stoppable, together, told_how_to_go_on
from .watch import Watch, display


def make(asked: Asked, quiet: bool, resume: Checkpoint | None = None) -> None:
    """Make the picture that was asked for, and write what the run leaves."""
    with together() as processes:
        if not processes.is_first:
            asked, quiet = replace(asked, outputs=asked.outputs.of_helper), True
        say_how_many(processes)
        saver = saver_of(asked, processes)
        with told_how_to_go_on(saver):
            job = prepared(asked, processes=processes)
            if started_anew() and resume is None:
                resume = found_by(saver, job)
            saver.saved = resume is not None and processes.is_first
            status = _made(job, saver, resume, quiet)
    if status:
        raise typer.Exit(status)


def _made(job: Job, saver: Saver, resume: Checkpoint | None, quiet: bool) -> int:
    """Make the picture, and say with which exit status the command ends."""
    outputs = job.asked.outputs
    with filming(outputs.film) as film:
        with display(quiet) as show:
            watch = Watch(show, job.save_step, outputs.every, film)
            result, interrupted = run(job, watch, saver, resume)
        if not job.runtime.processes.is_first:
            return INTERRUPTED if interrupted else 0
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
        return INTERRUPTED
    return SOME_FAILED if film.failed or watch.failed else 0


def run(
    job: Job, watch: Watch, saver: Saver, resume: Checkpoint | None = None
) -> tuple[Result, bool]:
    """The result, and whether Ctrl-C came before its time; before the first evaluation it rises."""
    try:
        with stoppable(job.runtime.processes) as watch.stopping:
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


def _tell(result: Result) -> None:
    """Why each scale ended."""
    counts = Counter(record.scale for record in result.records)
    for number, (scale, stop) in enumerate(zip(result.scales, result.stops, strict=True), 1):
        size = f"{scale.width}x{scale.height} px"
        say(f"Scale {number}, {size}: {counts[number]} evaluations, then {stop}.")
