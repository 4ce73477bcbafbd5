"""What an evaluation costs.

    python benchmarks/cost.py [--sizes 256,512] [--steps 10] [--statistics gram]

Each size runs in a process of its own, so that peak memory is its own. Ratios are medians over
pairs measured in turn, because shared machines change speed from one second to the next.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from nst_core import Runtime, Settings, load_vgg16, losses_of, sample, stylize
from nst_core.gatys.vgg import VGG16
from nst_core.kernels.convolution import Convolution
from nst_core.run.memory import peak_memory


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def network_alone(vgg: VGG16, image: torch.Tensor) -> None:
    """VGG's own forward and backward pass, to relu5_1 and from there to the picture."""
    with torch.enable_grad():
        leaf = image.clone().requires_grad_()
        features = vgg(leaf, ["relu5_1"])["relu5_1"]
    torch.autograd.grad(features, leaf, torch.ones_like(features))


def measure(size: int, steps: int, statistic: str) -> dict[str, float]:
    """One size, in this process."""
    content, style = sample("harbor", size), sample("brushstrokes", size)
    settings = Settings(
        size=size, steps=steps, scales=1, tolerance=0, device="cpu", statistics=statistic
    )
    vgg = load_vgg16("builtin")
    runtime = Runtime.choose("cpu", settings.precision)
    network = replace(runtime, convolution=Convolution).place(vgg)  # as PyTorch computes it
    network_alone(network, content)  # the first call pays for set-up
    alone, step_times = [], []
    clock = time.perf_counter()

    def between_evaluations(progress: object) -> None:
        # The network alone right after each evaluation: neighbors in time are comparable.
        nonlocal clock
        step_times.append(time.perf_counter() - clock)
        alone.append(seconds(lambda: network_alone(network, content)))
        clock = time.perf_counter()

    stylize(
        losses_of(content, [style], settings),
        vgg=vgg,
        settings=settings,
        runtime=runtime,
        on_progress=between_evaluations,
    )
    # The first two hold targets and a history that is not there yet.
    pairs = list(zip(step_times, alone, strict=True))[2:]
    return {
        "size": size,
        "seconds": statistics.median(step for step, _ in pairs),
        "network": statistics.median(network for _, network in pairs),
        "ratio": statistics.median(step / network for step, network in pairs),
        "peak": (peak_memory(runtime.device) or 0) / 1e9,
    }


def main() -> None:
    """Measure each size in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="256,512")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--statistics", default="gram", help="what is compared of the style")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.steps, options.statistics)))
        return
    print("| longer side | seconds per step | VGG alone | ratio | peak memory |\n|-|-|-|-|-|")
    for size in map(int, options.sizes.split(",")):
        command = [sys.executable, __file__, "--one", str(size), "--steps", str(options.steps)]
        command += ["--statistics", options.statistics]
        row = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        print(
            f"| {size} px | {row['seconds']:.2f} | {row['network']:.2f} | {row['ratio']:.2f} "
            f"| {row['peak']:.2f} GB |",
            flush=True,
        )


if __name__ == "__main__":
    main()
