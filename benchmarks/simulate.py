"""How far the sharing of one picture would go: a model, not a measurement.

    python benchmarks/simulate.py [--sizes 4096,16384,32768] [--processes 1,8,64,1000]

A square picture, shared by so many cards. The seconds of an evaluation with its step are

    pixels that the busiest card computes x pace + bytes it sends / bandwidth + exchanges x latency
    + bytes of whole pictures that it reads and writes / bandwidth of its memory

Pixels are those of the engine's own plan (margins, crops of layers, tiles computed twice), memory
is the engine's own estimate, bytes are those of docs/scaling.md. The pace is of an H200 (8192 px in
tiles of 2048 px: 0.87 s an evaluation in bfloat16); everything else is assumed.
"""

import argparse
from dataclasses import dataclass, replace

import torch

from nst_core.control.tiles import plan_tiles
from nst_core.gatys.vgg import LAYERS
from nst_core.kernels.cudnn import RoundedCudnnConvolution
from nst_core.processes import Processes
from nst_core.run.estimate import TILES, Load, estimate
from nst_core.run.runtime import Runtime

LAYERS_USED = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")
# Of tiles but the last, the first of the two forward passes takes this share of the rest.
SUMS, HISTORY = 0.7, 10
# Exchanges of an evaluation and its step: sums, gradient, losses, three pictures, products twice,
# and whether somebody wants to stop.
EXCHANGES = 9
# What every card does on the whole picture, a step: clipping, waves of the preconditioner, sums.
PICTURES = 60
HEADS = (
    "size",
    "cards",
    "tile",
    "s an evaluation",
    "of it tiles",
    "whole pictures",
    "exchanging",
    "GB of each",
)


@dataclass(frozen=True)
class Machine:
    """What is assumed.

    Attributes:
        pace: seconds for each pixel that is computed.
        bandwidth: bytes a second that a card sends.
        memory_bandwidth: bytes a second that it reads or writes.
        latency: seconds of an exchange beside.
        memory: bytes of a card.
    """

    pace: float
    bandwidth: float
    memory_bandwidth: float
    latency: float
    memory: float


def work_of(size: int, processes: int, tile: int) -> float:
    """Pixels that the busiest card computes in an evaluation."""
    most = 0.0
    # Blocks in the middle read most; those of the first and the middle rows are enough to look at.
    for rank in {0, processes // 2, processes // 3, processes - 1}:
        tiles = plan_tiles(size, size, tile, LAYERS_USED, processes=Processes(rank, processes))
        work = [one.work for one in tiles]
        most = max(most, sum(work) + SUMS * sum(work[:-1]))
    return most


def sent_by(size: int, processes: int) -> float:
    """Bytes that each sends for an evaluation and its step."""
    around = (processes - 1) / processes
    grams = sum(LAYERS[name].channels ** 2 for name in LAYERS_USED if name != "relu4_2")
    return around * (8 * grams + 60 * size**2 + 16 * (HISTORY**2 + 4 * HISTORY))


def place_of(size: int, processes: int, machine: Machine) -> tuple[int, float, bool]:
    """The largest tile that fits, what it takes, and whether any fits."""
    load = Load(height=size, width=size, layers=LAYERS_USED, history=HISTORY, styles=[(1024, 1024)])
    runtime = Runtime(torch.device("cuda"), torch.bfloat16, finish=True, graphs=True)
    runtime = replace(
        runtime, convolution=RoundedCudnnConvolution, processes=Processes(0, processes)
    )
    for tile in (0, *TILES):
        memory = estimate(load, runtime, tile)
        if memory <= machine.memory:
            return tile, memory, True
    return TILES[-1], memory, False


def row_of(size: int, processes: int, machine: Machine) -> str:
    """A row of the table."""
    tile, memory, fits = place_of(size, processes, machine)
    computing = machine.pace * work_of(size, processes, tile)
    whole = PICTURES * 12 * size**2 / machine.memory_bandwidth
    exchanging = sent_by(size, processes) / machine.bandwidth + EXCHANGES * machine.latency
    exchanging *= processes > 1
    each = f"{memory / 1e9:.1f}" + ("" if fits else ", more than a card has")
    took = computing + whole + exchanging
    return (
        f"| {size} | {processes} | {tile or 'none'} | {took:.3g} | {computing:.3g} "
        f"| {whole:.3g} | {exchanging:.3g} | {each} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="4096,8192,16384,32768")
    parser.add_argument("--processes", default="1,8,64,1000")
    parser.add_argument("--pace", type=float, default=7.0, help="nanoseconds a pixel")
    parser.add_argument("--bandwidth", type=float, default=50.0, help="GB/s that a card sends")
    parser.add_argument("--memory-bandwidth", type=float, default=3.0, help="TB/s of its memory")
    parser.add_argument("--latency", type=float, default=50.0, help="microseconds of an exchange")
    parser.add_argument("--memory", type=float, default=64.0, help="GB of a card to plan with")
    asked = parser.parse_args()
    machine = Machine(
        pace=asked.pace * 1e-9,
        bandwidth=asked.bandwidth * 1e9,
        memory_bandwidth=asked.memory_bandwidth * 1e12,
        latency=asked.latency * 1e-6,
        memory=asked.memory * 1e9,
    )
    print(f"| {' | '.join(HEADS)} |\n{'|-' * len(HEADS)}|")
    for size in map(int, asked.sizes.split(",")):
        for processes in map(int, asked.processes.split(",")):
            print(row_of(size, processes, machine), flush=True)


if __name__ == "__main__":
    main()
