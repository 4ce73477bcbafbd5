"""The runs of a batch, one after the other, with one network."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import typer
from torch import Tensor

from ..errors import NSTError
from ..gatys.vgg import VGG16
from ..processes import ALONE, Processes
from ..run.recipes import Region
from ..run.runtime import Runtime
from ..settings import Settings
from .asked import Asked
from .batch import Batch
from .console import INTERRUPTED, SOME_FAILED, full_memory_named, say
from .files import make_folder
from .job import Job, network_of, prepared
from .making import run
from .regions import regions_of
from .saving import found_by, saver_of
from .sharing import together
from .watch import Place, Watch, display
from .words import Words


def make_many(batch: Batch, quiet: bool) -> None:
    """Make every picture of the batch; one that cannot be made is named at the end.

    Raises:
        NSTError: what is wrong with all of them, or a result that cannot be written.
    """
    styles = _Styles()
    if batch.words is not None:
        styles.read(batch.words, batch.asked[0])
    with together() as processes:
        making = _Making(batch, network_of(batch.settings), styles, quiet)
        making.runtime = _runtime_in(processes, batch.settings)
        make_folder(batch.results[0].parent)
        try:
            for number, asked in processes.taken_from(list(enumerate(batch.asked, 1))):
                making.make(number, asked)
        except KeyboardInterrupt as error:
            making.tell("Stopped", "The same command goes on with the others.")
            raise typer.Exit(INTERRUPTED) from error
        except NSTError:
            making.tell("Stopped")
            raise
        every = processes.told((making.made, making.failures))
        making.made = sum(made for made, _ in every)
        making.failures = [failure for _, failures in every for failure in failures]
        making.tell("Done")
    if making.failures:
        raise typer.Exit(SOME_FAILED)


def _runtime_in(processes: Processes, settings: Settings) -> Runtime | None:
    """The device of one among several processes, each of which makes pictures of its own.

    None chooses for each picture anew, by the memory that is free then.
    """
    if processes.size == 1:
        return None
    return replace(Runtime.choose(settings.device, settings.precision, processes), processes=ALONE)


@dataclass
class _Styles:
    """The styles that were read last, for contents that share them."""

    words: Words | None = None
    regions: Sequence[Region] = ()

    def read(self, words: Words, asked: Asked) -> Sequence[Region]:
        if words != self.words:
            self.words, self.regions = None, ()  # gives the memory back before more is read
            self.regions = regions_of(words, asked.settings)
            self.words = words
        return self.regions


@dataclass
class _Making:
    """What is common to the runs, and how they went."""

    batch: Batch
    vgg: VGG16
    styles: _Styles
    quiet: bool
    runtime: Runtime | None = None
    began: float = field(default_factory=time.monotonic)
    made: int = 0
    failures: list[str] = field(default_factory=list)

    def make(self, number: int, asked: Asked) -> None:
        """Make one; KeyboardInterrupt when Ctrl-C came before its end."""
        path, count = asked.outputs.picture, len(self.batch.asked)
        place = Place(number, count, path.name, time.monotonic() - self.began)
        try:
            with full_memory_named():
                asked.check()
                regions = self.styles.read(asked.words, asked)
                job = prepared(asked, vgg=self.vgg, regions=regions, runtime=self.runtime)
                saver = saver_of(asked)
                with display(self.quiet, place) as show:
                    watch = Watch(show, job.save_step, 0)
                    result, interrupted = run(job, watch, saver, found_by(saver, job))
        except NSTError as error:
            # The words alone: the exception holds on to the pictures.
            self.failures.append(f"'{path}' was not made. {error}")
            return
        if interrupted:
            self._keep_unfinished(job, result.image)
            raise KeyboardInterrupt
        job.finish(result, interrupted=False)
        saver.remove()
        self.made += 1
        self._drop_unfinished(path)

    def tell(self, how: str, next_: str = "") -> None:
        """What was not made and why, how it ended, and what to do next."""
        for failure in self.failures:
            say(failure, label="Error: ", style="bold red")
        if how == "Stopped" or self.failures or not self.quiet:
            say(f"{how}: {self.made} of {len(self.batch.asked)} pictures made. {next_}".rstrip())

    def _keep_unfinished(self, job: Job, image: Tensor) -> None:
        """Under a name of its own, so that the same command makes the picture again."""
        path = _unfinished(job.asked.outputs.picture)
        job.save(image, path)
        say(f"It is in '{path}'.")

    def _drop_unfinished(self, path: Path) -> None:
        """What an earlier command left of this picture; never a result that has such a name."""
        old = _unfinished(path)
        if old not in self.batch.results:
            old.unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{path.stem}.unfinished{path.suffix}")
