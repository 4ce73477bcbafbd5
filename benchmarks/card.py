"""What only a graphics card can show, in about five minutes: whether it is right, and how fast.

    python benchmarks/card.py                        # with the weights of the package
    python benchmarks/card.py --weights vgg16.pth    # passed on to compare.py

`tests/test_cuda.py`, on the first card and, where there is one, the second; seconds a step at
512 px, recorded and not; the same with cudaMallocAsync (the driver's allocator of memory, which
ComfyUI takes on most cards), where the engine records nothing because nobody has tried it: here it
is tried. Then `compare.py` on the card. Ends with an error where there is no NVIDIA card, and if
anything failed but that trial.
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

from nst_core import Runtime, Settings, curvature, load_vgg16, losses_of, objective, sample, stylize
from nst_core.recording import Recording, directly
from nst_core.staging import moved

HERE = Path(__file__).parent
# Both names of the variable: newer ones of PyTorch call it the second.
VARIABLES = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
DRIVERS = "cudaMallocAsync"
MEANING = {
    True: f"So recordings work with {DRIVERS} here, and `can_record` could allow them.",
    False: f"So recordings do not work with {DRIVERS} here, and the engine is right to make none.",
}
SIZE, STEPS, FIRST = 512, 150, 20  # the first steps pay for set-up
CALLS = 6  # the first is not recorded yet, the second is what is recorded
COMPARED = ["--device", "cuda", "--size", str(SIZE), "--evaluations", "100"]
LEFT_OUT = ["scipy", "ours in float32", "convolutions in float32"]


def step_seconds(settings: Settings, losses: list, *, record: bool) -> float:
    """The median of a step's seconds, of those in the arithmetic that the card is fastest in."""
    runtime = replace(Runtime.choose("cuda"), record=record)
    result = stylize(losses, vgg=load_vgg16("builtin"), settings=settings, runtime=runtime)
    last = STEPS - STEPS // 5  # the finish is in float32
    ends = {entry.step: entry.seconds for entry in result.records}
    return statistics.median(ends[step] - ends[step - 1] for step in range(FIRST, last))


def print_steps() -> None:
    """A step's seconds with the allocator of this process."""
    settings = Settings(size=SIZE, steps=STEPS, scales=1, views=1, tolerance=0.0)
    losses = losses_of(sample("harbor", SIZE), [sample("brushstrokes", SIZE)], settings)
    recorded, plain = (step_seconds(settings, losses, record=record) for record in (True, False))
    print(
        f"{torch.cuda.get_allocator_backend()}, {SIZE} px: {recorded:.5f} s a step recorded, "
        f"{plain:.5f} s as it comes, {plain / recorded:.1f} times as long."
    )


def record_always() -> None:
    """Have the engine record where it is asked to, without a look at the allocator."""
    for module in (objective, curvature):
        module.doer = lambda device, record: Recording() if record else directly


def same_bits(runtime: Runtime) -> bool:
    """Whether recorded evaluations have the bits of others, call by call."""
    losses = losses_of(sample("harbor", SIZE), [sample("brushstrokes", SIZE)], Settings())
    height, width = losses[0].image.shape[-2:]
    placed = [moved(loss, runtime.device) for loss in losses]
    vgg = runtime.place(load_vgg16("builtin"))
    plain, recorded = (
        objective.Objective(placed, vgg=vgg, height=height, width=width, record=record).evaluate
        for record in (False, True)
    )
    generator = torch.Generator().manual_seed(0)
    same = []
    for _ in range(CALLS):
        image = torch.rand(1, 3, height, width, generator=generator).to(runtime.device)
        expected, found = plain(image), recorded(image)
        equal = torch.equal(found.gradient, expected.gradient)
        same.append(equal and found.parts == expected.parts)
    print(f"Recorded evaluations with the bits of others: {sum(same)} of {CALLS}.", flush=True)
    return all(same)


def try_recording() -> None:
    """Whether recordings work with the driver's allocator, which this process must have.

    Ends with an error if they do not.
    """
    if torch.cuda.get_allocator_backend() != DRIVERS:
        sys.exit(f"This process has another allocator than {DRIVERS}.")
    record_always()
    runtime = Runtime.choose("cuda")
    same = [same_bits(each) for each in (runtime, runtime.exact())]
    print_steps()
    sys.exit(0 if all(same) else "Recordings had other bits.")


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
    parts = {"steps": print_steps, "try-recording": try_recording}
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
    trial = [__file__, "--only", "try-recording"]
    print(MEANING[done(f"Recording with {DRIVERS}", trial, **chosen)])
    compare = [str(HERE / "compare.py"), *COMPARED, "--weights", asked.weights]
    for name in LEFT_OUT:
        compare += ["--without", name]
    good.append(done("compare.py", compare))
    sys.exit(0 if all(good) else "Something failed.")


if __name__ == "__main__":
    main()
