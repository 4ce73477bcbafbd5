"""The README's pictures of the page: at work on a phone in the dark, done, and its regions."""

import io
import sys
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from job import GIVEN, Job, Networks
from PIL import Image

from nst_core.files.samples import CONTENTS, STYLES

sys.path.append(str(Path(__file__).parents[1] / "tests/page"))

# Found by the line before.
from chromium import (
    CHROMIUM,
    context_of,
    open_panel,
    opened,
    paint,
    set_number,
    visited,
    wait_for_status,
)
from page_server import running

__all__ = ["CHROMIUM", "NETWORKS", "make"]

WIDE, PHONE = (1440, 900), (390, 844)
SIZE, STEPS = 384, 100
AT_WORK, DONE, REGIONS = (
    f"docs/images/page-{name}.jpg" for name in ("phone", "desktop", "regions")
)
NETWORKS: Networks = dict.fromkeys((AT_WORK, DONE, REGIONS), (GIVEN,))


def shot(seen: Any) -> Image.Image:
    """What is seen now of a page, or of an element."""
    return Image.open(io.BytesIO(seen.screenshot())).convert("RGB")


def paint_regions(page: Any) -> None:
    """The sky in one style, and the water in another."""
    open_panel(page, "regions")
    page.wait_for_selector("#map .nst-stage:not([hidden])")
    paint(page, "map", "red", (0.02, 0.1), (0.6, 0.12), (0.98, 0.2), (0.6, 0.3))
    paint(page, "map", "blue", (0.02, 0.9), (0.98, 0.9), (0.98, 0.75), (0.02, 0.75))


def start(page: Any, content: str, style: str, job: Job) -> None:
    """Run two samples."""
    for name, chosen, names in (("content", content, CONTENTS), ("style", style, STYLES)):
        page.locator(f"#{name}_samples button").nth(list(names).index(chosen)).click()
        page.wait_for_selector(f"#{name} img[src*='{chosen}']")
    set_number(page, "size", job.size(SIZE))
    set_number(page, "steps", job.steps(STEPS))
    page.click("#run")
    page.wait_for_selector("#live img[alt='The picture so far']")


def at_work(phone: Any, job: Job) -> Image.Image:
    """A third of the way."""
    start(phone, "portrait", "stained_glass", job)
    phone.wait_for_function(
        "steps => parseInt(document.querySelector('#status dd').innerText) >= steps / 3",
        arg=job.steps(STEPS),
    )
    phone.wait_for_timeout(500)
    return shot(phone)


def done(wide: Any, job: Job) -> Image.Image:
    """Before and after."""
    start(wide, "harbor", "brushstrokes", job)
    wait_for_status(wide, "Done")
    wide.wait_for_function("document.querySelectorAll('#slider img').length === 2")
    wide.evaluate("scrollTo(0, 0)")
    wide.wait_for_timeout(500)  # toasts and slides end
    return shot(wide)


def make(job: Job, paths: Collection[str]) -> Iterator[tuple[str, Image.Image]]:
    """Each of these with its picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), "--weights", job.weights) as server,
        opened() as browser,
    ):
        phone, wide = (
            visited(context_of(browser), server.url, width=width, height=height, theme=theme)
            for (width, height), theme in ((PHONE, "dark"), (WIDE, "light"))
        )
        phone.set_default_timeout(600_000)
        wide.set_default_timeout(600_000)
        if AT_WORK in paths:
            yield AT_WORK, at_work(phone, job)
        phone.context.close()
        if DONE in paths:
            yield DONE, done(wide, job)
        if REGIONS in paths:
            paint_regions(wide)
            yield REGIONS, shot(wide.locator("#regions"))
