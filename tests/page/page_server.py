"""The page as `nst page` serves it, in a process of its own on loopback."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What tests ask for is small, and larger is refused.
MAX_SIZE, MAX_STEPS, MAX_UPLOAD, MAX_WAITING = 256, 400, 2, 8
SMALL = (
    *("--weights", "builtin", "--max-size", str(MAX_SIZE), "--max-steps", str(MAX_STEPS)),
    *("--max-megapixels", "4", "--max-upload", str(MAX_UPLOAD), "--max-waiting", str(MAX_WAITING)),
)


@dataclass(frozen=True)
class Server:
    """A running page."""

    url: str
    process: "subprocess.Popen[bytes]"
    folder: Path

    def memory(self) -> int:
        """Bytes that the process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def log(self) -> str:
        """What it has said on its terminal."""
        return (self.folder / "log").read_text()


def folder_of(server: Server) -> Path:
    """The page's own temporary folder."""
    return next(path for path in server.folder.iterdir() if path.name.startswith("nst-page-"))


@contextmanager
def running(folder: Path, *options: str, **environment: str) -> Iterator[Server]:
    """`nst page` with these options; temporary files go into `folder`."""
    port = _free_port()
    command = [sys.executable, "-m", "nst_core", "page", *options]
    own = {"TMPDIR": str(folder), "GRADIO_SERVER_PORT": str(port)}
    environment = {**os.environ, **own, **environment}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        server = Server(f"http://127.0.0.1:{port}", process, folder)
        try:
            _wait_for(server)
            yield server
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(server: Server) -> None:
    """Until the server answers; a connection that is refused is tried again."""
    while True:
        try:
            urllib.request.urlopen(server.url, timeout=60).close()
        except OSError:
            # Trying without a pause would take the core that the page starts with.
            with suppress(subprocess.TimeoutExpired):
                server.process.wait(0.2)
                raise RuntimeError(f"The page did not start:\n{server.log()}") from None
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
