"""The runs of all visitors, from what they ask for to their files."""

import logging
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import NSTError, SettingsError
from ..run.progress import Result
from ..settings import ServingSettings
from .asking import check_allowed, request_of
from .clip_asking import clip_request_of
from .clip_job import FRAMES, ClipJob, Outcome, job_of
from .clip_work import FinishedClip
from .device import Device
from .finished import Ended, Failed, failed, finished, kind_in
from .folder import AGE, Results, Uploads
from .job import Job, Request
from .kinds import VIDEO, Kind
from .network import Network
from .pictures import Samples
from .result import write_picture
from .unfinished import Unfinished, UnfinishedRuns

_LOG = logging.getLogger("nst_core")
# Where runs that were cut off are kept, in the page's folder.
CHECKPOINTS = "checkpoints"
# For each visitor who may wait, how many results are kept for visitors, and how many uploads.
_RESULTS, _UPLOADS = 4, 8


class Runs:
    """The runs of all visitors.

    A visitor has one run, which goes on while the visitor is away, and may come back to it.

    Args:
        network, samples, limits: of the page.
        folder: where files for visitors go; Gradio serves it.
        checkpoints: folder of runs that were cut off; None is one in `folder`.
    """

    def __init__(
        self,
        network: Network,
        samples: Samples,
        limits: ServingSettings,
        folder: Path,
        checkpoints: Path | None = None,
    ) -> None:
        self.samples, self.limits, self._network = samples, limits, network
        self.device = Device(network.pooled, limits)
        most = limits.max_waiting
        self._results = Results(folder / "results", _RESULTS * most)
        # Programs fetch theirs at once: enough that all who may wait can be answered.
        self._of_programs = Results(folder / "programs", most)
        self._unfinished = UnfinishedRuns(
            checkpoints or folder / CHECKPOINTS, samples, most, limits.max_checkpoints
        )
        self.frames = folder / FRAMES
        self.frames.mkdir(exist_ok=True)
        self._uploads = Uploads(folder, _UPLOADS * most)
        self._jobs: dict[str, Job] = {}
        self._finished: dict[str, Ended] = {}
        self._failed: dict[str, Failed] = {}
        self._lock = threading.Lock()

    def request(self, kind: Kind, **asked: Any) -> Request:
        """What is asked for, as `request_of` takes it."""
        made = clip_request_of if kind is VIDEO else partial(request_of, kind)
        return made(samples=self.samples, limits=self.limits, **asked)

    def begin(self, key: str, request: Request) -> Job:
        """Put a run in line.

        Args:
            key: the visitor's; programs, which may have several runs, add "/" and a name.
            request: from `request`.

        Raises:
            SettingsError: the visitor has one already, or too many others wait.
        """
        self.tidy()
        return self._in_line(key, request)

    def resume(self, key: str, kind: Kind) -> Job:
        """Put the visitor's run that was cut off in line again.

        Raises:
            SettingsError: there is none of this kind, or as for `begin`.
        """
        self.tidy()
        found = self._unfinished.of(key)
        if found is None or kind_in(found.request) is not kind:
            raise SettingsError("There is nothing to go on with any more. Run begins anew.")
        check_allowed(found.request.settings, self.limits)
        return self._in_line(key, found.request, found)

    def _in_line(self, key: str, request: Request, found: Unfinished | None = None) -> Job:
        with self._lock:
            if key in self._jobs:
                raise SettingsError("Your picture is being made already. Stop ends it.")
            if len(self.device) >= self.limits.max_waiting:
                raise SettingsError(
                    f"{len(self.device)} visitors are waiting already, and this page takes no "
                    "more. Try again in some minutes."
                )
            self._failed.pop(key, None)
            job = job_of(request, self.frames)
            if "/" not in key:
                job.unfinished = found or self._unfinished.begin(key, request)
                job.deliver = lambda job, result: self._deliver(key, job, result)
            elif isinstance(job, ClipJob):  # its frames are gone when it is over
                job.deliver = partial(finished, vgg=self._network.vgg, results=self._of_programs)
            if not found:
                self._finished.pop(key, None)
            self._jobs[key] = job
            self.device.submit(job)
            job.future.add_done_callback(lambda _: self._over(key, job))
            return job

    def of(self, key: str) -> Job | None:
        """The visitor's run that waits or works, if there is one."""
        return self._jobs.get(key)

    def finished_of(self, key: str) -> Ended | None:
        """The visitor's run that is over, as long as its files are kept."""
        found = self._finished.get(key)
        return found if found and found.is_there else None

    def failed_of(self, key: str) -> Failed | None:
        """How the visitor's run failed, until the next one."""
        return self._failed.get(key)

    def unfinished_of(self, key: str) -> Unfinished | None:
        """The visitor's run that was cut off and can be gone on with."""
        job = self._jobs.get(key)
        return None if job and not job.future.done() else self._unfinished.of(key)

    def kind_left(self, key: str) -> Kind | None:
        """Of what is left of the visitor's runs: the last result, error or checkpoint."""
        ended = self.finished_of(key) or self.failed_of(key)
        found = self.unfinished_of(key)
        return ended.kind if ended else kind_in(found.request) if found else None

    def end(self, key: str) -> None:
        """Stop a run and forget it."""
        job = self._jobs.pop(key, None)
        self._finished.pop(key, None)
        self._failed.pop(key, None)
        self._unfinished.remove(key)
        if job:
            job.stop()
            self.device.tidy()

    def leave(self, session: str) -> None:
        """A visitor who cannot come back has left, or a program: end all its runs."""
        for key in {session, *self._jobs, *self._finished, *self._failed}:
            if key.split("/")[0] == session:
                self.end(key)

    def picture_of(self, job: Job) -> Path | None:
        """The PNG or video of a program's run that is over; None if it was stopped before any.

        Raises:
            NSTError: what was wrong with the request.
        """
        result = job.result()
        if isinstance(job.finished, FinishedClip):
            return job.finished.video
        if not isinstance(result, Result):
            return None
        with self._of_programs.filled() as folder:
            return write_picture(result, job.request, self._network.vgg, folder, alpha=job.alpha)

    def tidy(self) -> None:
        """Clear files that are too old or too many."""
        pictures = [one for job in list(self._jobs.values()) for one in job.request.pictures]
        self._uploads.tidy(time.time(), {Path(picture.path).parent for picture in pictures})
        for results in (self._results, self._of_programs):
            results.tidy(time.monotonic())
        self._tidy_unfinished(time.time())
        for key in list(self._finished):
            if not self.finished_of(key):
                self._finished.pop(key, None)
        for key, one in list(self._failed.items()):
            if one.when < time.time() - AGE:
                self._failed.pop(key, None)

    def _tidy_unfinished(self, now: float) -> None:
        jobs = list(self._jobs.values())
        self._unfinished.tidy(now, {job.unfinished for job in jobs if job.unfinished})

    def close(self) -> None:
        """Stop all runs, with their checkpoints, and let the device's thread go."""
        for job in list(self._jobs.values()):
            job.stop()
        self.device.close()

    def _deliver(self, key: str, job: Job, result: Outcome) -> Ended:
        made = finished(job, result, self._network.vgg, self._results)
        if self._jobs.get(key) is job:  # nobody has left
            self._finished[key] = made
            if not job.why:
                self._unfinished.remove(key)
            self._over(key, job)  # before anybody is told the result, and may begin another
        return made

    def _over(self, key: str, job: Job) -> None:
        if self._jobs.get(key) is not job:
            return
        error = job.error()
        if error and not isinstance(error, NSTError):
            _LOG.error("A run failed.", exc_info=error)
        if error and "/" not in key:
            self._failed[key] = failed(job.request, error)
        del self._jobs[key]
        self._tidy_unfinished(time.time())
