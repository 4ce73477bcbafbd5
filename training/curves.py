"""The log of a training as a picture."""

import json
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

_NOT_LOSSES = ("step", "done", "side", "minutes")


def draw_curves(log: Path, out: Path) -> None:
    """One curve for each objective over the steps; none if the log has no line yet."""
    records = [json.loads(line) for line in log.read_text().splitlines()]
    if not records:
        return
    steps = [record["step"] for record in records]
    names = [name for name in records[0] if name not in _NOT_LOSSES]
    figure, axes = plt.subplots(1, len(names), figsize=(4 * len(names), 3), layout="constrained")
    changes = [
        later["step"] for earlier, later in pairwise(records) if earlier["side"] != later["side"]
    ]
    for axis, name in zip(axes, names, strict=True):
        axis.plot(steps, [record[name] for record in records])
        axis.set(title=name, xlabel="step", ylim=(0, None))
        for change in changes:  # of the pictures' side
            axis.axvline(change, color="gray", linewidth=0.8, linestyle=":")
    figure.savefig(out, dpi=110)
    plt.close(figure)
