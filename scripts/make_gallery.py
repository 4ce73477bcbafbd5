"""Make the pictures of the README's section on control, in docs/images, by the command line.

python scripts/make_gallery.py [name ...]
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path

from PIL import Image, ImageDraw
from strip import side_by_side

ROOT = Path(__file__).parents[1]
HEIGHT, QUALITY = 192, 86
# What all have in common: a size that shows on a page, and steps that two cores have done in a
# minute or two.
RUN = ("--size", "256", "--steps", "60", "--weights", "builtin", "--quiet")

# Of each strip, from left to right, the words after `nst` that make its pictures. map.png is drawn
# before.
GALLERY: Mapping[str, tuple[str, ...]] = {
    "regions": (
        "map.png",
        "stylize sample:harbor red=sample:brushstrokes blue=sample:waves --regions map.png",
    ),
    "shares": tuple(
        f"stylize sample:landscape sample:waves sample:marbling --style-shares {shares}"
        for shares in ("1,0", "1,1", "0,1")
    ),
    "layers": tuple(
        f"stylize sample:portrait sample:mosaic --style-layers {layers}"
        for layers in ("low", "high")
    ),
    "statistics": tuple(
        f"stylize sample:harbor sample:mosaic --statistics {statistics}"
        for statistics in ("gram", "gaussian", "sliced-wasserstein", "gram+histogram")
    ),
    "strokes": tuple(
        f"stylize sample:portrait sample:brushstrokes --style-scale {scale}"
        for scale in ("0.5", "1", "2")
    ),
    "colors": tuple(
        f"stylize sample:landscape sample:stained_glass --colors {colors}"
        for colors in ("style", "luminance", "histogram")
    ),
    "detail": tuple(
        f"stylize sample:portrait sample:ink --laplacian-weight {weight}"
        for weight in ("0", "1000")
    ),
    "weights": tuple(
        f"stylize sample:harbor sample:brushstrokes --init gray --weights {weights}"
        for weights in ("untrained", "builtin")
    ),
    "texture": ("texture sample:brushstrokes --aspect 1 --seamless",),
    "reconstruct": tuple(
        f"reconstruct sample:harbor --content-layers {layer} --pooling average --tv-weight 10"
        for layer in ("relu2_1", "relu3_1", "relu4_2")
    ),
}


def drawn(folder: Path) -> None:
    """A map of the harbor: red sky, blue water, and the houses nobody's."""
    map_ = Image.new("RGB", (400, 300), "red")
    pen = ImageDraw.Draw(map_)
    pen.polygon([(0, 50), (95, 50), (115, 85), (205, 90), (215, 168), (0, 168)], fill="white")
    pen.rectangle((0, 168, 400, 300), fill="blue")
    map_.save(folder / "map.png")


def made(words: str, folder: Path) -> Image.Image:
    """What `nst` makes of the words; a file that is there is a picture already."""
    if (folder / words).exists():
        return Image.open(folder / words).convert("RGB")
    output = folder / "out.png"
    verb, *rest = words.split()
    command = [sys.executable, "-m", "nst_core", verb, *RUN, *rest, "-o", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return Image.open(output).convert("RGB")


def four_of(tile: Image.Image) -> Image.Image:
    """Tiles side by side and below each other, which shows that there is no seam."""
    four = Image.new("RGB", (2 * tile.width, 2 * tile.height))
    for corner in product((0, tile.width), (0, tile.height)):
        four.paste(tile, corner)
    return four


def main() -> None:
    """Make those that were named, or all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn(folder)
        for strip in sys.argv[1:] or GALLERY:
            pictures = [made(words, folder) for words in GALLERY[strip]]
            if strip == "texture":
                pictures.append(four_of(pictures[0]))
            path = ROOT / "docs/images" / f"control-{strip}.jpg"
            side_by_side(pictures, HEIGHT).save(path, quality=QUALITY)
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
