"""Is a run's memory what was estimated?

    python benchmarks/memory.py [--cells small|all] [--weights untrained] [--device cpu|cuda]
    python benchmarks/memory.py --one "size=512, tile=256"

Each cell is one run in a process of its own: what it took at its peak beside what the process had
before (code, network, pictures), and what `nst plan` says. The constants of
`nst_core/run/estimate.py` are fitted to this table: every ratio should lie between 1.0 and 1.1.
On a card it is what PyTorch took from the driver and what libraries took; nobody else may use it.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import torch

from nst_core import Runtime, Settings, load_vgg16, losses_of, stylize
from nst_core.control.pyramid import resize
from nst_core.run.memory import give_back_memory, held_memory
from nst_core.run.plan import needs

FIXED = {"scales": 1, "tolerance": 0.0}
# Small ones first. `exact` is the arithmetic of a processor without bfloat16, the widest there is.
SMALL = (
    "size=128",
    "size=256",
    "size=256, precision='float32'",
    "size=384",
    "size=384, precision='bfloat16'",
    "size=512",
    "size=512, tile=256",
    "size=256, style_scale=4.0",
    "size=256, views=2",
    "size=256, statistics='gaussian'",
    "size=256, statistics='sliced-wasserstein'",
    "size=256, tv_weight=1.0",
    "size=512, memory='1.2GB'",
)
LARGE = (
    "size=1024",
    "size=1024, precision='float32'",
    "size=1024, views=2",
    "size=1024, statistics='gaussian'",
    "size=1024, statistics='sliced-wasserstein'",
    "size=1024, tile=512",
    "size=1024, tile=512, precision='float32'",
    "size=1024, style_scale=8.0, tile=512",
    "size=2048, memory='2GB'",
    "size=4096, memory='3.5GB'",
)


class Processor:
    """Memory of this process alone."""

    def held(self) -> int:
        """Bytes now."""
        return held_memory(torch.device("cpu"))

    def forget(self) -> None:
        """The peak so far."""
        Path("/proc/self/clear_refs").write_text("5")

    def peak(self) -> int:
        """Bytes: the most since it was last forgotten."""
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


class Card:
    """Memory of a card that nobody else uses."""

    def held(self) -> int:
        """Bytes now."""
        return self._others() + torch.cuda.memory_reserved()

    def forget(self) -> None:
        """The peak so far."""
        torch.cuda.reset_peak_memory_stats()

    def peak(self) -> int:
        """Bytes: the most since it was last forgotten. Libraries give nothing back."""
        return self._others() + torch.cuda.max_memory_reserved()

    def _others(self) -> int:
        """What is not PyTorch's: code, and what libraries took from the driver."""
        free, total = torch.cuda.mem_get_info()
        return total - free - torch.cuda.memory_reserved()


def measure(cell: str, weights: str, device: str) -> dict[str, float]:
    """One cell, in this process."""
    asked = dict(part.strip().split("=") for part in cell.split(","))
    values = {name: json.loads(value.replace("'", '"')) for name, value in asked.items()}
    settings = Settings(**{"steps": 20 if device == "cuda" else 2, **FIXED, **values})
    generator = torch.Generator().manual_seed(0)
    small, other = torch.rand(2, 1, 3, 32, 32, generator=generator)
    content, style = resize(small, settings.size, settings.size), resize(other, 512, 512)
    losses, vgg = losses_of(content, [style], settings), load_vgg16(weights)
    runtime = Runtime.choose(device, settings.precision)
    meter = Card() if runtime.device.type == "cuda" else Processor()
    runtime = runtime.exact() if settings.precision == "auto" and device == "cpu" else runtime
    give_back_memory()
    before = meter.held()
    meter.forget()
    needed = needs(losses, settings=settings, runtime=runtime)
    stylize(losses, vgg=vgg, settings=settings, runtime=runtime)
    return {
        "estimate": needed.memory / 1e9,
        "used": (meter.peak() - before) / 1e9,
        "all": meter.peak() / 1e9,
        "tile": needed.tile,
        "away": needed.away / 1e9,
    }


def main() -> None:
    """Every cell in a process of its own, and a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", choices=("small", "all"), default="small")
    parser.add_argument("--weights", default="untrained")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--one", help="measure one cell and print it as JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.weights, options.device)))
        return
    print("| cell | tile | elsewhere | used | in all | estimate | ratio |\n|-|-|-|-|-|-|-|")
    for cell in SMALL if options.cells == "small" else SMALL + LARGE:
        command = [sys.executable, __file__, "--one", cell, "--weights", options.weights]
        command += ["--device", options.device]
        row = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        print(
            f"| {cell} | {row['tile']} | {row['away']:.2f} GB | {row['used']:.3f} GB "
            f"| {row['all']:.2f} GB | {row['estimate']:.3f} GB "
            f"| {row['estimate'] / row['used']:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
