"""From nothing to the weights called `builtin`."""

import json
import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from nst_core import load_vgg16

from .curves import draw_curves
from .export import write_weights
from .learning import Training
from .pace import pictures_in
from .schedule import PICTURES, Plan, Step

LOG_EVERY = 20  # steps, over which the log has means


def train(
    out: Annotated[Path, typer.Option(help="Folder of the checkpoint, the log and the weights.")],
    pictures: Annotated[int, typer.Option(help="Pictures to learn from, in all.")] = PICTURES,
    minutes: Annotated[
        float, typer.Option(help="Instead of --pictures: as many as are learned in this time.")
    ] = 0.0,
    peak: Annotated[float, typer.Option(help="Highest learning rate of AdamW.")] = 1.5e-3,
    seed: Annotated[int, typer.Option(help="Of weights and pictures.")] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Of the CPU; 0 is all.")] = 0,
    only: Annotated[str, typer.Option(help="Objectives, with commas; empty is all.")] = "",
    minutes_between: Annotated[float, typer.Option(help="Between checkpoints.")] = 5.0,
    start: Annotated[
        str, typer.Option(help="builtin or a file to go on from; only the last cycle is learned.")
    ] = "",
    max_minutes: Annotated[float, typer.Option(help="Stop to be resumed later; 0 never.")] = 0.0,
) -> None:
    """Train, with checkpoints: started again with the same folder, it goes on where it stopped."""
    torch.manual_seed(seed)
    if threads:
        torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint, log = out / "checkpoint.pt", out / "log.jsonl"
    plan = Plan(pictures)
    if checkpoint.exists():
        plan = Plan(_pictures_of(checkpoint))
    elif minutes:
        plan = Plan(pictures_in(minutes, device, plan))
        typer.echo(f"{plan.pictures} pictures in {minutes:g} minutes")
    run = Training(plan, peak, seed, torch.device(device), only)
    if start:
        run.take_up(load_vgg16(start))
    first = run.restore(checkpoint) or (plan.last_cycle() if start else 0)
    _learn(run, first, Logbook(log), checkpoint, minutes_between, max_minutes)
    write_weights(checkpoint, out / "builtin.safetensors")
    draw_curves(log, out / "curves.png")


def _pictures_of(checkpoint: Path) -> int:
    state = torch.load(checkpoint, weights_only=True, map_location="cpu", mmap=True)
    return int(state["pictures"])


def _learn(
    run: Training,
    first: int,
    log: "Logbook",
    checkpoint: Path,
    minutes_between: float,
    max_minutes: float,
) -> None:
    """All steps from the first on, or as many as there is time for."""
    steps = run.plan.steps()
    saved = began = time.monotonic()
    for number, batch in enumerate(run.batches(first), first):
        log.note(number, steps[number], run.learn(batch, steps[number]))
        now = time.monotonic()
        late = 0 < 60 * max_minutes < now - began
        if late or number + 1 == len(steps) or now - saved > 60 * minutes_between:
            run.save(checkpoint, number + 1)
            saved = now
        if late:
            return


class Logbook:
    """A line of JSON for every few steps, with the means of their losses."""

    def __init__(self, path: Path) -> None:
        self._file, self._began = path.open("a"), time.monotonic()
        self._recent: list[dict[str, Tensor]] = []

    def note(self, number: int, step: Step, losses: dict[str, Tensor]) -> None:
        """The losses of a step; looked at only when a line is full, for that waits for them."""
        self._recent.append(losses)
        if (number + 1) % LOG_EVERY:
            return
        means = {
            name: float(torch.stack([r[name] for r in self._recent]).mean()) for name in losses
        }
        minutes = (time.monotonic() - self._began) / 60
        line = {"step": number + 1, "done": step.done, "side": step.side, **means}
        self._file.write(json.dumps({**line, "minutes": minutes}) + "\n")
        self._file.flush()
        self._recent.clear()
