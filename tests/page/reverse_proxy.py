"""A proxy that serves a page under a path, as nginx does, and can lose its connections."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# What is about one connection and not about what it carries.
_OF_CONNECTION = {"connection", "transfer-encoding", "keep-alive"}


class Proxy(ThreadingHTTPServer):
    """Hands on what is under `path` to `target`, without `path`."""

    daemon_threads = True

    def __init__(self, target: str, path: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target, self.path, self.lost = urlsplit(target).netloc, path, threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}{path}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Browsers and tests close connections when they like."""


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        path = self.server.path
        if self.server.lost.is_set() or not self.path.startswith(f"{path}/"):
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        behind = http.client.HTTPConnection(self.server.target, timeout=60)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _OF_CONNECTION}
            behind.request(self.command, self.path.removeprefix(path), body, headers)
            self._hand_back(behind.getresponse())
        finally:
            behind.close()

    do_POST = do_HEAD = do_GET

    def _hand_back(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_CONNECTION:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while (some := answer.read1(65536)) and not self.server.lost.is_set():
            self.wfile.write(some)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal."""


@contextmanager
def behind_proxy(target: str, path: str) -> Iterator[Proxy]:
    """A proxy in front of a server."""
    with Proxy(target, path) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            with suppress(OSError):
                proxy.shutdown()
            thread.join()
