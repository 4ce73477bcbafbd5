"""How often a password may be tried."""

import time
from collections import deque

# So many wrong ones from one address in so many seconds; then it waits.
TRIES, WITHIN = 10, 600.0
# Addresses that are remembered. Whoever has more has other ways too.
_ADDRESSES = 10_000


class Logins:
    """Wrong passwords of late, by the address that they came from."""

    def __init__(self) -> None:
        self._wrong: dict[str, deque[float]] = {}

    def wait(self, address: str) -> float:
        """Seconds until the address may try again; 0 is now."""
        wrong, now = self._wrong.get(address, deque()), time.monotonic()
        while wrong and wrong[0] < now - WITHIN:
            wrong.popleft()
        return wrong[0] + WITHIN - now if len(wrong) >= TRIES else 0.0

    def failed(self, address: str) -> None:
        """A wrong password came from this address."""
        self._wrong.setdefault(address, deque()).append(time.monotonic())
        if len(self._wrong) > _ADDRESSES:
            del self._wrong[next(iter(self._wrong))]
