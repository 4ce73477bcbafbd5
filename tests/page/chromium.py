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


def context_of(browser: Any) -> Any:
    """A browser that nobody has used: what a visitor is known by, and all that was fetched."""
    return browser.new_context(permissions=["clipboard-read", "clipboard-write", "camera"])


def visited(
    context: Any, url: str, *, width: int = 1280, height: int = 900, theme: str = "light"
) -> Any:
    """The page as a visitor with this context sees it, once it can be used."""
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)
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


def wait_for_status(page: Any, words: str, name: str = "status") -> None:
    """Until the status says so."""
    page.wait_for_function(
        "([name, words]) => document.getElementById(name).innerText.includes(words)",
        arg=[name, words],
    )


def open_panel(page: Any, name: str) -> None:
    """Unfold what is folded away."""
    page.locator(f"#{name} button").first.click()


def paint(page: Any, name: str, color: str, *points: tuple[float, float]) -> None:
    """A stroke with the widest brush over a canvas, through points in shares of its sides."""
    page.locator(f"#{name} [data-color='{color}']").click()
    page.locator(f"#{name} input[type=range]").fill("30")
    canvas = page.locator(f"#{name} canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for number, (right, down) in enumerate(points):
        page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"])
        if number == 0:
            page.mouse.down()
    page.mouse.up()


def wait_for_color(page: Any, name: str, right: float, down: float, color: list[int]) -> None:
    """Until this is painted there on a canvas: red, green, blue and opacity."""
    page.wait_for_function(
        """([name, right, down, color]) => {
          const canvas = document.querySelector(`#${name} canvas`);
          const pixel = [right * canvas.width, down * canvas.height].map(Math.floor);
          const found = canvas.getContext("2d").getImageData(...pixel, 1, 1).data;
          return color.every((value, channel) => value === found[channel]);
        }""",
        arg=[name, right, down, color],
    )
