"""The runs of all visitors, from what they ask for to their files."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ..errors import NSTError, SettingsError
from ..run.progress import Result
from ..settings import ServingSettings
from .asking import request_of
from .device import Device
from .finished import Finished, finished
from .folder import Results, Uploads
from .job import Job, Request
from .kinds import Kind
from .network import Network
from .pictures import Samples
from .result import write_picture

# For each visitor who may wait, how many results are kept for visitors, and how many uploads.
_RESULTS, _UPLOADS = 4, 8
# The most of a message that is shown.
_WORDS = 1000


class Runs:
    """The runs of all visitors.

    A visitor has one run, which goes on while the visitor is away, and may come back to it.

    Args:
        network, samples, limits: of the page.
        folder: where files for visitors go; Gradio serves it.
    """

    def __init__(
        self, network: Network, samples: Samples, limits: ServingSettings, folder: Path
    ) -> None:
        self.samples, self.limits = samples, limits
        self.device = Device(network.pooled, limits)
        self._network = network
        most = limits.max_waiting
        self._results = Results(folder / "results", _RESULTS * most)
        # Programs fetch theirs at once: enough that all who may wait can be answered.
        self._of_programs = Results(folder / "programs", most)
        self._uploads = Uploads(folder, _UPLOADS * most)
        self._jobs: dict[str, Job] = {}
        self._finished: dict[str, Finished] = {}
        self._lock = threading.Lock()

    def request(self, kind: Kind, **asked: Any) -> Request:
        """What is asked for, as `request_of` takes it."""
        return request_of(kind, samples=self.samples, limits=self.limits, **asked)

    def begin(self, key: str, request: Request) -> Job:
        """Put a run in line.

        Args:
            key: the visitor's; programs, which may have several runs, add "/" and a name.
            request: from `request`.

        Raises:
            SettingsError: the visitor has one already, or too many others wait.
        """
        self.tidy()
        with self._lock:
            if key in self._jobs:
                raise SettingsError("Your picture is being made already. Stop ends it.")
            if len(self.device) >= self.limits.max_waiting:
                raise SettingsError(
                    f"{len(self.device)} visitors are waiting already, and this page takes no "
                    "more. Try again in some minutes."
                )
            self._finished.pop(key, None)
            job = Job(request)
            if "/" not in key:
                job.deliver = lambda job, result: self._deliver(key, job, result)
            self._jobs[key] = job
            self.device.submit(job)
            job.future.add_done_callback(lambda _: self._over(key, job))
            return job

    def of(self, key: str) -> Job | None:
        """The visitor's run that waits or works, if there is one."""
        return self._jobs.get(key)

    def finished_of(self, key: str) -> Finished | None:
        """The visitor's run that is over, as long as its files are kept."""
        found = self._finished.get(key)
        return found if found and found.files.picture.is_file() else None

    def end(self, key: str) -> None:
        """Stop a run and forget it."""
        job = self._jobs.pop(key, None)
        self._finished.pop(key, None)
        if job:
            job.stop()
            self.device.tidy()

    def leave(self, session: str) -> None:
        """A visitor who cannot come back has left, or a program: end all its runs."""
        for key in [*self._jobs, *self._finished]:
            if key.split("/")[0] == session:
                self.end(key)

    def picture_of(self, job: Job) -> Path | None:
        """The PNG of a program's run that is over; None if it was stopped before there was one.

        Raises:
            NSTError: what was wrong with the request.
        """
        result = job.result()
        if result is None:
            return None
        folder, vgg = self._of_programs.new(), self._network.vgg
        return write_picture(result, job.request, vgg, folder, alpha=job.alpha)

    def tidy(self) -> None:
        """Clear files that are too old or too many."""
        now = time.time()
        pictures = [one for job in list(self._jobs.values()) for one in job.request.pictures]
        self._uploads.tidy(now, {Path(picture.path).parent for picture in pictures})
        for results in (self._results, self._of_programs):
            results.tidy(now)
        for key in list(self._finished):
            if not self.finished_of(key):
                self._finished.pop(key, None)

    def close(self) -> None:
        """Stop all runs and let the device's thread go."""
        for key in list(self._jobs):
            self.end(key)
        self.device.close()

    def _deliver(self, key: str, job: Job, result: Result) -> Finished:
        made = finished(job, result, self._network.vgg, self._results)
        if self._jobs.get(key) is job:  # nobody has left
            self._finished[key] = made
            self._over(key, job)  # before anybody is told the result, and may begin another
        return made

    def _over(self, key: str, job: Job) -> None:
        if self._jobs.get(key) is job:
            del self._jobs[key]


@contextmanager
def spoken() -> Iterator[None]:
    """Tells the visitor about mistakes; Gradio keeps quiet about all other exceptions."""
    try:
        yield
    except NSTError as error:
        words = shown(error)
        raise gr.Error(words, title="This does not work yet", print_exception=False) from error


def shown(error: NSTError) -> str:
    """A mistake in a message of Gradio, which is HTML; names in it may come from anybody.

    So they may also be long, or hold half a character, which no answer of a server can.
    """
    return escape(str(error)[:_WORDS].encode(errors="replace").decode(), quote=False)
