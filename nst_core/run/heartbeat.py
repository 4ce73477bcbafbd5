"""Signs of life between processes that share a picture, so that none waits forever for another."""

import os
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

# Seconds between two signs, and after how many that are missing a process is given up.
_PERIOD, _PATIENCE = 1.0, 15


class Store(Protocol):
    """What is used of PyTorch's stores."""

    def set(self, key: str, value: str) -> None:
        """Keep a value."""

    def get(self, key: str) -> bytes:
        """The value that was kept; waits for it."""

    def add(self, key: str, amount: int) -> int:
        """A counter after so much was added to it."""


class Heartbeat:
    """Tells that this process is alive, and knows which others are not: a thread of its own.

    Silence is counted in own beats and not by the clock, so that a process which was itself stopped
    for a while does not blame the others.

    Args:
        store: that all processes see; used by nobody else.
        rank, size: as of `Processes`.
    """

    def __init__(self, store: Store, rank: int, size: int) -> None:
        self._store, self._rank, self._size = store, rank, size
        self._seen, self._missing = [0] * size, [0] * size
        self._beats = 0
        self._lost: str | None = None
        self._over = threading.Event()
        store.set(f"place {rank}", f"{_place()} {os.getpid()}")
        store.add(_key(rank), 1)
        threading.Thread(target=self._beat, daemon=True, name="heartbeat").start()

    @property
    def lost(self) -> str | None:
        """Which process does not answer any more, in words; None while all do."""
        return self._lost

    def end(self) -> None:
        """No more signs."""
        self._over.set()

    def _beat(self) -> None:
        while not self._over.wait(_PERIOD):
            try:
                self._exchange()
            except RuntimeError:  # the store's errors are of this kind
                self._lost = "where the processes meet, nobody answers"
            if self._lost:
                return

    def _exchange(self) -> None:
        self._store.add(_key(self._rank), 1)
        for rank in range(self._size):
            count = self._store.add(_key(rank), 0)
            if count and self._seen[rank]:  # those that have not begun are waited for elsewhere
                self._missing[rank] = self._missing[rank] + 1 if count == self._seen[rank] else 0
            self._seen[rank] = count
            if self._missing[rank] >= _PATIENCE and rank != self._rank:
                self._lost = (
                    f"process {rank} has not answered for {_PATIENCE * _PERIOD:.0f} seconds"
                )
                self._end_process(rank)

    def _end_process(self, rank: int) -> None:
        """End one that hangs, if our parent started it too: it would be waited for."""
        place, pid = self._store.get(f"place {rank}").decode().rsplit(" ", 1)
        if place == _place() and "unknown" not in place and int(pid) != os.getpid():
            with suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)


def _key(rank: int) -> str:
    return f"beats {rank}"


def _place() -> str:
    """Where process numbers mean the same, and whose child this is."""
    try:
        numbers = os.readlink("/proc/self/ns/pid")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        numbers = boot = "unknown"
    return f"{socket.gethostname()} {boot} {numbers} {os.getppid()}"
