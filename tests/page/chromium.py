"""Debian's Chromium, headless, driven by playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    # Nothing but loopback is ever looked up: Gradio's page asks for a script of a CDN.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # A camera that shows a moving test picture, and nobody who would have to allow it.
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
]


@contextmanager
def opened() -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def visited(browser: Any, url: str, *, width: int, height: int, theme: str) -> Any:
    """The page as a new visitor sees it, once it can be used."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        permissions=["clipboard-read", "clipboard-write", "camera"],
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(url)
    page.wait_for_selector("#content_samples img")
    page.wait_for_selector("#content img")
    return page


def set_number(page: Any, name: str, value: float) -> None:
    """Type a number beside a slider."""
    box = page.locator(f"#{name} input[type=number]")
    box.fill(str(value))
    box.press("Tab")


def wait_for_status(page: Any, words: str) -> None:
    """Until the status says so."""
    page.wait_for_function(
        "words => document.querySelector('#status').innerText.includes(words)", arg=words
    )
