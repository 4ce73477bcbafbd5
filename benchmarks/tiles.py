"""What an evaluation in tiles costs beside one of a small picture untiled.

    python benchmarks/tiles.py [--size 2048] [--tiles 512,1024] [--precisions auto,finish,float32]
    python benchmarks/tiles.py --weights vgg16.safetensors --rounds 5

Processor time per pixel (user), for a square picture with the default losses, and the peak memory
of an evaluation beside the network and the targets. Each row is a process of its own; they take
turns, and the figures are medians. `finish` is the float32 of the last steps of `auto`.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from statistics import median

import torch

from nst_core import Runtime, Settings, load_vgg16, losses_of, sample
from nst_core.control.pyramid import resize
from nst_core.kernels.mapped_memory import memory_kept
from nst_core.run.memory import give_back_memory
from nst_core.run.objective import evaluator_of, in_units


def serve(weights: str, precision: str, size: int, tile: int) -> None:
    """Evaluate once for each line of stdin; print processor seconds and bytes at the peak."""
    runtime = Runtime.choose("cpu", "auto" if precision == "finish" else precision)
    runtime = runtime.exact() if precision == "finish" else runtime
    content, style = (resize(sample(name, size), size, size) for name in ("harbor", "mosaic"))
    losses, _ = in_units(losses_of(content, [style], Settings(device="cpu")))
    vgg = runtime.place(load_vgg16(weights))
    evaluate = evaluator_of(losses, vgg=vgg, height=size, width=size, tile=tile).evaluate
    image = content + 0.1 * torch.rand(content.shape, generator=torch.Generator().manual_seed(0))
    with memory_kept(runtime.convolution.kept):
        for _ in sys.stdin:
            give_back_memory()
            before = _bytes("VmRSS")
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")  # the peak begins anew
            began = _user_seconds()
            evaluate(image)
            seconds = _user_seconds() - began
            print(json.dumps([seconds, _bytes("VmHWM") - before]), flush=True)


def _user_seconds() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def _bytes(name: str) -> int:
    with open("/proc/self/status") as file:
        (line,) = (line for line in file if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def measure(weights: str, precision: str, rows: list[tuple[int, int]], rounds: int) -> None:
    """Print the lines of the table that one precision has; the first row is the measure."""
    command = [sys.executable, __file__, "--weights", weights, "--one", precision]
    children = [
        subprocess.Popen(
            [*command, str(size), str(tile)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        for size, tile in rows
    ]
    taken: list[list[list[float]]] = [[] for _ in rows]
    for turn in range(rounds + 1):
        for child, figures, (size, tile) in zip(children, taken, rows, strict=True):
            assert child.stdin is not None
            assert child.stdout is not None
            # Small pictures are measured more often: theirs is what all are compared with.
            for _ in range(1 if tile else 3):
                child.stdin.write("\n")
                child.stdin.flush()
                seconds, peak = json.loads(child.stdout.readline())
                if turn:  # the first pays for set-up
                    figures.append([seconds / size**2 * 1e6, peak])
    first = median(seconds for seconds, _ in taken[0])
    for child, figures, (size, tile) in zip(children, taken, rows, strict=True):
        child.communicate()
        cost, peak = median(seconds for seconds, _ in figures), max(peak for _, peak in figures)
        print(
            f"| {size} px | {tile or 'untiled'} | {precision} | {cost:.3f} | {cost / first:.2f} "
            f"| {peak / 1e9:.2f} GB |",
            flush=True,
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=512, help="px of the untiled picture")
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--tiles", default="512,1024")
    parser.add_argument("--precisions", default="auto,finish,float32")
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        precision, size, tile = options.one
        serve(options.weights, precision, int(size), int(tile))
        return
    rows = [(options.small, 0), *((options.size, int(tile)) for tile in options.tiles.split(","))]
    print("| size | tile | precision | s / Mpx | to untiled | peak of an evaluation |")
    print("|-|-|-|-|-|-|")
    for precision in options.precisions.split(","):
        measure(options.weights, precision, rows, options.rounds)


if __name__ == "__main__":
    main()
