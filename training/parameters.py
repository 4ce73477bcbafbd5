"""What makes a class of texture, and what is left to chance."""

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

# Slowest and fastest wave: 50 pixels, and a little above Nyquist's two.
FREQUENCIES = (0.02, 0.33)


@dataclass(frozen=True)
class Parameters:
    """What makes a class, one value for each of n textures: every tensor is (n,).

    Attributes:
        kind: index into `KINDS`.
        frequency: cycles per pixel of its main structure.
        angle: radians; textures are the same after half a turn.
        elongation: 0 looks the same in all directions, 1 is stretched along `angle`.
        bandwidth: octaves around the frequency that take part.
        warp: how far the pattern is bent, in its own wavelengths.
        sharpness: from a soft wave (0.5) to hard edges (8).
        cloudiness: how much of it is slow fractal noise instead, as light and shade add.
        level: which share is light: the threshold of the contrast curve, in standard deviations.
        relief: how strongly the pattern is lit from the side, as thick paint is.
    """

    kind: Tensor
    frequency: Tensor
    angle: Tensor
    elongation: Tensor
    bandwidth: Tensor
    warp: Tensor
    sharpness: Tensor
    cloudiness: Tensor
    level: Tensor
    relief: Tensor

    def __getitem__(self, index: Tensor) -> "Parameters":
        """The textures at an index."""
        return Parameters(*(getattr(self, item.name)[index] for item in fields(self)))


def draw_parameters(count: int, kinds: int, generator: torch.Generator) -> Parameters:
    """`count` classes at random, evenly over so many kinds."""
    device = generator.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator, device=device)

    low, high = (math.log(value) for value in FREQUENCIES)
    return Parameters(
        kind=torch.arange(count, device=device) % kinds,
        frequency=uniform(low, high).exp(),
        angle=uniform(0, math.pi),
        elongation=uniform(0, 1),
        bandwidth=uniform(0.15, 0.8),
        warp=uniform(0, 1) ** 2,
        sharpness=uniform(math.log(0.5), math.log(8)).exp(),
        cloudiness=uniform(-0.4, 0.6).clamp(min=0),
        level=uniform(-0.8, 0.8),
        relief=uniform(-0.6, 1).clamp(min=0),
    )


def join(first: Parameters, second: Parameters) -> Parameters:
    """The textures of both, one after the other."""
    names = [item.name for item in fields(first)]
    return Parameters(*(torch.cat([getattr(first, n), getattr(second, n)]) for n in names))


def neighbors(textures: Parameters, generator: torch.Generator) -> Parameters:
    """Each texture followed by one of its kind that differs a little in everything else: (2n,)."""
    doubled = textures[torch.arange(2 * len(textures.kind), device=generator.device) // 2]

    def moved(values: Tensor, spread: float, low: float, high: float) -> Tensor:
        by = spread * torch.randn(len(values) // 2, generator=generator, device=generator.device)
        other = (values[1::2] + by).clamp(low, high)
        return torch.stack([values[::2], other], dim=1).flatten()

    slowest, fastest = (math.log(value) for value in FREQUENCIES)
    return Parameters(
        kind=doubled.kind,
        frequency=moved(doubled.frequency.log(), 0.3, slowest, fastest).exp(),
        angle=moved(doubled.angle, 0.4, -math.pi, 2 * math.pi),
        elongation=moved(doubled.elongation, 0.3, 0, 1),
        bandwidth=moved(doubled.bandwidth, 0.2, 0.15, 0.8),
        warp=moved(doubled.warp, 0.3, 0, 1),
        sharpness=moved(doubled.sharpness.log(), 0.5, math.log(0.5), math.log(8)).exp(),
        cloudiness=moved(doubled.cloudiness, 0.2, 0, 0.6),
        level=moved(doubled.level, 0.3, -0.8, 0.8),
        relief=moved(doubled.relief, 0.3, 0, 1),
    )
