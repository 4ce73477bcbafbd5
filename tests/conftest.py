"""Fixtures of all tests: two small networks, and a home that is empty."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from small import seeded_vgg

from nst_core.gatys.vgg import VGG16

# The tests' pictures are so small that a second thread costs more than it brings.
torch.set_num_threads(1)


# Files that take longest: they begin first, the rest in the order of names.
LONGEST = (
    *("browser/test_browser.py", "test_processes.py", "page/test_serving.py"),
    *("test_benchmarks.py", "test_objective.py", "page/test_clips_on_page.py"),
    *("browser/test_behind_proxy.py", "test_optimizer.py", "test_wiring.py"),
    *("cli/test_video_command.py", "browser/test_continue.py", "test_vgg.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))


@pytest.fixture(scope="session")
def vgg() -> VGG16:
    return seeded_vgg()


@pytest.fixture(scope="session")
def vgg64() -> VGG16:
    return seeded_vgg(torch.float64)


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or leaves a file in the home of whoever runs it."""
    for name in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "NST_CACHE", "TORCH_HOME", "KERAS_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page, served once for tests/page and tests/browser."""
    sys.path.append(str(Path(__file__).parent / "page"))
    from page_server import SMALL, running

    with running(tmp_path_factory.mktemp("page"), *SMALL, OMP_NUM_THREADS="1") as server:
        yield server
