"""The one thread that computes, and who waits for it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import torch
from torch import Tensor

from ..errors import OutOfMemory, SettingsError
from ..pyramid import plan_scales, resize
from ..runtime import Runtime
from ..staging import first_picture, result_size
from ..stylize import Result, losses_of, stylize
from ..terms import ContentLoss, Loss, StyleLoss
from ..vgg import VGG16
from .job import Cancelled, Job, Request
from .limits import Limits
from .pictures import read_pictures


class Device:
    """Runs take turns in one thread, so that they share neither its time nor its memory.

    Args:
        network: gives the network for a kind of pooling.
        limits: of each run.
    """

    def __init__(self, network: Callable[[str], VGG16], limits: Limits) -> None:
        self._network, self._limits = network, limits
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nst-device")

    def submit(self, job: Job, request: Request) -> None:
        """Run the request when its turn comes."""
        job.future = self._thread.submit(self._run, job, request)

    def close(self) -> None:
        """Let the thread go, once its present run has ended."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _run(self, job: Job, request: Request) -> Result | None:
        try:
            job.begin(self._limits.max_minutes)
            return self._result(job, request)
        except Cancelled:
            # Here and not where the result is asked for: a stored exception keeps the pictures
            # alive that its traceback knows.
            return job.so_far()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        raise OutOfMemory(
            "The server's memory is full. Choose a smaller size, or try again in some minutes."
        )

    def _result(self, job: Job, request: Request) -> Result:
        settings = request.settings
        losses = losses_for(request, self._limits)
        runtime = Runtime.choose(settings.device, settings.precision)
        height, width = result_size(losses, settings)
        scale = plan_scales(height, width, scales=settings.scales, steps=settings.steps)[0]
        job.start = first_picture(losses, scale, settings, torch.device("cpu"))
        job.content = resize(_content(losses), height, width)
        try:
            return stylize(
                losses,
                vgg=self._network(settings.pooling),
                settings=settings,
                runtime=runtime,
                on_progress=job.watch,
                on_tile=job.check,
            )
        finally:
            if runtime.device.type == "cuda":
                torch.cuda.empty_cache()


class Jobs:
    """Which visitors have a run that waits or works, by session."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def announce(self, session: str) -> Job:
        """A place for a visitor's run.

        Raises:
            SettingsError: the visitor has one already, or too many others wait.
        """
        with self._lock:
            if session in self._jobs:
                raise SettingsError("Your picture is being made already. Stop ends it.")
            if len(self._jobs) >= self._limits.max_waiting:
                raise SettingsError(
                    f"{len(self._jobs)} visitors are waiting already, and this page takes no "
                    "more. Try again in some minutes."
                )
            return self._jobs.setdefault(session, Job())

    def of(self, session: str) -> Job | None:
        """The visitor's run, if there is one."""
        return self._jobs.get(session)

    def end(self, session: str) -> None:
        """The run is over or its visitor has left: forget it, and stop it if it still works."""
        with self._lock:
            job = self._jobs.pop(session, None)
        if job:
            job.stop()

    def leave(self, session: str) -> None:
        """A visitor has left: end all its runs, those that a program asked for too."""
        for key in list(self._jobs):
            if key.split("/")[0] == session:
                self.end(key)

    def __len__(self) -> int:
        return len(self._jobs)


def losses_for(request: Request, limits: Limits) -> list[Loss]:
    """The usual three losses, with a share for each style."""
    pictures = read_pictures(request.paths, request.names, request.settings, limits)
    return [
        replace(loss, shares=request.shares) if isinstance(loss, StyleLoss) else loss
        for loss in losses_of(pictures[0], pictures[1:], request.settings)
    ]


def _content(losses: list[Loss]) -> Tensor:
    return next(loss.image for loss in losses if isinstance(loss, ContentLoss))


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has a class for it; the allocators of CPU and MPS only have words."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    words = ("can't allocate memory", "not enough memory", "out of memory")
    return any(word in str(error) for word in words)
