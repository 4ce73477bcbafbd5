"""Starting the page for oneself or for others."""

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware

from ..errors import SettingsError
from ..optional import imported
from ..settings import ServingSettings
from .connections import guard
from .network import Network
from .routes import Routes

_LOG = logging.getLogger("nst_core")
# Seconds between clearings of files while nobody asks for anything.
_TIDIED = 600.0
# Visitors whose tabs Gradio remembers, for each who may wait.
_SESSIONS = 8
STYLE_SHEET = Path(__file__).with_name("page.css")


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for everything that Gradio writes, gone with the page.

    Gradio's usual one is shared by all its programs on a machine, and outlives them. Where they
    are to be, GRADIO_TEMP_DIR says as it does to Gradio.
    """
    folder = _new_folder(os.environ.get("GRADIO_TEMP_DIR") or None)
    ours = {
        "GRADIO_TEMP_DIR": str(folder),
        "GRADIO_EXAMPLES_CACHE": str(folder / "examples"),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield folder
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(folder, ignore_errors=True)


def _new_folder(parent: str | None) -> Path:
    try:
        if parent:
            Path(parent).mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="nst-page-", dir=parent)).resolve()
    except OSError as error:
        raise SettingsError(
            f"There is no place for temporary files: {error}. Set "
            f"{'GRADIO_TEMP_DIR' if parent else 'TMPDIR'} to a folder that can be written."
        ) from error


def _there(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder.resolve()
    except OSError as error:
        raise SettingsError(
            f"Checkpoints cannot be kept in '{folder}': {error}. Name a folder that can be written."
        ) from error


@contextmanager
def _repeated(work: Callable[[], None], seconds: float) -> Iterator[None]:
    """Does something again and again meanwhile."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(seconds):
            work()

    thread = threading.Thread(target=repeat, name="nst-tidy", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def launch_options(
    limits: ServingSettings, closed: Path, uploaded: Callable[[], None]
) -> dict[str, Any]:
    """How the page is served.

    Args:
        limits: of the page.
        closed: a folder of which no file is served.
        uploaded: called after each upload.
    """
    from .look import theme

    routes = Middleware(Routes, megabytes=limits.max_upload, uploaded=uploaded)
    return {
        "theme": theme(),
        "css_paths": STYLE_SHEET,
        "max_file_size": f"{limits.max_upload}mb",
        # A traceback is ours to read, in the terminal.
        "show_error": False,
        "footer_links": ["api"],
        "app_kwargs": {"middleware": [routes]},
        # Half a megabyte is kept of each, and a program is another with each call.
        "state_session_capacity": _SESSIONS * limits.max_waiting,
        "blocked_paths": [str(closed)],
        # Each is one more route or record that this page has no use for.
        "run_history": False,
        "enable_monitoring": False,
        "mcp_server": False,
        "ssr_mode": False,
    }


def serve(
    *,
    weights: str,
    limits: ServingSettings,
    host: str = "127.0.0.1",
    port: int | None = None,
    root_path: str = "",
    share: bool = False,
    auth: tuple[str, str] | None = None,
    checkpoints: Path | None = None,
    on_message: Callable[[str], None] = _LOG.info,
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        weights, limits: as `load_vgg16` takes them, and what a visitor may ask for.
        host, port: where to listen; 0.0.0.0 is every address, None the first free port from 7860.
        root_path: under which a proxy serves the page, such as /paint; "" is its root.
        on_message: told which weights are in use.
        share: also get a public link that lasts some days, through Gradio's servers.
        auth: name and password that a visitor must give; None lets everybody in.
        checkpoints: folder of runs that were cut off, which outlives the page; None is one in the
            page's own folder.
    """
    # What stops a service; raised here, it lets the folder be cleared as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with own_folder() as folder:
        # Gradio reads where its folder is when it is imported.
        imported("gradio", "'nst-gram[page]'")
        from .app import build
        from .pictures import Samples
        from .runs import CHECKPOINTS, Runs

        network = Network(weights)
        for message in network.messages or [f"Weights: {network.vgg.source}."]:
            on_message(message)
        kept = _there(checkpoints or folder / CHECKPOINTS)
        runs = Runs(network, Samples(folder), limits, folder, kept)
        page = build(network, runs)
        where = {"server_name": host, "server_port": port, "root_path": root_path}
        options = {**where, **launch_options(limits, kept, runs.tidy), "share": share, "auth": auth}
        with _repeated(runs.tidy, _TIDIED):
            try:
                _listen(page, options, limits.max_waiting)
            finally:
                page.close()
                runs.close()


def _listen(page: Any, options: Mapping[str, Any], most: int) -> None:
    """Until Ctrl-C."""
    try:
        page.launch(prevent_thread_lock=True, **options)
    except OSError as error:
        # Gradio's words for a port that is taken: it has looked at all it may take.
        raise SettingsError(f"The page cannot listen there: {error}") from error
    guard(page.server, most)
    page.block_thread()
