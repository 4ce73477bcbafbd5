"""Starting the page for oneself or for others."""

import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware

from ..errors import SettingsError
from ..settings import ServingSettings
from .network import Network
from .routes import Routes

_LOG = logging.getLogger("nst_core")
STYLE_SHEET = Path(__file__).with_name("page.css")


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for everything that Gradio writes, gone with the page.

    Gradio's usual one is shared by all its programs on a machine, and outlives them.
    """
    folder = Path(tempfile.mkdtemp(prefix="nst-page-"))
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


def launch_options(limits: ServingSettings) -> dict[str, Any]:
    """How the page is served, whoever starts it."""
    from .look import theme

    routes = Middleware(Routes, megabytes=limits.max_upload)
    return {
        "theme": theme(),
        "css_paths": STYLE_SHEET,
        "max_file_size": f"{limits.max_upload}mb",
        # A traceback is ours to read, in the terminal.
        "show_error": False,
        "footer_links": ["api"],
        "app_kwargs": {"middleware": [routes]},
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
    share: bool = False,
    on_message: Callable[[str], None] = _LOG.info,
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        weights: as `load_vgg16` takes them.
        limits: of what a visitor may ask for.
        host: address to listen at; 0.0.0.0 is every one of this machine.
        port: None takes the first free one from 7860 up.
        on_message: told which weights are in use.
        share: also get a public link that lasts some days, through Gradio's servers.
    """
    # What stops a service; raised here, it lets the folder be cleared as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with own_folder() as folder:
        from .app import build  # Gradio reads where its folder is when it is imported

        network = Network(weights)
        for message in network.messages or [f"Weights: {network.vgg.source}."]:
            on_message(message)
        page = build(network, limits, folder)
        options = launch_options(limits)
        try:
            page.launch(server_name=host, server_port=port, share=share, **options)
        except OSError as error:
            # Gradio's words for a port that is taken: it has looked at all it may take.
            raise SettingsError(f"The page cannot listen there: {error}") from error
        finally:
            page.close()
