"""What the page costs those who use it: the first preview, visitors at once, memory afterwards.

    python benchmarks/page.py [--visitors 8] [--size 512] [--steps 10] [nst page options]

Starts `nst page` and asks it as people and programs do: the preview in headless Chromium, at the
page's default size; the visitors with gradio_client, twice, each with a picture of its own color
that a style strength of 0 must give back.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gradio_client import Client, handle_file
from PIL import Image, ImageColor

sys.path.append(str(Path(__file__).parents[1] / "tests/page"))

# Found by the line before.
from chromium import CHROMIUM, opened, visited
from page_server import Server, running

COLORS = ("red", "lime", "blue", "cyan", "magenta", "yellow", "black", "white")
# Seconds from the click on Run to the first picture that an evaluation has made.
PREVIEW = """() => new Promise(resolve => {
  const began = performance.now();
  const look = () => {
    if (document.querySelector('#live img[alt="The picture so far"]'))
      resolve((performance.now() - began) / 1000);
    else requestAnimationFrame(look);
  };
  document.querySelector('#run').click();
  look();
})"""


def first_previews(server: Server) -> None:
    """The first visitor after the start, and the second."""
    with opened() as browser:
        for name in ("first visitor", "second visitor"):
            page = visited(browser, server.url, width=1280, height=900, theme="light")
            print(f"first preview, {name}: {page.evaluate(PREVIEW):.2f} s", flush=True)
            page.click("#stop")
            page.wait_for_selector("#download:visible")
            page.context.close()


def served(server: Server, folder: Path, visitors: int, size: int, steps: int) -> int:
    """How many of so many visitors at once get their own picture back."""
    style = folder / "style.png"
    Image.new("RGB", (640, 480), "gray").save(style)

    def visit(number: int) -> bool:
        color = COLORS[number % len(COLORS)]
        content = folder / f"{number}-{color}.png"
        Image.new("RGB", (640, 480), color).save(content)
        client = Client(server.url, verbose=False, download_files=folder / str(number))
        result = client.predict(
            *(handle_file(content), handle_file(style)),
            **{"style_strength": 0, "size": size, "steps": steps, "api_name": "/stylize"},
        )
        client.close()
        with Image.open(result) as image:
            own = image.getpixel((size // 2, size // 3)) == ImageColor.getrgb(color)
            return own and f"{number}-{color}.png" in image.info["nst"]

    with ThreadPoolExecutor(visitors) as threads:
        return sum(threads.map(visit, range(visitors)))


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=10)
    arguments, options = parser.parse_known_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), *(options or ["--weights", "builtin"])) as server,
    ):
        start = server.memory()
        print(f"memory at the start: {start / 1e6:.0f} MB", flush=True)
        if CHROMIUM:
            first_previews(server)
        else:
            print("first preview: left out, there is no Chromium here")
        for time in ("once", "twice"):
            count = served(
                server, Path(folder), arguments.visitors, arguments.size, arguments.steps
            )
            grown = (server.memory() - start) / 1e6
            print(
                f"{count} of {arguments.visitors} visitors at once got their own picture, {time}; "
                f"memory {grown:+.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
