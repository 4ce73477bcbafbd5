"""From nothing to the weights called `builtin`."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch.utils.data import DataLoader, IterableDataset

from nst_core import VGG16, load_vgg16
from nst_core.errors import SettingsError
from nst_core.preprocessing import CAFFE
from nst_core.runtime import has_bfloat16

from .curves import draw_curves
from .export import write_weights
from .network import Heads, TrainingVGG, taken_up
from .objectives import losses_of
from .scenes import Batch, Classes, draw_batch, without_color
from .schedule import Plan, Step

CLASSES = 224
_SEEN = 96  # pictures, and their side, by which a network that is taken up gets its batch norms
LOG_EVERY = 20  # steps, over which the log has means


class Pictures(IterableDataset[Batch]):
    """The batches of a plan from a step on; each depends on the seed and its number only."""

    def __init__(self, plan: Plan, seed: int, start: int, device: str) -> None:
        self.plan, self.seed, self.start, self.device = plan, seed, start, device

    def __iter__(self) -> Iterator[Batch]:
        device = torch.device(self.device)
        classes = Classes.drawn(CLASSES, self.seed, device)
        for number, step in enumerate(self.plan.steps()):
            if number < self.start:
                continue
            generator = torch.Generator(device).manual_seed(self.seed * 1_000_003 + number)
            batch = draw_batch(classes, step.batch // 2, step.side, generator, step.free)
            # Every other four, two pairs that may be neighbors, without color, so that texture
            # alone must tell styles apart.
            gray = (torch.arange(step.batch, device=device) // 4 % 2 == 0).view(-1, 1, 1, 1)
            images = torch.where(gray, without_color(batch.images), batch.images)
            yield replace(batch, images=images)


def train(
    out: Annotated[Path, typer.Option(help="Folder of the checkpoint, the log and the weights.")],
    pictures: Annotated[int, typer.Option(help="Pictures to learn from, in all.")] = 440_000,
    peak: Annotated[float, typer.Option(help="Highest learning rate of AdamW.")] = 1e-3,
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
    plan = Plan(pictures)
    run = Training(plan, peak, seed, torch.device(device), only)
    if start:
        run.take_up(load_vgg16(start))
    first = run.restore(out / "checkpoint.pt") or (plan.last_cycle() if start else 0)
    log = (out / "log.jsonl").open("a")
    saved = began = time.monotonic()
    steps = plan.steps()
    recent: list[dict[str, float]] = []
    for step, batch in enumerate(run.batches(first), first):
        recent.append(run.learn(batch, steps[step]))
        if (step + 1) % LOG_EVERY == 0:
            means = {name: sum(r[name] for r in recent) / len(recent) for name in recent[0]}
            record = {"step": step + 1, "done": steps[step].done, "side": steps[step].side, **means}
            log.write(json.dumps({**record, "minutes": (time.monotonic() - began) / 60}) + "\n")
            log.flush()
            recent.clear()
        full = step + 1 == len(steps)
        late = max_minutes and time.monotonic() - began > 60 * max_minutes
        if full or late or time.monotonic() - saved > 60 * minutes_between:
            run.save(out / "checkpoint.pt", step + 1)
            saved = time.monotonic()
        if late:
            return
    write_weights(out / "checkpoint.pt", out / "builtin.safetensors")
    draw_curves(out / "log.jsonl", out / "curves.png")


class Training:
    """Network, heads and optimizer of one training."""

    def __init__(self, plan: Plan, peak: float, seed: int, device: torch.device, only: str) -> None:
        self.plan, self.peak, self.seed, self.device = plan, peak, seed, device
        self.only = only.split(",") if only else list(plan.steps()[0].weights)
        self.network = TrainingVGG().to(device, memory_format=torch.channels_last)
        self.heads = Heads(CLASSES).to(device)
        groups = [*self.network.parameters(), *self.heads.parameters()]
        self.optimizer = torch.optim.AdamW(groups, lr=peak, weight_decay=0.02, fused=True)

    def take_up(self, vgg: VGG16) -> None:
        """Go on from plain convolutions, with heads that have learned nothing."""
        if vgg.preprocessing.name != CAFFE.name:
            raise SettingsError(f"{vgg.source} wants another input than what is trained here.")
        classes = Classes.drawn(CLASSES, self.seed, torch.device("cpu"))
        generator = torch.Generator().manual_seed(self.seed)
        pictures = draw_batch(classes, _SEEN // 2, _SEEN, generator).images
        taken = taken_up(vgg.weights(), pictures)
        self.network.load_state_dict(taken.state_dict())

    def batches(self, start: int) -> Iterator[Batch]:
        """Drawn beside the training on a CPU, on the device itself otherwise."""
        pictures = Pictures(self.plan, self.seed, start, str(self.device))
        if self.device.type != "cpu":
            return iter(pictures)
        return iter(DataLoader(pictures, batch_size=None, num_workers=1, prefetch_factor=4))

    def learn(self, batch: Batch, step: Step) -> dict[str, float]:
        """One step; returns what each objective was."""
        for group in self.optimizer.param_groups:
            group["lr"] = step.rate * self.peak
        with torch.autocast(self.device.type, torch.bfloat16, has_bfloat16(self.device)):
            features = self.network(batch.images)
            losses = losses_of(features, self.heads, batch)
        total = torch.stack([step.weights[name] * losses[name] for name in self.only]).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        parameters = [*self.network.parameters(), *self.heads.parameters()]
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        self.optimizer.step()
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def save(self, path: Path, step: int) -> None:
        """All that is needed to go on, written beside and then moved into place."""
        state: dict[str, Any] = {"step": step, "pictures": self.plan.pictures, "seed": self.seed}
        state |= {name: getattr(self, name).state_dict() for name in _STATEFUL}
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def restore(self, path: Path) -> int:
        """Take up a checkpoint, if there is one; returns the step to go on with."""
        if not path.exists():
            return 0
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location=self.device)
        for name in _STATEFUL:
            getattr(self, name).load_state_dict(state[name])
        return int(state["step"])


_STATEFUL = ("network", "heads", "optimizer")
