"""Headless Chromium on the page that `nst page` serves."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "page"))  # chromium

from chromium import CHROMIUM, context_of, opened, visited  # noqa: E402

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


@pytest.fixture(scope="module")
def used(browser: Any) -> Iterator[Any]:
    """A context that has fetched the page's scripts already: the page is there in half the time."""
    context = context_of(browser)
    yield context
    context.close()


@pytest.fixture
def visit(browser: Any, used: Any, server: Any) -> Iterator[Any]:
    """`visit()`: the page as a new visitor sees it, once it can be used."""
    contexts: list[Any] = []

    def visitor(**seen: Any) -> Any:
        contexts.append(context_of(browser) if contexts else used)
        return visited(contexts[-1], server.url, **seen)

    yield visitor
    for context in contexts[1:]:
        context.close()
    for page in used.pages:
        page.close()
    used.clear_cookies()
