"""Processes that share a picture, over PyTorch's distributed engine: gloo, and NCCL on CUDA.

Started by torchrun, which gives each its place in the environment and starts them anew after one
was lost.
"""

import os
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import PrefixStore  # type: ignore[attr-defined]
from torch.distributed.rendezvous import rendezvous

from ..errors import ProcessLost, SettingsError
from ..processes import ALONE, Exchanging, Processes, size_in
from .heartbeat import Heartbeat, Store
from .memory import is_out_of_memory

T = TypeVar("T")

# Longer than any evaluation: whether the others are alive is the heartbeat's affair.
_FOREVER = timedelta(days=7)
# Seconds to wait for the others at the beginning.
_MEETING = timedelta(minutes=5)
# Seconds between two looks whether an exchange is done: at first, and at most.
_SHORTEST, _LONGEST = 5e-5, 2e-3


class _Work(Protocol):
    def is_completed(self) -> bool: ...
    def wait(self) -> bool: ...


class Group(Exchanging):
    """Several processes.

    Args:
        store: that all of them see.
        heartbeat: knows whether the others are alive.
        rank, size: as of `Processes`.
        local_rank, local_size: which of those on this machine this is, and how many these are.

    Methods raise ProcessLost when another one does not answer any more.
    """

    def __init__(
        self,
        store: Store,
        heartbeat: Heartbeat,
        rank: int,
        size: int,
        *,
        local_rank: int = 0,
        local_size: int = 1,
    ) -> None:
        super().__init__(rank, size)
        self._store, self._heartbeat = store, heartbeat
        self._local_rank, self._local_size = local_rank, local_size

    def add_up(self, tensor: Tensor) -> Tensor:
        """See `Processes`; a reduction gives every process the same bits."""
        self._done(lambda: dist.all_reduce(tensor, async_op=True))
        return tensor

    def whole(self, part: Tensor, length: int) -> Tensor:
        """See `Processes`."""
        each = -(-length // self.size)
        padded = torch.nn.functional.pad(part, (0, each - len(part)))
        flat = part.new_empty(each * self.size)
        self._done(lambda: dist.all_gather(list(flat.chunk(self.size)), padded, async_op=True))
        return flat[:length]

    def as_first_has(self, tensor: Tensor) -> Tensor:
        """See `Processes`."""
        self._done(lambda: dist.broadcast(tensor, 0, async_op=True))
        return tensor

    def any(self, said: bool) -> bool:
        """See `Processes`."""
        return bool(self.add_up(torch.tensor([int(said)])))

    def told(self, value: T) -> list[T]:
        """See `Processes`."""
        self.any(False)  # waits for the slowest, and notices if it is lost
        every: list[Any] = [None] * self.size
        dist.all_gather_object(every, value)
        return every

    def taken_from(self, items: Iterable[T]) -> Iterator[T]:
        """See `Processes`."""
        next_one = self._next()
        for number, item in enumerate(items):
            if number == next_one:
                yield item
                next_one = self._next()

    def memory_each(self, free: int | None, kind: str) -> int | None:
        """See `Processes`."""
        shared = self._local_size if kind == "cpu" else 1
        known = [each // shared for each in self.told(free) if each is not None]
        return min(known) if len(known) == self.size else None

    def device(self, name: str) -> str:
        """See `Processes`.

        Raises:
            SettingsError: nothing is exchanged between such devices, or there are too few.
        """
        if name == "cuda":
            cards = torch.cuda.device_count()
            if 0 < cards < self._local_size:
                raise SettingsError(
                    f"There are {self._local_size} processes on this machine, and {cards} of its "
                    f"cards can be used. Start {cards}, or use --device cpu."
                )
            return f"cuda:{self._local_rank}"
        if name != "cpu":
            raise SettingsError(
                f"Several processes cannot share a picture on '{name}'. Use --device cpu or cuda: "
                "each process takes a card of its own."
            )
        return name

    def end(self) -> None:
        """Part from the others."""
        self._heartbeat.end()
        dist.destroy_process_group()

    def _next(self) -> int:
        return self._store.add("taken", 1) - 1

    def _done(self, begin: Callable[[], Any]) -> None:
        """Wait until an exchange is done, as long as all the others are alive."""
        pause = _SHORTEST
        try:
            work: _Work = begin()
            while not work.is_completed():
                if self._heartbeat.lost:
                    raise _lost(self._heartbeat.lost)
                time.sleep(pause)  # signals are heard in between
                pause = min(_LONGEST, 1.5 * pause)
            work.wait()
        except RuntimeError as error:  # so are the errors of connections
            if is_out_of_memory(error):
                raise
            raise _lost(_reason(error)) from error


@contextmanager
def joined() -> Iterator[Processes]:
    """The processes that were started with this one, as torchrun says it in the environment.

    Raises:
        ProcessLost: they do not all come.
    """
    size, local_size = size_in(os.environ), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    if size == local_size:
        _stay_on_this_machine()
    try:
        # Two connections: one that is waiting must not keep the heartbeat from being heard.
        store, rank, _ = next(iter(rendezvous("env://", timeout=_MEETING)))
        alive, *_ = next(iter(rendezvous("env://", timeout=_MEETING)))
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(
            backend,
            store=PrefixStore("group", store),
            rank=rank,
            world_size=size,
            timeout=_FOREVER,
        )
    except RuntimeError as error:
        raise _lost(f"they did not meet: {_reason(error)}") from error
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    if local_rank < torch.cuda.device_count():
        torch.cuda.set_device(local_rank)
    group = Group(
        PrefixStore("nst", store),
        Heartbeat(PrefixStore("alive", alive), rank, size),
        rank,
        size,
        local_rank=local_rank,
        local_size=local_size,
    )
    yield group
    group.end()  # not after an error: it might wait for the others


def _stay_on_this_machine() -> None:
    """Exchange over the loopback: the machine's name may lead nowhere, and nobody else need see."""
    loopback = [name for _, name in socket.if_nameindex() if name.startswith("lo")]
    if loopback:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback[0])


def _reason(error: RuntimeError) -> str:
    """The first sentence of an error, without the place in PyTorch's source before it."""
    return re.sub(r"^\[[^]]*\] ", "", str(error)).splitlines()[0].split(". ")[0]


def _lost(reason: str) -> ProcessLost:
    return ProcessLost(f"Another process of this run was lost ({reason}).")
