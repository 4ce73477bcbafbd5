"""Pictures as they are drawn for a training, and the network as it learns from them."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from nst_core import VGG16
from nst_core.errors import SettingsError
from nst_core.gatys.preprocessing import CAFFE
from nst_core.run.devices import has_bfloat16

from .network import Heads, TrainingVGG, taken_up
from .objectives import losses_of
from .scenes import Batch, Classes, draw_batch, without_color
from .schedule import Plan, Step

CLASSES = 224
_SEEN = 96  # pictures, and their side, by which a network that is taken up gets its batch norms


def drawn_at_once(device: torch.device) -> int:
    """Steps whose pictures are drawn together; a graphics card waits for calls, not for pixels."""
    return 1 if device.type == "cpu" else 8


class Pictures(IterableDataset[Batch]):
    """The batches of a plan from a step on; each depends on the seed and its number only."""

    def __init__(self, plan: Plan, seed: int, start: int, device: str) -> None:
        self.plan, self.seed, self.start, self.device = plan, seed, start, device

    def __iter__(self) -> Iterator[Batch]:
        device = torch.device(self.device)
        classes = Classes.drawn(CLASSES, self.seed, device)
        for first, steps in _alike(self.plan.steps(), drawn_at_once(device)):
            if first + len(steps) <= self.start:
                continue
            generator = torch.Generator(device).manual_seed(self.seed * 1_000_003 + first)
            step, pairs = steps[0], len(steps) * steps[0].batch // 2
            drawn = draw_batch(classes, pairs, step.side, generator, step.free)
            for part in range(max(0, self.start - first), len(steps)):
                yield dealt(drawn, part, len(steps))


def _alike(steps: Sequence[Step], most: int) -> Iterator[tuple[int, Sequence[Step]]]:
    """Runs of up to so many steps whose pictures can be drawn together; each with its number."""
    numbered = enumerate(steps)
    for _, run in groupby(numbered, key=lambda one: (one[1].side, one[1].batch, one[1].free)):
        alike = list(run)
        for start in range(0, len(alike), most):
            part = alike[start : start + most]
            yield part[0][0], [step for _, step in part]


def dealt(drawn: Batch, part: int, parts: int) -> Batch:
    """One of `parts` batches of what was drawn together, in fours: two pairs that may be neighbors.

    Every other four is without color, so that texture alone must tell styles apart.
    """
    images, ground, share = (
        values.unflatten(0, (-1, 4))[part::parts].flatten(0, 1)
        for values in (drawn.images, drawn.ground, drawn.ground_share)
    )
    gray = (torch.arange(len(images), device=images.device) // 4 % 2 == 0).view(-1, 1, 1, 1)
    return Batch(torch.where(gray, without_color(images), images), ground, share)


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

    def learn(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """One step; returns what each objective was, on the device."""
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
        return {name: loss.detach() for name, loss in losses.items()}

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
