"""A real ComfyUI, started in a folder of its own, and its page in Chromium."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

PACK = Path(__file__).parents[2]
NAME = "nst-gram"
PREVIEW = 4  # the kind of a binary message that carries a preview
ENDS = ("execution_success", "execution_error", "execution_interrupted")
CHROMIUM = os.environ.get("CHROMIUM", shutil.which("chromium") or shutil.which("google-chrome"))
# As root, without a screen and without a network.
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Comfy:
    """A host that is running. Its checkout is not written to.

    Args:
        checkout: folder of ComfyUI.
        python: its interpreter.
        base: an empty folder for its models, inputs and outputs.
        extra: a folder with one more pack.
    """

    def __init__(self, checkout: Path, python: str, base: Path, extra: Path | None = None) -> None:
        for name in ("custom_nodes", "input", "models/vgg", "user/default"):
            (base / name).mkdir(parents=True)
        (base / "custom_nodes" / NAME).symlink_to(PACK)
        if extra:
            (base / "custom_nodes" / extra.name).symlink_to(extra)
        # Else the page begins with a dialog.
        settings = base / "user/default/comfy.settings.json"
        settings.write_text('{"Comfy.TutorialCompleted": true}')
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base, self.url = base, f"http://127.0.0.1:{port}"
        self._log = (base / "log").open("w")
        command = [python, "main.py", "--cpu", "--port", str(port), "--base-directory", str(base)]
        command += ["--database-url", "sqlite:///:memory:", "--disable-api-nodes"]
        self.process = subprocess.Popen(
            command, cwd=checkout, stdout=self._log, stderr=subprocess.STDOUT, env=_environment()
        )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        for _ in range(720):
            time.sleep(0.25)
            if self.process.poll() is not None:
                break
            try:
                self.version = self.call("/system_stats")["system"]["comfyui_version"]
            except (URLError, ConnectionError):
                continue
            return
        self.stop()
        raise RuntimeError(f"The host did not start:\n{self.log()[-3000:]}")

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()

    def log(self) -> str:
        """All it has said."""
        return (self.base / "log").read_text(errors="replace")

    def call(self, path: str, post: Any = None) -> Any:
        """What it answers to a request, from JSON."""
        data = None if post is None else json.dumps(post).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"}
        )
        with _OPENER.open(request, timeout=60) as answer:
            body = answer.read()
        return json.loads(body) if body.startswith((b"{", b"[")) else body

    def submit(self, prompt: dict[str, Any], client: str | None = None) -> str:
        """Start a prompt, for a client or for all; returns its id.

        ValueError has what the host refuses it for.
        """
        post = {"prompt": prompt} | ({"client_id": client} if client else {})
        try:
            return str(self.call("/prompt", post)["prompt_id"])
        except HTTPError as error:
            raise ValueError(error.read().decode()) from error

    def wait(self, prompt_id: str, seconds: float = 600) -> "Ended":
        """How a prompt ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if entry := self.call(f"/history/{prompt_id}").get(prompt_id):
                return Ended(entry)
            time.sleep(0.02)
        raise TimeoutError(f"Prompt {prompt_id} has not ended:\n{self.log()[-2000:]}")

    def run(self, prompt: dict[str, Any], client: str | None = None) -> "Ended":
        """Run a prompt that must succeed."""
        ended = self.wait(self.submit(prompt, client))
        assert ended.end == "execution_success", ended.error
        return ended

    def fail(self, prompt: dict[str, Any]) -> str:
        """Run a prompt that must not; returns what the page would show."""
        ended = self.wait(self.submit(prompt))
        assert ended.end == "execution_error"
        return ended.error

    def file(self, item: dict[str, str]) -> bytes:
        """The content of an output file."""
        query = "&".join(f"{key}={item[key]}" for key in ("filename", "subfolder", "type"))
        data = self.call(f"/view?{query}")
        assert isinstance(data, bytes)
        return data

    def memory(self) -> float:
        """Megabytes of its process that are in memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


class Ended:
    """A prompt that is over."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.messages = dict(entry["status"]["messages"])
        self.outputs: dict[str, Any] = entry["outputs"]
        self.end = next(end for end in ENDS if end in self.messages)

    @property
    def error(self) -> str:
        """What the page shows, if it failed."""
        return str(self.messages.get("execution_error", {}).get("exception_message", ""))

    @property
    def at(self) -> float:
        """When, by the clock of this machine."""
        return float(self.messages[self.end]["timestamp"]) / 1000

    @property
    def cached(self) -> set[str]:
        """Nodes whose result was still known."""
        return set(self.messages["execution_cached"]["nodes"])

    @property
    def seconds(self) -> float:
        """From start to end."""
        start = self.messages["execution_start"]["timestamp"]
        return float(self.messages[self.end]["timestamp"] - start) / 1000


@dataclass
class Page:
    """The host's page, open in Chromium."""

    host: Comfy
    page: Any
    errors: list[str] = field(default_factory=list)
    previews: list[float] = field(default_factory=list)

    def load(self, graph: dict[str, Any]) -> None:
        """Open a workflow."""
        self.page.evaluate("graph => app.loadGraphData(graph)", graph)
        self.page.wait_for_timeout(1500)

    def unknown_nodes(self) -> list[str]:
        """Types that would be red."""
        script = "() => app.graph.nodes.map(n => n.type).filter(t => !(t in {types}))"
        found = self.page.evaluate(script.replace("{types}", "LiteGraph.registered_node_types"))
        return list(found)

    def prompt(self) -> dict[str, Any]:
        """The workflow as the page sends it."""
        script = "async () => JSON.stringify((await app.graphToPrompt()).output)"
        return dict(json.loads(self.page.evaluate(script)))

    def press_run(self) -> str:
        """Press Run; returns the prompt's id."""
        with self.page.expect_response(lambda answer: answer.url.endswith("/prompt")) as answer:
            self.page.get_by_role("button", name="Run", exact=True).first.click()
        return str(answer.value.json()["prompt_id"])

    def wait(self, prompt_id: str, seconds: float = 600) -> Ended:
        """How a prompt ended, and let the page show it."""
        until = time.monotonic() + seconds
        while prompt_id not in self.host.call(f"/history/{prompt_id}"):
            assert time.monotonic() < until, self.host.log()[-2000:]
            self.page.wait_for_timeout(100)
        self.page.wait_for_timeout(1500)
        return self.host.wait(prompt_id)

    def wait_for_previews(self, count: int, seconds: float = 120) -> None:
        """Until so many more previews have come."""
        until, goal = time.monotonic() + seconds, len(self.previews) + count
        while len(self.previews) < goal:
            assert time.monotonic() < until, "no previews"
            self.page.wait_for_timeout(20)

    def text(self) -> str:
        """All that can be read on the page."""
        return str(self.page.inner_text("body"))


@contextmanager
def opened(host: Comfy) -> Iterator[Page]:
    """The host's page, ready."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1600, "height": 900})
        tab.set_default_timeout(180_000)  # a busy machine takes its time
        page = Page(host, tab)

        def frame(data: bytes | str) -> None:
            if isinstance(data, bytes) and data[3] == PREVIEW:
                page.previews.append(time.monotonic())

        tab.on("pageerror", lambda error: page.errors.append(str(error)))
        tab.on("websocket", lambda socket: socket.on("framereceived", frame))
        try:
            tab.goto(host.url)
            ready = "() => window.app?.extensionManager && app.graph"
            tab.wait_for_function(f"{ready} && LiteGraph.registered_node_types.LoadImage")
            tab.wait_for_timeout(1500)
            yield page
        finally:
            browser.close()


def _environment() -> dict[str, str]:
    """Without a network, as on an empty machine; the mirror that is no address fails at once."""
    own = {"PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_OFFLINE": "1", "NST_MIRROR": "none"}
    return {**os.environ, **own}


def prompt_of(**optimize: Any) -> dict[str, Any]:
    """A small run of L-BFGS Optimize as a prompt; nodes "result" and "report" show what came."""
    picture = {"class_type": "Probe_Picture", "inputs": {"kind": "gradient", "side": 64}}
    losses = {"normalization": "relative"}
    run = {"init": "content", "size": 64, "steps": 4, "scales": 1, "seed": 0}
    run |= {"precision": "float32", "preview_interval": 0.5}
    return {
        "content": picture,
        "style": {"class_type": "NST_SampleImage", "inputs": {"name": "waves", "size": 128}},
        "vgg": {
            "class_type": "NST_LoadVGG16",
            "inputs": {"weights": "builtin", "pooling": "max"},
        },
        "content_loss": {
            "class_type": "NST_ContentLoss",
            "inputs": losses
            | {"image": ["content", 0], "content_weight": 1.0, "content_layers": "relu4_2"},
        },
        "losses": {
            "class_type": "NST_StyleLoss",
            "inputs": losses
            | {"image": ["style", 0], "style_weight": 100.0, "style_layers": "all"}
            | {"losses": ["content_loss", 0]},
        },
        "run": {
            "class_type": "NST_LBFGSOptimize",
            "inputs": run | {"vgg": ["vgg", 0], "losses": ["losses", 0]} | optimize,
        },
        "result": {"class_type": "PreviewImage", "inputs": {"images": ["run", 0]}},
        "report": {"class_type": "PreviewAny", "inputs": {"source": ["run", 1]}},
    }
