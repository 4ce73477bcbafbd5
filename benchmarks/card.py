"""What only a graphics card can show, in about five minutes: whether it is right, and how fast.

    python benchmarks/card.py                        # with the weights of the package
    python benchmarks/card.py --weights vgg16.pth    # passed on to compare.py

With either allocator of memory, PyTorch's own and the driver's (cudaMallocAsync, which ComfyUI
takes on most cards): `tests/test_cuda.py`, on the first card and, where there is one, the second;
and seconds a step at 512 px, recorded and not. Then `compare.py` on the card. Ends with an error
where there is no NVIDIA card, and if anything failed.
"""

import argparse
import logging
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from nst_core import Runtime, Settings, load_vgg16, losses_of, sample, stylize

HERE = Path(__file__).parent
ALLOCATORS = ("native", "cudaMallocAsync")
# Both names of the variable: newer ones of PyTorch call it the second.
VARIABLES = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
SIZE, STEPS, FIRST = 512, 150, 20  # the first steps pay for set-up
COMPARED = ["--device", "cuda", "--size", str(SIZE), "--evaluations", "100"]
LEFT_OUT = ["--without", "scipy,ours in float32,convolutions in float32"]


def step_seconds(*, record: bool) -> float:
    """The median of a step's seconds, of those in the arithmetic that the card is fastest in."""
    runtime = replace(Runtime.choose("cuda"), record=record)
    settings = Settings(size=SIZE, steps=STEPS, scales=1, views=1, tolerance=0.0)
    losses = losses_of(sample("harbor", SIZE), [sample("brushstrokes", SIZE)], settings)
    result = stylize(losses, vgg=load_vgg16("builtin"), settings=settings, runtime=runtime)
    last = STEPS - STEPS // 5  # the finish is in float32
    ends = {entry.step: entry.seconds for entry in result.records}
    return statistics.median(ends[step] - ends[step - 1] for step in range(FIRST, last))


def print_steps() -> None:
    """A step's seconds with the allocator of this process, and what the engine says of it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    recorded, plain = (step_seconds(record=record) for record in (True, False))
    print(
        f"{torch.cuda.get_allocator_backend()}, {SIZE} px: {recorded * 1e3:.2f} ms a step "
        f"recorded, {plain * 1e3:.2f} ms as it comes, {plain / recorded:.1f} times as long."
    )


def done(title: str, command: list[str], allocator: str = "native") -> bool:
    """Whether a command came to a good end; its output goes to the terminal."""
    print(f"\n== {title}", flush=True)
    chosen = dict.fromkeys(VARIABLES, f"backend:{allocator}")
    began = time.monotonic()
    code = subprocess.run([sys.executable, *command], env=os.environ | chosen).returncode
    print(f"{'Done' if code == 0 else f'FAILED ({code})'} in {time.monotonic() - began:.0f} s.")
    return code == 0


def main() -> None:
    """Everything, whatever fails on the way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="builtin", help="passed on to compare.py")
    parser.add_argument("--steps", action="store_true", help="only time steps, in this process")
    asked = parser.parse_args()
    if not torch.cuda.is_available() or torch.version.cuda is None:
        sys.exit("There is no NVIDIA card here. Nothing was checked.")
    if asked.steps:
        return print_steps()
    cards = [torch.cuda.get_device_name(card) for card in range(torch.cuda.device_count())]
    print(f"{', '.join(cards)}; torch {torch.__version__}")
    tests = ["-m", "pytest", "-q", str(HERE.parent / "tests" / "test_cuda.py")]
    good = [done(f"tests/test_cuda.py, {name}", tests, name) for name in ALLOCATORS]
    good += [done(f"A step, {name}", [__file__, "--steps"], name) for name in ALLOCATORS]
    compare = [str(HERE / "compare.py"), *COMPARED, *LEFT_OUT, "--weights", asked.weights]
    good.append(done("compare.py", compare))
    sys.exit(0 if all(good) else "Something failed.")


if __name__ == "__main__":
    main()
