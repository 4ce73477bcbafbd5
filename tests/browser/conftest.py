"""Headless Chromium on the page that `nst page` serves."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "page"))  # page_server

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
# Nothing but loopback is ever looked up: Gradio's page asks for a script of a CDN.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
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


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from page_server import running

    with running(tmp_path_factory.mktemp("page")) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Any, server: Any) -> Iterator[Any]:
    """`visit()`: the page as a new visitor sees it, once it can be used."""
    contexts = []

    def visitor(width: int = 1280, height: int = 900, theme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(f"{server.url}/?__theme={theme}")
        page.wait_for_selector("#content_samples img")
        page.wait_for_selector("#content img")
        return page

    yield visitor
    for context in contexts:
        context.close()
