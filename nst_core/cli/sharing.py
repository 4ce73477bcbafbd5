"""A command that torchrun has started several times: cores, signals, and going on after a loss."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from ..errors import PackageError, ProcessLost
from ..processes import ALONE, Processes, size_in
from ..run.saver import Saver
from .console import say


@contextmanager
def together() -> Iterator[Processes]:
    """The processes that were started with this one, each with its share of the cores."""
    if size_in(os.environ) == 1:
        yield ALONE
        return
    if not torch.distributed.is_available():
        raise PackageError("This PyTorch was built without torch.distributed. Use one process.")
    from ..run.group import joined  # only now: not every PyTorch has what it needs

    threads = threads_each(os.environ)
    if threads:
        torch.set_num_threads(threads)
    with joined() as processes:
        yield processes


def threads_each(environment: Mapping[str, str]) -> int | None:
    """How many threads a process takes; None leaves it to PyTorch, which obeys OMP_NUM_THREADS.

    torchrun sets OMP_NUM_THREADS to 1 where nobody has set it. Then the cores are shared out.
    """
    told, local = environment.get("OMP_NUM_THREADS"), int(environment.get("LOCAL_WORLD_SIZE", "1"))
    if local == 1 or (told is not None and (told != "1" or _given_to_parent("OMP_NUM_THREADS"))):
        return None
    able = getattr(os, "sched_getaffinity", None)
    cores = len(able(0)) if able else os.cpu_count() or 1
    return max(1, cores // local)


def _given_to_parent(name: str) -> bool:
    """Whether whoever started torchrun has set a variable; where that cannot be seen, no."""
    try:
        given = Path(f"/proc/{os.getppid()}/environ").read_bytes()
    except OSError:
        return False
    return any(pair.startswith(f"{name}=".encode()) for pair in given.split(b"\0"))


def started_anew(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun starts the processes again because one of them was lost."""
    return environment.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"


@contextmanager
def stoppable(processes: Processes) -> Iterator[Callable[[], bool]]:
    """While this lasts, a signal to one of several processes stops all of them together.

    Each goes on to the end of the evaluation, where all of them ask whether one is to stop; a
    second signal ends a process in any case. A process alone stops at once, as ever.
    """
    if processes.size == 1:
        yield lambda: False
        return
    asked = False

    def remember(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    kinds = signal.SIGTERM, signal.SIGINT
    before = [signal.signal(kind, remember) for kind in kinds]
    try:
        yield lambda: processes.any(asked)
    finally:
        for kind, earlier in zip(kinds, before, strict=True):
            signal.signal(kind, earlier)


@contextmanager
def told_how_to_go_on(saver: Saver) -> Iterator[None]:
    """Says with the loss of a process what is left."""
    try:
        yield
    except ProcessLost as error:
        if not saver.path.exists():
            raise ProcessLost(
                f"{error} There was no checkpoint yet. Start the run anew."
            ) from error
        raise ProcessLost(
            f"{error} To go on: nst resume '{saver.path}', with as many processes for the same "
            "bytes. torchrun --max-restarts 3 does that by itself."
        ) from error


def say_how_many(processes: Processes) -> None:
    """One line about who takes part."""
    if processes.size > 1:
        threads = torch.get_num_threads()
        say(f"Processes: {processes.size}, with {threads} thread{'s' * (threads > 1)} each.")
