"""What only a graphics card can show, in about five minutes: whether it is right, and how fast.

    python benchmarks/card.py                        # with the weights of the package
    python benchmarks/card.py --weights vgg16.pth    # passed on to compare.py

`tests/test_cuda.py`, on the first card and, where there is one, the second; seconds a step at
512 px, as CUDA graphs and not; the same with cudaMallocAsync (the driver's allocator of memory,
which ComfyUI takes on most cards), where the engine captures nothing because nobody has tried it:
here it is tried. Then `compare.py` on the card. Ends with an error where there is no NVIDIA card,
and if anything failed but that trial.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from nst_core import Runtime, Settings, load_vgg16, losses_of, sample, stylize
from nst_core.kernels import history
from nst_core.kernels.cuda_graph import CudaGraph, eager
from nst_core.run import objective
from nst_core.run.staging import moved

HERE = Path(__file__).parent
# Both names of the variable: newer ones of PyTorch call it the second.
VARIABLES = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
DRIVERS = "cudaMallocAsync"
MEANING = {
    True: f"So CUDA graphs work with {DRIVERS} here, and `can_capture` could allow them.",
    False: f"So CUDA graphs do not work with {DRIVERS} here, and the engine is right to make none.",
}
SIZE, STEPS, FIRST = 512, 150, 20  # the first steps pay for set-up
CALLS = 6  # the first is not captured yet, the second is what is captured
COMPARED = ["--device", "cuda", "--size", str(SIZE), "--evaluations", "100"]
LEFT_OUT = ["scipy", "ours in float32", "convolutions in float32"]


def step_seconds(settings: Settings, losses: list, *, graphs: bool) -> float:
    """The median of a step's seconds, of those in the arithmetic that the card is fastest in."""
    runtime = replace(Runtime.choose("cuda"), graphs=graphs)
    result = stylize(losses, vgg=load_vgg16("builtin"), settings=settings, runtime=runtime)
    last = STEPS - STEPS // 5  # the finish is in float32
    ends = {entry.step: entry.seconds for entry in result.records}
    return statistics.median(ends[step] - ends[step - 1] for step in range(FIRST, last))


def print_steps() -> None:
    """A step's seconds with the allocator of this process."""
    settings = Settings(size=SIZE, steps=STEPS, scales=1, views=1, tolerance=0.0)
    losses = losses_of(sample("harbor", SIZE), [sample("brushstrokes", SIZE)], settings)
    captured, plain = (step_seconds(settings, losses, graphs=graphs) for graphs in (True, False))
    print(
        f"{torch.cuda.get_allocator_backend()}, {SIZE} px: {captured:.5f} s a step as CUDA graphs, "
        f"{plain:.5f} s without, {plain / captured:.1f} times as long."
    )


def capture_always() -> None:
    """Have the engine capture where it is asked to, without a look at the allocator."""
    for module in (objective, history):
        module.executor = lambda device, graphs: CudaGraph() if graphs else eager


def same_bits(runtime: Runtime) -> bool:
    """Whether evaluations as CUDA graphs have the bits of others, call by call."""
    losses = losses_of(sample("harbor", SIZE), [sample("brushstrokes", SIZE)], Settings())
    height, width = losses[0].image.shape[-2:]
    placed, _ = objective.in_units([moved(loss, runtime.device) for loss in losses])
    vgg = runtime.place(load_vgg16("builtin"))
    plain, captured = (
        objective.evaluator_of(placed, vgg=vgg, height=height, width=width, graphs=graphs).evaluate
        for graphs in (False, True)
    )
    generator = torch.Generator().manual_seed(0)
    same = []
    for _ in range(CALLS):
        image = torch.rand(1, 3, height, width, generator=generator).to(runtime.device)
        expected, found = plain(image), captured(image)
        equal = torch.equal(found.gradient, expected.gradient)
        same.append(equal and found.parts == expected.parts)
    print(
        f"Evaluations as CUDA graphs with the bits of others: {sum(same)} of {CALLS}.", flush=True
    )
    return all(same)


def try_graphs() -> None:
    """Whether CUDA graphs work with the driver's allocator, which this process must have.

    Ends with an error if they do not.
    """
    if torch.cuda.get_allocator_backend() != DRIVERS:
        sys.exit(f"This process has another allocator than {DRIVERS}.")
    capture_always()
    runtime = Runtime.choose("cuda")
    same = [same_bits(each) for each in (runtime, runtime.exact())]
    print_steps()
    sys.exit(0 if all(same) else "CUDA graphs had other bits.")


def done(title: str, command: list[str], **variables: str) -> bool:
    """Whether a command came to a good end; its output goes to the terminal."""
    print(f"\n== {title}", flush=True)
    began = time.monotonic()
    code = subprocess.run([sys.executable, *command], env=os.environ | variables).returncode
    print(f"{'Done' if code == 0 else f'FAILED ({code})'} in {time.monotonic() - began:.0f} s.")
    return code == 0


def main() -> None:
    """Everything, whatever fails on the way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="builtin", help="passed on to compare.py")
    parts = {"steps": print_steps, "try-graphs": try_graphs}
    parser.add_argument("--only", choices=parts, help="this part, in this process")
    asked = parser.parse_args()
    if not torch.cuda.is_available() or torch.version.cuda is None:
        sys.exit("There is no NVIDIA card here. Nothing was checked.")
    if asked.only:
        return parts[asked.only]()
    cards = [torch.cuda.get_device_name(card) for card in range(torch.cuda.device_count())]
    print(f"{', '.join(cards)}; torch {torch.__version__}")
    tests = ["-m", "pytest", "-q", str(HERE.parent / "tests" / "test_cuda.py")]
    good = [done("tests/test_cuda.py", tests), done("A step", [__file__, "--only", "steps"])]
    chosen = dict.fromkeys(VARIABLES, f"backend:{DRIVERS}")
    trial = [__file__, "--only", "try-graphs"]
    print(MEANING[done(f"CUDA graphs with {DRIVERS}", trial, **chosen)])
    compare = [str(HERE / "compare.py"), *COMPARED, "--weights", asked.weights]
    for name in LEFT_OUT:
        compare += ["--without", name]
    good.append(done("compare.py", compare))
    sys.exit(0 if all(good) else "Something failed.")


if __name__ == "__main__":
    main()
