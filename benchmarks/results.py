"""What a run of `compare.py` brought: the figures of each contender, and the table of them."""

import statistics
from dataclasses import dataclass
from typing import Any

from evaluator import Evaluator
from turns import Contender

# Whose losses are to be reached: the usual program's, and our own engine's without what we added
# to L-BFGS.
PEERS = ("torch-lbfgs", "ours, plain")
FLOAT32 = "convolutions in float32"
# The machine's limit of each contender; of all others it is FLOAT32.
LIMITS = {
    "ours": "convolutions",  # in bfloat16, where that is what we take
    "ours at one scale": "convolutions",
    "ours, plain": "convolutions",
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

    def goals(self, evaluations: list[int]) -> dict[str, float]:
        """The losses of the peers after some evaluations, by what they are called."""
        peers = [peer for name in PEERS if (peer := self.named(name))]
        return {
            f"{peer.name}'s loss at {evaluation}": self.score(peer, evaluation)
            for peer in peers
            for evaluation in evaluations
            if evaluation <= len(peer.records)
        }

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


def row(
    race: Race, contender: Contender, evaluations: int, goals: dict[str, float]
) -> dict[str, Any]:
    """All figures of one contender."""
    last = contender.records[-1]
    # Coarser scales and the first evaluations, which pay for set-up, are not the usual step.
    usual = [lap.spent for lap in contender.records[2:] if lap.note == last.note]
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
        per_limit = statistics.median(lap.spent for lap in limit.records)
        figures["over_limit"] = figures["seconds_per_evaluation"] / per_limit
    figures["first_picture_seconds"] = contender.seconds_at(1)
    figures["evaluations"] = len(contender.records)
    own = [lap.loss for lap in contender.records if lap.loss is not None]
    figures["own_start_loss"] = contender.records[0].loss
    figures["own_loss"] = min(own, default=float("nan"))
    figures["final_loss"] = race.score(contender, evaluations)
    figures["reached"] = {}
    for goal, loss in goals.items():
        at = race.reached(contender, loss)
        figures["reached"][goal] = at and {"evaluations": at, "seconds": contender.seconds_at(at)}
    return figures


def table(rows: list[dict[str, Any]], goals: dict[str, float]) -> str:
    """The figures for people; the ratio is to our own time."""
    heads = ["", "s / evaluation", "x limit", "first picture", "peak", "above imports"]
    heads += ["own loss", "8-bit loss", *(f"to {goal}" for goal in goals)]
    lines = ["| " + " | ".join(heads) + " |", "|-" * len(heads) + "|"]
    mine = next((r for r in rows if r["name"] == "ours"), {})
    for figures in rows:
        minimizes = "final_loss" in figures
        cells = [
            figures["name"],
            f"{figures['seconds_per_evaluation']:.3f}",
            f"{figures['over_limit']:.2f}" if "over_limit" in figures else "",
            f"{figures['first_picture_seconds']:.1f} s" if minimizes else "",
            f"{figures['peak_bytes'] / 1e9:.2f} GB",
            f"{figures['above_imports_bytes'] / 1e9:.2f} GB",
            f"{figures['own_loss']:.6g}" if minimizes else "",
            f"{figures['final_loss']:.6g}" if minimizes else "",
        ]
        cells += [_reached(figures, mine, goal) if minimizes else "" for goal in goals]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _reached(figures: dict[str, Any], mine: dict[str, Any], goal: str) -> str:
    there, here = figures["reached"][goal], mine and mine["reached"][goal]
    if not there:
        return "not reached"
    ratio = f", {there['seconds'] / here['seconds']:.2f}x ours" if here else ""
    return f"{there['evaluations']} in {there['seconds']:.1f} s{ratio}"


def start_line(rows: list[dict[str, Any]], start: float) -> str:
    """Whether all minimize the same: the content's loss, and how far their own are from it."""
    own = {r["name"]: r["own_start_loss"] for r in rows if r.get("own_start_loss") is not None}
    line = f"Loss of the content itself, where all start: {start:.6g}."
    if own:
        said = (f"{loss / start - 1:+.4%} ({name})" for name, loss in own.items())
        line += f" Own losses there: {', '.join(said)}."
    return line


def noise(race: Race) -> dict[str, float]:
    """How much the machine changed under us: the same convolutions, turn by turn."""
    limit = race.named("convolutions") or race.named(FLOAT32)
    times = [lap.spent for lap in limit.records[1:]] if limit else []
    if not times:
        return {}
    quartiles = statistics.quantiles(times, n=4) if len(times) > 1 else times * 3
    return {"fastest": min(times), "median": quartiles[1], "third_quartile": quartiles[2]}
