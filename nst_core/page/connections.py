"""Connections that say nothing or read nothing are closed, so that they take no room from others.

The server (uvicorn) itself waits forever for the head of a request and for a reader. How slowly the
rest of a request may come is measured where it is counted, in routes.py.
"""

import asyncio
from typing import Any

# Seconds in which the head of a request must be complete, and in which a reader must take some tens
# of kilobytes that wait for it.
HEAD, READING = 20.0, 60.0
# Connections that have not asked for anything yet: beyond these, the oldest goes.
_WAITING = 200
# Connections in all, for each visitor who may wait, and beside those.
_FOR_EACH, _OTHERS = 10, 200


def guard(server: Any, max_waiting: int) -> None:
    """Guard the connections that a server takes from now on.

    Args:
        server: uvicorn's, at work.
        max_waiting: visitors whose runs may wait or work at once. With as many connections as they
            may need, others are answered 503.
    """
    base = server.config.http_protocol_class
    server.config.http_protocol_class = type("Guarded", (_Guarded, base), {"waiting": {}})
    server.config.limit_concurrency = _OTHERS + _FOR_EACH * max_waiting


class _Guarded:
    """What is put before uvicorn's protocol of either kind."""

    waiting: "dict[_Guarded, asyncio.TimerHandle]"
    transport: Any
    loop: asyncio.AbstractEventLoop
    cycle: Any
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)  # type: ignore[misc]
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)  # type: ignore[misc]
        self._expect()

    def on_response_complete(self) -> None:
        super().on_response_complete()  # type: ignore[misc]
        self._expect()

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc]
        self._reading = self.loop.call_later(READING, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()  # type: ignore[misc]
        self._read()

    def connection_lost(self, error: Exception | None) -> None:
        self._read()
        self._asked()
        super().connection_lost(error)  # type: ignore[misc]

    def _expect(self) -> None:
        """The clock for the next request runs unless one is being answered."""
        if self.transport.is_closing() or (self.cycle and not self.cycle.response_complete):
            self._asked()
        elif self not in self.waiting:
            self.waiting[self] = self.loop.call_later(HEAD, self.transport.abort)
            if len(self.waiting) > _WAITING:
                oldest = next(iter(self.waiting))
                oldest._asked()
                oldest.transport.abort()

    def _asked(self) -> None:
        clock = self.waiting.pop(self, None)
        if clock:
            clock.cancel()

    def _read(self) -> None:
        if self._reading:
            self._reading.cancel()
        self._reading = None
