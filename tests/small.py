"""Small networks and pictures that the tests share. Nothing here is trained or downloaded."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nst_core import Runtime
from nst_core.control.losses import Weighed
from nst_core.gatys.objective import Evaluation
from nst_core.gatys.preprocessing import CAFFE
from nst_core.gatys.vgg import VGG16
from nst_core.kernels.convolution import Convolution
from nst_core.run.objective import evaluator_of, in_units


def seeded_vgg(dtype: torch.dtype = torch.float32, pooling: str = "max") -> VGG16:
    """A full-width VGG-16 with He-normal weights: lively features at every layer."""
    generator = torch.Generator().manual_seed(1)
    vgg = VGG16(CAFFE, pooling, convolution=Convolution)
    state = {}
    for name, value in vgg.state_dict().items():
        if name.endswith("weight"):
            fan_in = value[0].numel()
            state[name] = torch.randn(value.shape, generator=generator) * (2 / fan_in) ** 0.5
        else:
            state[name] = torch.zeros_like(value)
    vgg.load_state_dict(state)
    return vgg.to(dtype)


def picture(height: int, width: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """(1, 3, height, width) in [0, 1]: smooth blobs with some noise on top, as pictures have."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 5, 5, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    noise = torch.rand(1, 3, height, width, generator=generator)
    return (0.8 * smooth + 0.2 * noise).to(dtype)


PROGRAMS = Path(__file__).parent / "programs"


def numbers_of(program: str, *words: object) -> list[int]:
    """What a program in a process of its own prints."""
    command = [sys.executable, PROGRAMS / program, *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return [int(word) for word in done.stdout.split()]


@dataclass(frozen=True)
class Scored:
    """Losses of a picture, in units of their largest weight."""

    evaluate: Callable[[Tensor], Evaluation]
    unit: float


def objective_of(losses: Sequence[Weighed], *, vgg: VGG16, **kwargs: Any) -> Scored:
    """As `stylize` makes it at one scale; a network that was not placed is placed."""
    first = vgg.convolutions["conv1_1"]
    if not isinstance(first, Convolution):
        vgg = Runtime(first.weight.device, first.weight.dtype).place(vgg)
    counting, unit = in_units(losses)
    return Scored(evaluator_of(counting, vgg=vgg, **kwargs).evaluate, unit)
