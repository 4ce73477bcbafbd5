"""Clients of a host's websocket: those that watch, those that never read, those that vanish."""

import base64
import json
import os
import socket
import struct
import threading
import time
import uuid
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

TEXT, BINARY = 1, 2
# So that a client that does not read is noticed after kilobytes, not megabytes.
BUFFER = 4096


class Client:
    """A page that is connected. Its `id` goes with the prompts whose progress it shall get.

    Args:
        url: of the host.
        reads: whether it ever takes what is sent to it.
    """

    def __init__(self, url: str, *, reads: bool = True) -> None:
        self.id, self.seen = uuid.uuid4().hex, Counter[str]()
        self._socket = socket.socket()
        if not reads:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        address = urlsplit(url)
        self._socket.connect((address.hostname, address.port))
        self._shake_hands(address.netloc)
        if reads:
            threading.Thread(target=self._read, daemon=True).start()

    def _shake_hands(self, host: str) -> None:
        lines = [f"GET /ws?clientId={self.id} HTTP/1.1", f"Host: {host}", "Connection: Upgrade"]
        lines += ["Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self._exactly(1)
        assert answer.startswith(b"HTTP/1.1 101"), answer

    def _read(self) -> None:
        try:
            while True:
                kind, size = self._exactly(2)
                if size == 126:
                    (size,) = struct.unpack(">H", self._exactly(2))
                elif size == 127:
                    (size,) = struct.unpack(">Q", self._exactly(8))
                self._take(kind & 15, self._exactly(size))
        except OSError:
            return  # closed, by one side or the other

    def _take(self, kind: int, data: bytes) -> None:
        if kind == TEXT:
            self.seen[json.loads(data)["type"]] += 1
        elif kind == BINARY:
            self.seen[f"binary {struct.unpack('>I', data[:4])[0]}"] += 1

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise ConnectionError("The host has closed the connection.")
            data += part
        return data

    def wait_for(self, kind: str, seconds: float = 30) -> None:
        """Until one more message of that kind has come."""
        until, goal = time.monotonic() + seconds, self.seen[kind] + 1
        while self.seen[kind] < goal:
            assert time.monotonic() < until, f"no {kind}, only {dict(self.seen)}"
            time.sleep(0.01)

    def vanish(self) -> None:
        """As a machine that is switched off: no goodbye, and what was under way is lost."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.vanish()
