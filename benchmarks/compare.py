"""Our engine beside the others: same weights, pictures, objective and start; one run, one table.

    python benchmarks/compare.py                                      # 512 px, 100 evaluations
    python benchmarks/compare.py --size 96 --evaluations 12           # a smoke test
    python benchmarks/compare.py --neural-style-pt path/to/checkout --evaluations 300

All contenders work in turns of a few seconds, so that a machine that changes speed changes it for
everyone. Losses are those of the 8-bit picture after an evaluation, scored in float32 by
`evaluator.py`. Everything is written to --json, the table to the terminal.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from evaluator import Evaluator
from pictures import picture
from PIL import Image
from turns import Contender, eight_bit

from nst_core import Runtime, load_vgg16

HERE = Path(__file__).parent
PEER = "torch-lbfgs"
PEERS = (PEER, "scipy")
FLOAT32 = "convolutions in float32"
LIMITS = {
    "ours": "convolutions",  # in bfloat16, where that is what we take
    "ours at one scale": "convolutions",
    "ours in float32": FLOAT32,
}


@dataclass(frozen=True, eq=False)
class Race:
    """A run that is over, ready to be asked."""

    contenders: list[Contender]
    evaluator: Evaluator
    scores: dict[tuple[str, int], float]

    def named(self, name: str) -> Contender | None:
        """The contender, if it took part and got anywhere."""
        return next((c for c in self.contenders if c.name == name and c.records), None)

    def score(self, contender: Contender, evaluation: int) -> float:
        """The loss of the latest picture that there was at an evaluation."""
        pictures = [n for n in contender.snapshots() if n <= evaluation]
        if not pictures:
            return float("nan")  # still at a coarser scale
        key = contender.name, pictures[-1]
        if key not in self.scores:
            self.scores[key] = self.evaluator.score(contender.picture(key[1]))
        return self.scores[key]

    def reached(self, contender: Contender, target: float) -> int | None:
        """The first evaluation with a picture no worse than a loss; found by halving."""
        pictures = contender.snapshots()
        if not pictures or self.score(contender, pictures[-1]) > target:
            return None
        low, high = -1, len(pictures) - 1
        while high - low > 1:
            middle = (low + high) // 2
            if self.score(contender, pictures[middle]) <= target:
                high = middle
            else:
                low = middle
        return pictures[high]


def race(names: list[str], folder: Path, options: dict[str, Any]) -> list[Contender]:
    """Every contender in turns until the picture makers are done."""
    script = HERE / "contenders.py"
    runners = [Contender.start(name, script, folder / slug(name), options) for name in names]
    try:
        while waiting := [c for c in runners if not c.done]:
            if all(c.name in LIMITS.values() for c in waiting):
                break
            for contender in waiting:
                contender.turn()
            best = ", ".join(f"{c.name} {len(c.records)}" for c in runners)
            print(f"\r{best}", end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("\nStopped; the table is of what there is.", file=sys.stderr)
    finally:
        for contender in runners:
            contender.stop()
    print(file=sys.stderr)
    return runners


def slug(name: str) -> str:
    """The name as a folder."""
    return name.replace(" ", "-")


def row(race: Race, contender: Contender, evaluations: int, marks: list[int]) -> dict[str, Any]:
    """All figures of one contender."""
    size_notes = [note for *_, note in contender.records]
    # Coarser scales and the first evaluations, which pay for set-up, are not the usual step.
    usual = [spent for _, _, spent, note in contender.records[2:] if note == size_notes[-1]]
    figures: dict[str, Any] = {
        "name": contender.name,
        "seconds_per_evaluation": statistics.median(usual or [float("nan")]),
        "peak_bytes": contender.peak,
        "above_imports_bytes": contender.peak - contender.base,
    }
    if contender.name in LIMITS.values():
        return figures
    limit = race.named(LIMITS.get(contender.name, FLOAT32)) or race.named(FLOAT32)
    if limit is not None:
        per_walk = statistics.median(spent for _, _, spent, _ in limit.records)
        figures["over_limit"] = figures["seconds_per_evaluation"] / per_walk
    figures["first_picture_seconds"] = contender.seconds_at(1)
    figures["evaluations"] = len(contender.records)
    figures["final_loss"] = race.score(contender, evaluations)
    peer = race.named(PEER)
    for mark in marks if peer else []:
        if mark > len(peer.records):
            continue
        reached = race.reached(contender, race.score(peer, mark))
        figures[f"to_loss_{mark}"] = reached and {
            "evaluations": reached,
            "seconds": contender.seconds_at(reached),
        }
    return figures


def table(rows: list[dict[str, Any]], marks: list[int]) -> str:
    """The figures for people; the ratio is to our own time."""
    heads = [
        "",
        "s / evaluation",
        "x limit",
        "first picture",
        "peak",
        "above imports",
        "final loss",
    ]
    heads += [f"to {PEER}'s loss at {mark}" for mark in marks]
    lines = ["| " + " | ".join(heads) + " |", "|-" * len(heads) + "|"]
    mine = next((r for r in rows if r["name"] == "ours"), {})
    for figures in rows:
        cells = [figures["name"], f"{figures['seconds_per_evaluation']:.3f}"]
        cells += [
            f"{figures['over_limit']:.2f}" if "over_limit" in figures else "",
            f"{figures['first_picture_seconds']:.1f} s" if "final_loss" in figures else "",
            f"{figures['peak_bytes'] / 1e9:.2f} GB",
            f"{figures['above_imports_bytes'] / 1e9:.2f} GB",
            f"{figures['final_loss']:.6g}" if "final_loss" in figures else "",
        ]
        cells += [_reached(figures, mine, f"to_loss_{mark}") for mark in marks]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _reached(figures: dict[str, Any], mine: dict[str, Any], key: str) -> str:
    if "final_loss" not in figures:
        return ""
    there, here = figures.get(key), mine.get(key)
    if not there:
        return "not reached"
    ratio = f", {there['seconds'] / here['seconds']:.2f}x ours" if here else ""
    return f"{there['evaluations']} in {there['seconds']:.1f} s{ratio}"


def noise(race: Race) -> dict[str, float]:
    """How much the machine changed under us: the same convolutions, turn by turn."""
    limit = race.named("convolutions") or race.named(FLOAT32)
    times = [spent for _, _, spent, _ in limit.records[1:]] if limit else []
    if not times:
        return {}
    quartiles = statistics.quantiles(times, n=4) if len(times) > 1 else times * 3
    return {"fastest": min(times), "median": quartiles[1], "third_quartile": quartiles[2]}


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=512, help="longer side in pixels")
    parser.add_argument("--evaluations", type=int, default=100, help="of each contender")
    parser.add_argument("--content", default="harbor", help="a sample or a file")
    parser.add_argument("--style", default="brushstrokes", help="a sample or a file")
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps")
    parser.add_argument("--turn", type=float, default=6.0, help="seconds of a turn")
    parser.add_argument("--without", default="", help="contenders to leave out, with commas")
    parser.add_argument("--neural-style-pt", metavar="PATH", help="a checkout, to run it beside")
    parser.add_argument("--json", type=Path, help="where to write everything")
    return parser.parse_args()


def main() -> None:
    """Run, score, print."""
    asked = parsed()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: print what there is
    names = [*PEERS, *LIMITS, *dict.fromkeys(LIMITS.values())]
    if Runtime.choose(asked.device).dtype == torch.float32:
        names.remove("convolutions")
    names += ["neural-style-pt"] if asked.neural_style_pt else []
    names = [name for name in names if name not in asked.without.split(",")]
    options = {k: getattr(asked, k) for k in ("device", "evaluations", "turn", "weights")}
    options["neural_style_pt"] = asked.neural_style_pt
    load, began = os.getloadavg(), time.time()
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        pictures = {}
        for kind, name in (("content", asked.content), ("style", asked.style)):
            pictures[kind] = eight_bit(picture(name, asked.size))
            np.save(folder / f"{kind}.npy", pictures[kind])
            Image.fromarray(pictures[kind]).save(folder / f"{kind}.png")
        contenders = race(names, folder, options)
        vgg = load_vgg16(asked.weights)
        weights = {k.removeprefix("convolutions."): v for k, v in vgg.state_dict().items()}
        evaluator = Evaluator(weights, vgg.preprocessing, pictures["content"], pictures["style"])
        over = Race(contenders, evaluator, {})
        marks = sorted({min(100, asked.evaluations), asked.evaluations})
        rows = [row(over, c, asked.evaluations, marks) for c in contenders if c.records]
        report = {
            "asked": {k: str(v) for k, v in vars(asked).items()},
            "start_loss": evaluator.score(pictures["content"]),
            "rows": rows,
            "broke": {c.name: c.error for c in contenders if c.error},
            "noise": noise(over),
            "load_before": load,
            "load_after": os.getloadavg(),
            "torch": torch.__version__,
            "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
            "seconds": time.time() - began,
            "trajectories": {c.name: c.records for c in contenders},
        }
    print(table(rows, marks))
    print(f"Loss of the content itself, where all start: {report['start_loss']:.6g}.")
    for name, error in report["broke"].items():
        print(f"{name} did not run: {error}")
    print(
        f"Load average {load[0]:.1f} before and {os.getloadavg()[0]:.1f} after; the same "
        f"convolutions took " + ", ".join(f"{v:.3f} s ({k})" for k, v in report["noise"].items())
    )
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
