"""The one thread that computes, and the line in front of it."""

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

from ..control.alpha import alpha_of
from ..control.losses import ContentLoss, Loss
from ..control.pyramid import resize
from ..errors import CheckpointError, OutOfMemory
from ..gatys.vgg import VGG16
from ..run.memory import give_back_memory, is_out_of_memory
from ..run.progress import Result
from ..run.recipes import losses_of_regions
from ..run.runtime import Runtime
from ..run.scales import scales_of
from ..run.staging import first_picture, result_size
from ..run.stylize import stylize
from ..settings import ServingSettings
from .clip_job import ClipJob, Outcome
from .clip_work import clear_up, filmed
from .job import Cancelled, Job, Request
from .pictures import read_pictures
from .regions import regions_of

T = TypeVar("T")


class Device:
    """Runs take turns in one thread, so that they share neither its time nor its memory.

    Args:
        network: gives the network for a kind of pooling.
        limits: of each run.
    """

    def __init__(self, network: Callable[[str], VGG16], limits: ServingSettings) -> None:
        self._network, self._limits = network, limits
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nst-device")
        self._line: list[Job] = []

    def submit(self, job: Job) -> None:
        """Run it when its turn comes."""
        self._line.append(job)
        job.future = self._thread.submit(self._run, job)
        # Known by its future: a callback that knows the job would keep it and its pictures alive.
        job.future.add_done_callback(self._leaves)

    def measure(self, work: Callable[[], T]) -> "Future[T]":
        """Do something short that is nobody's run, in its turn."""

        def alone() -> T:
            try:
                return work()
            finally:
                give_back_memory()

        return self._thread.submit(alone)

    def before(self, job: Job) -> int:
        """How many runs come before this one; 0 while it works."""
        line = list(self._line)
        return line.index(job) if job in line else 0

    def __len__(self) -> int:
        return len(self._line)

    def tidy(self) -> None:
        """Give back what a visitor's pictures took, between two runs."""
        with contextlib.suppress(RuntimeError):  # closed: nothing is kept for later any more
            self._thread.submit(give_back_memory)

    def close(self) -> None:
        """Let the thread go, once its present run has ended and its checkpoint is written."""
        self._thread.shutdown(cancel_futures=True)

    def _leaves(self, future: "Future[Outcome | None]") -> None:
        self._line.remove(next(job for job in self._line if job.future is future))

    def _run(self, job: Job) -> Outcome | None:
        try:
            result = self._painted(job)
            if result and job.deliver:
                job.finished = job.deliver(job, result)
            return result
        finally:
            if isinstance(job, ClipJob):
                clear_up(job)

    def _painted(self, job: Job) -> Outcome | None:
        try:
            job.begin(self._limits.max_minutes)
            if isinstance(job, ClipJob):
                return filmed(job, self._network, self._limits)
            return self._result(job)
        except Cancelled:
            # Here and not where the result is asked for: a stored exception keeps the pictures
            # alive that its traceback knows.
            return job.so_far()
        except CheckpointError:
            if job.unfinished:
                job.unfinished.forget()
            raise
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        finally:
            give_back_memory()
        raise OutOfMemory(
            "The server's memory is full. Choose a smaller size, or try again in some minutes."
        )

    def _result(self, job: Job) -> Result:
        settings = job.request.settings
        losses = losses_for(job.request, self._limits)
        runtime = Runtime.choose(settings.device, settings.precision)
        height, width = result_size(losses, settings)
        job.content, job.alpha = _content(losses, height, width), alpha_of(losses)
        resume = job.unfinished.checkpoint() if job.unfinished else None
        first = scales_of(losses, settings, height, width)[0]
        job.start = (
            resume.image if resume else first_picture(losses, first, settings, torch.device("cpu"))
        )
        return stylize(
            losses,
            vgg=self._network(settings.pooling),
            settings=settings,
            runtime=runtime,
            on_progress=job.watch,
            on_tile=job.check,
            on_within=job.watch_within,
            saver=job.unfinished.saver if job.unfinished else None,
            resume=resume,
        )


def losses_for(request: Request, limits: ServingSettings) -> list[Loss]:
    """The usual losses, with what was painted."""
    pictures = read_pictures(request, limits)
    content, alpha = pictures[0] if request.content else (None, None)
    styles = pictures[-len(request.styles) :] if request.styles else []
    return losses_of_regions(content, regions_of(request, styles), request.settings, alpha=alpha)


def _content(losses: Sequence[Loss], height: int, width: int) -> Tensor | None:
    contents = [loss.image for loss in losses if isinstance(loss, ContentLoss)]
    return resize(contents[0], height, width) if contents else None
