"""Headless Chromium on the page that `nst page` serves."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "page"))  # chromium

from chromium import CHROMIUM, opened, visited  # noqa: E402

MISSING = [
    name
    for name, there in (
        ("gradio", importlib.util.find_spec("gradio")),
        ("playwright", importlib.util.find_spec("playwright")),
        ("Chromium (or CHROMIUM, its path)", CHROMIUM),
    )
    if not there
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason=f"the page in a browser needs {' and '.join(MISSING)}")
    for item in items:
        if HERE in item.path.parents and MISSING:
            item.add_marker(skip)


# Not for the session: while playwright is open, no other test can run an event loop of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened() as browser:
        yield browser


@pytest.fixture
def visit(browser: Any, server: Any) -> Iterator[Any]:
    """`visit()`: the page as a new visitor sees it, once it can be used."""
    contexts = []

    def visitor(width: int = 1280, height: int = 900, theme: str = "light") -> Any:
        page = visited(browser, server.url, width=width, height=height, theme=theme)
        contexts.append(page.context)
        return page

    yield visitor
    for context in contexts:
        context.close()
