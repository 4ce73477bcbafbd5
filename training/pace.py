"""How many pictures a machine learns from in a given time."""

import time

import torch

from .learning import Training, drawn_at_once
from .schedule import Cycle, Plan

_SHARE = 0.97  # of the time that is planned with; the rest is for checkpoints and noise


def pictures_in(minutes: float, device: str, plan: Plan) -> int:
    """As many pictures as `plan` may have, by the pace of a few steps of each of its stages."""
    seconds = sum(share * _seconds_each(side, batch, device) for share, side, batch in plan.stages)
    return round(60 * minutes * _SHARE / seconds)


def _seconds_each(side: int, batch: int, device: str) -> float:
    """Of one picture, with all that belongs to it; the first half of the steps is for set-up."""
    cycle = Cycle(1.0, 1.0, 0.5, 1.0, Plan(0).cycles[0].weights)
    half = drawn_at_once(torch.device(device))
    plan = Plan(2 * half * batch, ((1.0, side, batch),), (cycle,))
    run = Training(plan, 1e-3, 0, torch.device(device), "")
    began, steps = 0.0, plan.steps()
    for number, batch_drawn in enumerate(run.batches(0)):
        losses = run.learn(batch_drawn, steps[number])
        if number + 1 == half:
            float(losses["classes"])  # waits for the device
            began = time.monotonic()
    float(losses["classes"])
    return (time.monotonic() - began) / (half * batch)
