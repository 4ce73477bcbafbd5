"""The README's pictures of results, by the command line."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from itertools import product
from pathlib import Path

from job import DRAFT_SIZE, DRAFT_STEPS, GIVEN, Job, Networks
from PIL import Image, ImageDraw
from strip import side_by_side

from nst_core import sample
from nst_core.files.pixels import to_pil

# Of strips: a size that shows on a page, and steps that two cores have done in a minute or two.
HEIGHT = 192
RUN = "--size 256 --steps 30"
# Of pictures that are shown alone.
SIDE = 384
ALONE = f"--size {SIDE} --steps 100"

# Of each picture, from left to right, the words after `nst` that make its parts, by the network
# given if they name none. map.png is drawn before.
GALLERY: Mapping[str, tuple[str, ...]] = {
    "first": ("stylize sample:harbor sample:brushstrokes --size 768 --steps 200",),
    **{name: (f"sample:{name}",) for name in ("harbor", "brushstrokes")},
    **{name: (f"sample:{name}",) for name in ("portrait", "stained_glass")},
    **{
        f"{content}-{style}{end}": (f"stylize sample:{content} sample:{style} {ALONE}{weights}",)
        for content, style in (("harbor", "brushstrokes"), ("portrait", "stained_glass"))
        for end, weights in (("", ""), ("-builtin", " --weights builtin"))
    },
    "control-regions": (
        "map.png",
        "stylize sample:harbor red=sample:brushstrokes blue=sample:waves --regions map.png",
    ),
    "control-shares": tuple(
        f"stylize sample:landscape sample:waves sample:marbling --style-shares {shares}"
        for shares in ("1,0", "1,1", "0,1")
    ),
    "control-layers": tuple(
        f"stylize sample:portrait sample:mosaic --style-layers {layers}"
        for layers in ("low", "high")
    ),
    "control-statistics": tuple(
        f"stylize sample:harbor sample:mosaic --statistics {statistics}"
        for statistics in ("gram", "gaussian", "sliced-wasserstein", "gram+histogram")
    ),
    "control-strokes": tuple(
        f"stylize sample:portrait sample:brushstrokes --style-scale {scale}"
        for scale in ("0.5", "1", "2")
    ),
    "control-colors": tuple(
        f"stylize sample:landscape sample:stained_glass --colors {colors}"
        for colors in ("style", "luminance", "histogram")
    ),
    "control-detail": tuple(
        f"stylize sample:portrait sample:ink --laplacian-weight {weight}"
        for weight in ("0", "1000")
    ),
    "control-weights": tuple(
        f"stylize sample:harbor sample:brushstrokes --init gray {weights}"
        for weights in ("--weights untrained", "--weights builtin", "")
    ),
    "control-texture": ("texture sample:brushstrokes --aspect 1 --seamless",),
    "control-reconstruct": tuple(
        f"reconstruct sample:harbor --content-layers {layer} --pooling average --tv-weight 10"
        for layer in ("relu2_1", "relu3_1", "relu4_2")
    ),
}


def path_of(name: str) -> str:
    """Where a picture lies in the project."""
    return f"docs/images/{name}.jpg"


def network_of(words: str) -> tuple[str, ...]:
    """Name of the network that has to do with these words, if any has."""
    if not words.startswith(("stylize", "texture", "reconstruct")):
        return ()
    named = re.search(r"--weights (\S+)", words)
    return (named[1] if named else GIVEN,)


NETWORKS: Networks = {
    path_of(name): tuple(network for words in parts for network in network_of(words))
    for name, parts in GALLERY.items()
}


def drawn(folder: Path) -> None:
    """A map of the harbor: red sky, blue water, and the houses nobody's."""
    map_ = Image.new("RGB", (400, 300), "red")
    pen = ImageDraw.Draw(map_)
    pen.polygon([(0, 50), (95, 50), (115, 85), (205, 90), (215, 168), (0, 168)], fill="white")
    pen.rectangle((0, 168, 400, 300), fill="blue")
    map_.save(folder / "map.png")


def made(words: str, folder: Path, job: Job) -> Image.Image:
    """A sample, a file that is there already, or what `nst` makes of the words."""
    if words.startswith("sample:"):
        return to_pil(sample(words.removeprefix("sample:"), SIDE))
    if (folder / words).exists():
        return Image.open(folder / words).convert("RGB")
    output = folder / "out.png"
    verb, *rest = words.split()
    # Of an option that is there twice, the last counts.
    run = [*f"{RUN} --weights {job.weights} --quiet".split(), *rest]
    if job.draft:
        run += f"--size {DRAFT_SIZE} --steps {DRAFT_STEPS}".split()
    command = [sys.executable, "-m", "nst_core", verb, *run, "-o", str(output)]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return Image.open(output).convert("RGB")


def four_of(tile: Image.Image) -> Image.Image:
    """Tiles side by side and below each other, which shows that there is no seam."""
    four = Image.new("RGB", (2 * tile.width, 2 * tile.height))
    for corner in product((0, tile.width), (0, tile.height)):
        four.paste(tile, corner)
    return four


def make(job: Job, paths: Collection[str]) -> Iterator[tuple[str, Image.Image]]:
    """Each of these with its picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn(folder)
        for path in paths:
            picture = Path(path).stem
            pictures = [made(words, folder, job) for words in GALLERY[picture]]
            if picture == "control-texture":
                pictures.append(four_of(pictures[0]))
            alone = not picture.startswith("control-")
            yield path, pictures[0] if alone else side_by_side(pictures, HEIGHT)
