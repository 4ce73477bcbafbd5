"""Several cards of one machine for one picture, from one process: a thread for each of them.

They share it as processes do (`nst_core.processes`): each has its own tiles and its own part of the
L-BFGS history, and exchanges sums and gradients with the others. For hosts that are one process.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..errors import SettingsError
from ..processes import Exchanging, Processes, StoppedTogether
from .memory import free_memory
from .progress import OnProgress, Progress
from .runtime import Runtime

R = TypeVar("R")


class _Abandoned(Exception):
    """Another card's thread has failed, so this one ends."""


class _Room:
    """Where the threads meet."""

    def __init__(self, size: int) -> None:
        self._barrier = threading.Barrier(size)
        self._values: list[Any] = [None] * size

    def meet(self) -> None:
        """Wait for all of them."""
        try:
            self._barrier.wait()
        except threading.BrokenBarrierError:
            raise _Abandoned from None

    def leave(self) -> None:
        """For good: nobody waits any longer."""
        self._barrier.abort()

    def check(self) -> None:
        """Raise if somebody has left."""
        if self._barrier.broken:
            raise _Abandoned

    def told(self, rank: int, value: Any) -> list[Any]:
        """What each of them says."""
        self._values[rank] = value
        self.meet()
        every = list(self._values)
        self.meet()  # before anybody says the next thing
        return every


class CardThread(Exchanging):
    """One of the threads.

    Args:
        room: where they meet.
        rank: which one this is.
        devices: the card of each.
    """

    def __init__(self, room: _Room, rank: int, devices: Sequence[torch.device]) -> None:
        super().__init__(rank, len(devices))
        self._room, self._devices = room, devices

    def told(self, value: R) -> list[R]:
        """See `Processes`."""
        return self._room.told(self.rank, value)

    def add_up(self, tensor: Tensor) -> Tensor:
        """See `Processes`: in the order of the cards."""
        every = self._shown(tensor)
        total = every[0].to(tensor.device, copy=True)
        for other in every[1:]:
            total += other.to(tensor.device)
        self._wait(tensor)  # until all have read it
        return tensor.copy_(total)

    def whole(self, part: Tensor, length: int) -> Tensor:
        """See `Processes`."""
        flat = torch.cat([other.to(part.device) for other in self._shown(part)])
        self._wait(part)
        return flat[:length]

    def as_first_has(self, tensor: Tensor) -> Tensor:
        """See `Processes`."""
        first = self._shown(tensor)[0]
        if not self.is_first:
            tensor.copy_(first)
        self._wait(tensor)
        return tensor

    def device(self, name: str) -> str:
        """See `Processes`."""
        return str(self._devices[self.rank])

    def _shown(self, tensor: Tensor) -> list[Tensor]:
        _finish_work(tensor.device)
        return self.told(tensor)

    def _wait(self, tensor: Tensor) -> None:
        _finish_work(tensor.device)
        self._room.meet()


def cards_of(cards: int, runtime: Runtime) -> list[torch.device]:
    """The device of a run, and those that share the picture with it.

    Args:
        cards: how many in all; 0 is all that there are.
        runtime: on the first of them.

    Raises:
        SettingsError: there are not so many, or each of several processes has one already.
    """
    if cards == 1 or runtime.device.type != "cuda":
        if cards > 1:
            raise SettingsError(
                f"{cards} cards cannot share a picture on '{runtime.device}'. Cards are NVIDIA's "
                "or AMD's; set cards to 1."
            )
        return [runtime.device]
    there = torch.cuda.device_count()
    if cards > there:
        raise SettingsError(f"There are not {cards} cards here, but {there}. Lower cards.")
    if runtime.processes.size > 1:
        raise SettingsError("Each of several processes takes one card. Set cards to 1.")
    first = runtime.device.index or 0
    return [torch.device("cuda", (first + n) % there) for n in range(cards or there)]


def shared(runtime: Runtime, devices: Sequence[torch.device]) -> Runtime:
    """The first card's runtime as of one of several, with the least memory that any has."""
    if len(devices) == 1:
        return runtime
    frees = [runtime.memory, *(free_memory(device) for device in devices[1:])]
    known = [free for free in frees if free is not None]
    memory = runtime.memory if runtime.limited else min(known, default=None)
    return replace(runtime, processes=Processes(0, len(devices)), memory=memory)


def on_cards(
    run: Callable[[Runtime, OnProgress, Callable[[], None]], R],
    devices: Sequence[torch.device],
    runtime: Runtime,
    on_progress: OnProgress,
    on_tile: Callable[[], None],
) -> R:
    """What `run(runtime, on_progress, on_tile)` returns on the first card.

    It is called for every card at once, for the first in this thread. What one of them raises ends
    all of them; what the caller's `on_progress` raises, after the same evaluation.
    """
    room, wishes = _Room(len(devices)), list[BaseException]()

    def reported(processes: Processes) -> OnProgress:
        """Tells the caller, and all threads whether he has enough."""

        def report(progress: Progress) -> None:
            try:
                if processes.is_first:
                    on_progress(progress)
            except BaseException as wish:  # noqa: BLE001 - raised when all have heard of it
                wishes.append(wish)
            if processes.any(bool(wishes)):
                raise StoppedTogether

        return report

    def take_part(rank: int) -> R:
        own = CardThread(room, rank, devices)
        its = replace(runtime, device=devices[rank], processes=own)
        try:
            with torch.cuda.device(its.device) if its.device.type == "cuda" else nullcontext():
                return run(its, reported(own), room.check if rank else on_tile)
        except StoppedTogether:  # as all the others do, who may still be in their last exchange
            raise
        except BaseException:
            room.leave()
            raise

    with ThreadPoolExecutor(len(devices) - 1, "card") as pool:
        others = [pool.submit(take_part, rank) for rank in range(1, len(devices))]
        try:
            return take_part(0)
        except StoppedTogether:
            raise wishes[0] from None
        except _Abandoned:
            errors = [other.exception() for other in others]
            raise next(e for e in errors if e and not isinstance(e, _Abandoned)) from None


def _finish_work(device: torch.device) -> None:
    """Other threads work on other streams."""
    if device.type == "cuda":
        torch.cuda.current_stream(device).synchronize()
