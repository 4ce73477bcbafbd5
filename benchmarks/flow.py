"""How right the optical flow is that is found, on moving samples whose flow is known.

    python benchmarks/flow.py [--sizes 128,256,512] [--samples harbor,portrait,meadow]

For each: the mean error in pixels where both frames show the same; the same of pixels that are held
to the frame before (where both directions agree); the share of pixels that are wrong by more than
0.3 px; the share that is held; processor seconds of one flow.
"""

import argparse
import time
from statistics import mean

from torch import Tensor

from nst_core.control.flow import consistent
from nst_core.files.samples.scenes import moving_sample
from nst_core.video.flows import FlowBetween, Frame, dis_flow, plain_dis_flow

HEADS = ("sample", "px", "flow", "error", "error if held", "wrong", "held", "s")
# Pairs of frames: numbers at 12 frames a second.
PAIRS, RATE = ((1, 0), (6, 5), (17, 16)), 12
WRONG = 0.3


def row_of(name: str, size: int, way: str, between: FlowBetween) -> str:
    """A row of the table, on average over the pairs."""
    scene, found = moving_sample(name), []
    for pair in PAIRS:
        first, second = (Frame(index, scene.frame(index / RATE, size)) for index in pair)
        exact, visible = scene.flow(pair[0] / RATE, pair[1] / RATE, size)
        began = time.process_time()
        flow, back = between(first, second), between(second, first)
        seconds = (time.process_time() - began) / 2
        held = consistent(back, flow).bool()
        found.append((*figures(flow - exact, visible.bool(), held), seconds))
    means = [mean(values) for values in zip(*found, strict=True)]
    cells = [f"{value:.3f}" for value in means]
    return f"| {name} | {size} | {way} | {' | '.join(cells)} |"


def figures(difference: Tensor, visible: Tensor, held: Tensor) -> tuple[float, float, float, float]:
    """Errors, what is wrong and what is held."""
    error = difference.norm(dim=1)[0]
    seen = error[visible]
    return (
        float(seen.mean()),
        float(error[visible & held].mean()),
        float((seen > WRONG).float().mean()),
        float(held[visible].float().mean()),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="128,256,512")
    parser.add_argument("--samples", default="harbor,portrait,meadow")
    asked = parser.parse_args()
    ways = {"DIS": plain_dis_flow(), "with sharp edges": dis_flow()}
    print(f"| {' | '.join(HEADS)} |\n{'|-' * len(HEADS)}|")
    for size in map(int, asked.sizes.split(",")):
        for name in asked.samples.split(","):
            for way, between in ways.items():
                print(row_of(name, size, way, between), flush=True)


if __name__ == "__main__":
    main()
