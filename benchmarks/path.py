"""The search: ours beside plain bounded L-BFGS, over networks, pictures and objectives.

    python benchmarks/path.py                                            # builtin alone, 128 px
    python benchmarks/path.py --network FILE --network random:1 --size 128 --size 256
    python benchmarks/path.py --pair photo.jpg,painting.jpg --start noise --objective relative

Plain is `--preconditioner none --scales 1`: L-BFGS with 10 pairs, bounds and nothing else. A cell
of the table has the work that the default settings take for the loss that plain has after 25, 50
and 100 evaluations, as a share of 25, 50 and 100: below 1 is sooner. Work is counted in evaluations
at full size: one at half of the size counts a quarter, as it costs. Both have the same arithmetic,
and ours as many steps as 1.1 times plain's work is enough for: a share of 1.1 is not reached.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch
from pictures import picture

from nst_core import VGG16, Progress, Runtime, Settings, load_vgg16, losses_of, stylize
from nst_core.files.weights.assemble import assembled
from nst_core.gatys.preprocessing import CAFFE
from nst_core.gatys.vgg import LAYERS, size_of
from nst_core.run.scales import scales_of

MARKS = (25, 50, 100)
PAIRS = (
    "harbor,brushstrokes",
    "portrait,mosaic",
    "landscape,waves",
    "harbor,stained_glass",
    "portrait,ink",
    "landscape,marbling",
)
# Normalization, content weight, style weight: neural-style's, our default, the paper's.
OBJECTIVES = {
    "mean": ("mean", 5.0, 100.0),
    "relative": ("relative", 1.0, 100.0),
    "gatys": ("gatys", 1.0, 1000.0),
}
STARTS = ("content", "gray", "noise")


def network(name: str) -> VGG16:
    """A network by name or file; `random:SEED` is a new VGG-16 with He-normal filters."""
    if not name.startswith("random:"):
        return load_vgg16(name)
    generator = torch.Generator().manual_seed(int(name.removeprefix("random:")))
    weights = {}
    for layer in LAYERS.values():
        shape, key = (layer.channels, layer.in_channels, 3, 3), layer.name.replace("relu", "conv")
        deviation = (2 / (9 * layer.in_channels)) ** 0.5  # He et al., arXiv:1502.01852
        weights[f"{key}.weight"] = deviation * torch.randn(shape, generator=generator)
        weights[f"{key}.bias"] = torch.zeros(layer.channels)
    return assembled(weights, CAFFE, "max", name)


def losses_by_work(
    vgg: VGG16, pair: str, settings: Settings, runtime: Runtime
) -> list[tuple[float, float]]:
    """(work so far, best loss so far) after each evaluation at full size."""
    content, style = (picture(name, settings.size) for name in pair.split(","))
    done: list[tuple[float, float]] = []
    work = 0.0

    def on_progress(progress: Progress) -> None:
        nonlocal work
        latest, last = progress.latest, progress.scales[-1]
        scale = progress.scales[latest.scale - 1]
        work += scale.height * scale.width / (last.height * last.width)
        if scale is last:
            done.append((work, min([latest.loss, *(loss for _, loss in done[-1:])])))

    losses = losses_of(content, [style], settings)
    stylize(losses, vgg=vgg, settings=settings, runtime=runtime, on_progress=on_progress)
    return done


def shares(ours: list[tuple[float, float]], plain: list[tuple[float, float]]) -> list[float]:
    """The table's three figures; of a loss that ours does not reach, all work that it had."""
    found = []
    for mark in MARKS:
        goal = plain[min(mark, len(plain)) - 1][1]
        found.append(next((work for work, loss in ours if loss <= goal), ours[-1][0]) / mark)
    return found


def with_steps_for(work: float, settings: Settings, pair: str) -> Settings:
    """The settings with as many steps as are about so much work."""
    content, style = (picture(name, settings.size) for name in pair.split(","))
    losses, full = losses_of(content, [style], settings), size_of(content)
    scales = scales_of(losses, replace(settings, steps=1000), *full)
    of_a_step = sum(s.steps * s.height * s.width for s in scales) / (1000 * math.prod(full))
    steps = math.ceil(work / of_a_step)
    return replace(settings, steps=steps, max_evaluations=steps)


def cells(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every cell, and what it took."""
    runtime = replace(Runtime.choose("cpu", asked.precision), finish=False)
    for name in asked.network:
        vgg = network(name)
        for size, pair, objective, start in product(
            asked.size, asked.pair, asked.objective, asked.start
        ):
            normalization, content_weight, style_weight = OBJECTIVES[objective]
            settings = Settings(
                normalization=normalization,
                content_weight=content_weight,
                style_weight=style_weight,
                size=size,
                init=start,
                steps=MARKS[-1],
                max_evaluations=MARKS[-1],
                tolerance=0,
            )
            plain = losses_by_work(
                vgg, pair, replace(settings, preconditioner="none", scales=1, views=1), runtime
            )
            # A little more, so that a share of 1.05 can be seen.
            longer = with_steps_for(1.1 * MARKS[-1], settings, pair)
            ours = losses_by_work(vgg, pair, longer, runtime)
            cell = {"network": Path(name).name, "size": size, "pair": pair}
            yield {**cell, "objective": objective, "start": start, "shares": shares(ours, plain)}


def geometric_mean(values: list[float]) -> float:
    """Of shares."""
    return math.exp(sum(map(math.log, values)) / len(values))


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", action="append", help="builtin, untrained, random:1, a file")
    parser.add_argument("--size", action="append", type=int, help="longer side in pixels")
    parser.add_argument("--pair", action="append", help="content,style: samples or files")
    parser.add_argument("--objective", action="append", choices=OBJECTIVES)
    parser.add_argument("--start", action="append", choices=STARTS)
    parser.add_argument("--precision", default="auto", help="of the convolutions, of both alike")
    parser.add_argument("--json", type=Path, help="where to write the cells")
    asked = parser.parse_args()
    defaults = {
        "network": ["builtin"],
        "size": [128],
        "pair": PAIRS,
        "objective": OBJECTIVES,
        "start": STARTS,
    }
    for key, values in defaults.items():
        setattr(asked, key, getattr(asked, key) or list(values))
    return asked


def main() -> None:
    """Print a row for each cell, then the means."""
    asked, found = parsed(), []
    heads = " | ".join(f"{mark}" for mark in MARKS)
    print(f"| network | px | pair | objective | start | {heads} |\n|-|-|-|-|-|-|-|-|")
    for cell in cells(asked):
        found.append(cell)
        figures = " | ".join(f"{share:.2f}" for share in cell["shares"])
        words = (cell[key] for key in ("network", "size", "pair", "objective", "start"))
        print(f"| {' | '.join(map(str, words))} | {figures} |", flush=True)
        if asked.json:
            asked.json.write_text(json.dumps(found, indent=1))
    for name in dict.fromkeys(cell["network"] for cell in found):
        mine = [share for cell in found if cell["network"] == name for share in cell["shares"]]
        print(f"{name}: geometric mean {geometric_mean(mine):.3f}, largest {max(mine):.2f}")
    everyones = [share for cell in found for share in cell["shares"]]
    print(f"all: geometric mean {geometric_mean(everyones):.3f}, largest {max(everyones):.2f}")


if __name__ == "__main__":
    sys.exit(main())
