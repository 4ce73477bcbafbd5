"""What several processes for one picture bring: time, memory, bytes exchanged.

    python benchmarks/scale.py --sizes 512,1024 --keep alone
    torchrun --standalone --nproc-per-node 2 benchmarks/scale.py --sizes 512,1024 --keep alone

Prints a row for each size. Times are of an evaluation with its step of L-BFGS: by the clock, and
the processor time that each process spent on it, which others on the machine disturb less. Bytes
are what a process sends for one, if exchanges go around in a ring. Pictures that --keep has kept
are compared with those of this run: how far the farthest value is, in [0, 1], and the average.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from pictures import picture

from nst_core import Runtime, Settings, load_vgg16, losses_of, stylize
from nst_core.processes import Processes
from nst_core.run.group import joined
from nst_core.run.memory import peak_memory
from nst_core.run.progress import Progress

HEADS = ("size", "processes", "s an evaluation", "CPU s of each", "MB peak of each", "MB sent")


class Counted:
    """Counts the bytes that a process sends, wherever PyTorch is asked to exchange something."""

    def __init__(self, size: int) -> None:
        self.sent = 0.0
        around = (size - 1) / size
        for name, share in (("all_reduce", 2 * around), ("all_gather", size * around)):
            setattr(dist, name, self._counting(getattr(dist, name), share))

    def _counting(self, exchange: Any, share: float) -> Any:
        def call(*given: Any, **options: Any) -> Any:
            tensor = given[-1]
            self.sent += share * tensor.numel() * tensor.element_size()
            return exchange(*given, **options)

        return call


def measured(size: int, processes: Processes, options: argparse.Namespace, counted: Counted) -> str:
    """A row of the table; "" in all processes but the first."""
    given = {"size": size, "scales": 1, "steps": options.steps, "tolerance": 0}
    settings = Settings(**given, precision=options.precision, device=options.device)
    losses = losses_of(picture("harbor", size), [picture("brushstrokes", size)], settings)
    runtime = Runtime.choose(settings.device, settings.precision, processes)
    marks: list[tuple[float, float, float]] = []

    def mark(_progress: Progress) -> None:
        marks.append((time.perf_counter(), sum(os.times()[:2]), counted.sent))

    vgg = load_vgg16(options.weights)
    image = stylize(losses, vgg=vgg, settings=settings, runtime=runtime, on_progress=mark).image
    clock, own, sent = (
        (last - first) / (len(marks) - 1) for first, last in zip(marks[0], marks[-1], strict=True)
    )
    peaks = processes.told((peak_memory(runtime.device) or 0) / 1e6)
    owns = processes.told(own)
    if not processes.is_first:
        return ""
    each = f"{max(owns):.2f}", f"{max(peaks):.0f}", f"{sent / 1e6:.1f}"
    row = f"| {size} | {processes.size} | {clock:.2f} | {' | '.join(each)} |"
    return row + (compared(image, Path(f"{options.keep}-{size}.pt")) if options.keep else "")


def compared(image: torch.Tensor, kept: Path) -> str:
    """How far a picture is from the one that was kept; the first is kept."""
    if not kept.exists():
        torch.save(image, kept)
        return ""
    change = (image - torch.load(kept, weights_only=True)).abs()
    return f" differs by {change.max():.1e} at most, {change.mean():.1e} on average"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="512,1024")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--keep", default="", help="where pictures are kept, without ending")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with joined() as processes:
        counted = Counted(processes.size)
        if processes.is_first:
            print(f"| {' | '.join(HEADS)} |\n{'|-' * len(HEADS)}|")
        for size in map(int, options.sizes.split(",")):
            row = measured(size, processes, options, counted)
            if row:
                print(row, flush=True)


if __name__ == "__main__":
    main()
