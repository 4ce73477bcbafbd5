"""Make the README's pictures of the page: at work on a phone in the dark, done, and its regions.

python scripts/make_screenshots.py [nst page options, such as --weights keras]
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/page")]

# Found by the line before.
from chromium import open_panel, opened, paint, set_number, visited, wait_for_status  # noqa: E402
from page_server import running  # noqa: E402

from nst_core.samples import CONTENTS, STYLES  # noqa: E402

WIDE, PHONE = (1440, 900), (390, 844)
SIZE, STEPS = 384, 100
QUALITY = 88


def keep(seen: Any, name: str) -> None:
    """What is seen now of a page, or of an element, in docs/images."""
    with Image.open(io.BytesIO(seen.screenshot())) as shot:
        shot.convert("RGB").save(ROOT / "docs/images" / name, quality=QUALITY)


def regions(page: Any) -> None:
    """The sky in one style, and the water in another."""
    open_panel(page, "regions")
    page.wait_for_selector("#map .nst-stage:not([hidden])")
    paint(page, "map", "red", (0.02, 0.1), (0.6, 0.12), (0.98, 0.2), (0.6, 0.3))
    paint(page, "map", "blue", (0.02, 0.9), (0.98, 0.9), (0.98, 0.75), (0.02, 0.75))
    keep(page.locator("#regions"), "page-regions.jpg")


def start(page: Any, content: str, style: str) -> None:
    """Run two samples."""
    for name, chosen, names in (("content", content, CONTENTS), ("style", style, STYLES)):
        page.locator(f"#{name}_samples button").nth(list(names).index(chosen)).click()
        page.wait_for_selector(f"#{name} img[src*='{chosen}']")
    set_number(page, "size", SIZE)
    set_number(page, "steps", STEPS)
    page.click("#run")
    page.wait_for_selector("#live img[alt='The picture so far']")


def main() -> None:
    """Make all of them."""
    options = sys.argv[1:] or ["--weights", "builtin"]
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), *options) as server,
        opened() as browser,
    ):
        phone, wide = (
            visited(browser, server.url, width=width, height=height, theme=theme)
            for (width, height), theme in ((PHONE, "dark"), (WIDE, "light"))
        )
        phone.set_default_timeout(600_000)
        wide.set_default_timeout(600_000)
        start(phone, "portrait", "stained_glass")
        phone.wait_for_function(
            "steps => parseInt(document.querySelector('#status dd').innerText) >= steps / 3",
            arg=STEPS,
        )
        phone.wait_for_timeout(500)
        keep(phone, "page-phone.jpg")
        phone.context.close()
        start(wide, "harbor", "brushstrokes")
        wait_for_status(wide, "Done")
        wide.wait_for_function("document.querySelectorAll('#slider img').length === 2")
        wide.evaluate("scrollTo(0, 0)")
        wide.wait_for_timeout(500)  # toasts and slides end
        keep(wide, "page-desktop.jpg")
        regions(wide)


if __name__ == "__main__":
    main()
