"""Our engine beside the others: same weights, pictures, objective and start; one run, one table.

    python benchmarks/compare.py                                      # 512 px, 100 evaluations
    python benchmarks/compare.py --size 96 --evaluations 12           # a smoke test
    python benchmarks/compare.py --weights vgg16.safetensors --without scipy --without "ours, plain"
    python benchmarks/compare.py --neural-style-pt path/to/checkout --evaluations 300

All contenders work in turns of a few seconds, so that a machine that changes speed changes it for
everyone. The 8-bit loss is that of the 8-bit picture after an evaluation, scored in float32 by
`evaluator.py`; what is to be reached is such a loss. The own loss is the lowest that a contender's
optimizer saw: in the contender's arithmetic, of a picture that is not rounded, and not clipped if
there are no bounds. Everything is written to --json, the
table to the terminal.
"""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from contenders import CONTENDERS
from evaluator import Evaluator
from pictures import picture
from PIL import Image
from results import LIMITS, Race, noise, row, start_line, table
from turns import Contender, eight_bit

from nst_core import VGG16, Runtime, load_vgg16


def race(names: list[str], folder: Path, options: dict[str, Any]) -> list[Contender]:
    """Every contender in turns until the picture makers are done."""
    script = Path(__file__).parent / "contenders.py"
    runners = [
        Contender.start(name, script, folder / name.replace(" ", "-"), options) for name in names
    ]
    try:
        while waiting := [c for c in runners if not c.done]:
            if all(c.name in LIMITS.values() for c in waiting):
                break
            for contender in waiting:
                contender.turn()
            done = "; ".join(f"{c.name} {len(c.records)}" for c in runners)
            print(f"\r{done}", end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("\nStopped; the table is of what there is.", file=sys.stderr)
    finally:
        for contender in runners:
            contender.stop()
    print(file=sys.stderr)
    return runners


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=512, help="longer side in pixels")
    parser.add_argument("--evaluations", type=int, default=100, help="of each contender")
    parser.add_argument("--content", default="harbor", help="a sample or a file")
    parser.add_argument("--style", default="brushstrokes", help="a sample or a file")
    parser.add_argument("--weights", default="builtin", help="a name or a file")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps")
    parser.add_argument("--turn", type=float, default=6.0, help="seconds of a turn")
    parser.add_argument(
        "--without",
        metavar="NAME",
        action="append",
        default=[],
        choices=CONTENDERS,
        help=f"a contender to leave out, as often as needed: {'; '.join(CONTENDERS)}",
    )
    parser.add_argument("--neural-style-pt", metavar="PATH", help="a checkout, to run it beside")
    parser.add_argument("--json", type=Path, help="where to write everything")
    return parser.parse_args()


def taking_part(asked: argparse.Namespace, runtime: Runtime) -> list[str]:
    """The names of all that can run here and are not left out."""
    left_out = set(asked.without)
    if runtime.dtype == torch.float32:
        left_out.add("convolutions")  # the same as those in float32
    if not asked.neural_style_pt:
        left_out.add("neural-style-pt")
    return [name for name in CONTENDERS if name not in left_out]


def heading(asked: argparse.Namespace, vgg: VGG16, runtime: Runtime, size: tuple[int, int]) -> str:
    """What the table is of, in a line."""
    precision = str(runtime.dtype).removeprefix("torch.")
    if runtime.finish:
        precision += ", the last steps in float32"
    machine = f"{platform.machine()} with {torch.backends.cpu.get_cpu_capability()}"
    if runtime.device.type == "cuda":
        machine = torch.cuda.get_device_name(runtime.device)
    return (
        f"{vgg.source}; {size[0]}x{size[1]} px, {asked.content} in {asked.style}; "
        f"precision auto: {precision}; {machine}, {os.cpu_count()} cores; torch {torch.__version__}"
    )


def drawn(asked: argparse.Namespace, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The content and the style, (H, W, 3) uint8; also in the folder, for the contenders."""
    pictures = [eight_bit(picture(name, asked.size)) for name in (asked.content, asked.style)]
    for kind, pixels in zip(("content", "style"), pictures, strict=True):
        np.save(folder / f"{kind}.npy", pixels)
        Image.fromarray(pixels).save(folder / f"{kind}.png")
    return pictures[0], pictures[1]


def main() -> None:
    """Run, score, print."""
    asked = parsed()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: print what there is
    vgg, runtime = load_vgg16(asked.weights), Runtime.choose(asked.device)
    options = {k: getattr(asked, k) for k in ("device", "evaluations", "turn", "weights")}
    options["neural_style_pt"] = asked.neural_style_pt
    load, began = os.getloadavg(), time.time()
    with tempfile.TemporaryDirectory() as kept:
        content, style = drawn(asked, Path(kept))
        contenders = race(taking_part(asked, runtime), Path(kept), options)
        weights = {k.removeprefix("convolutions."): v for k, v in vgg.state_dict().items()}
        over = Race(contenders, Evaluator(weights, vgg.preprocessing, content, style), {})
        goals = over.goals(sorted({min(100, asked.evaluations), asked.evaluations}))
        rows = [row(over, c, asked.evaluations, goals) for c in contenders if c.records]
    report = {
        "asked": {k: str(v) for k, v in vars(asked).items()},
        "heading": heading(asked, vgg, runtime, content.shape[1::-1]),
        "start_loss": over.evaluator.score(content),
        "goals": goals,
        "rows": rows,
        "broke": {c.name: c.error for c in contenders if c.error},
        "noise": noise(over),
        "load_before": load,
        "load_after": os.getloadavg(),
        "seconds": time.time() - began,
        "trajectories": {c.name: c.records for c in contenders},
    }
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1))
    show(report)


def show(report: dict[str, Any]) -> None:
    """The report for people."""
    print(report["heading"], end="\n\n")
    print(table(report["rows"], report["goals"]))
    print(start_line(report["rows"], report["start_loss"]))
    for name, error in report["broke"].items():
        print(f"{name} did not run: {error}")
    loads = f"{report['load_before'][0]:.1f} before and {report['load_after'][0]:.1f} after"
    print(f"Load average {loads}.")
    if report["noise"]:
        times = ", ".join(f"{v:.3f} s ({k})" for k, v in report["noise"].items())
        print(f"The same convolutions took {times}.")


if __name__ == "__main__":
    main()
