"""A real host for the tests here: COMFYUI_PATH is its checkout, COMFYUI_PYTHON its Python."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "nodes"))  # the stand-in, to be compared with the real thing

CHECKOUT = os.environ.get("COMFYUI_PATH")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="COMFYUI_PATH names no ComfyUI checkout")
    for item in items:
        if HERE in item.path.parents and not CHECKOUT:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def comfy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from real_host import Comfy

    python = os.environ.get("COMFYUI_PYTHON", sys.executable)
    base = tmp_path_factory.mktemp("comfy") / "base"
    host = Comfy(Path(CHECKOUT or "").expanduser(), python, base, extra=HERE / "probe")
    yield host
    host.stop()


# Not for the session: while playwright is open, no other test can run an event loop of its own.
@pytest.fixture(scope="module")
def page(comfy: Any) -> Iterator[Any]:
    pytest.importorskip("playwright", reason="the page needs playwright and Chromium")
    from real_host import CHROMIUM, opened

    if not CHROMIUM:
        pytest.skip("the page needs Chromium; CHROMIUM may name it")
    with opened(comfy) as page:
        yield page
