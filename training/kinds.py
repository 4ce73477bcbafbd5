"""The kinds of texture: one function draws n samples, (n, S, S), of n classes of its kind."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .noise import band, directed, noise, polar, standard, white
from .parameters import Parameters

_ORIENTATIONS = 6  # of the noises that a flow is blended from
_LAYERS = 5  # of leaves
_LATTICE = 16  # squares a side, after which random sites repeat


def _place(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    steps = torch.arange(size, dtype=torch.float32, device=device)
    return torch.meshgrid(steps, steps, indexing="ij")


def _along(parameters: Parameters, size: int) -> tuple[Tensor, Tensor]:
    """Every pixel's place along and across each texture's angle, in wavelengths: 2 x (n, S, S)."""
    rows, columns = _place(size, parameters.angle.device)
    cos, sin = parameters.angle.cos().view(-1, 1, 1), parameters.angle.sin().view(-1, 1, 1)
    scale = parameters.frequency.view(-1, 1, 1)
    stretch = (1 + 2 * parameters.elongation).sqrt().view(-1, 1, 1)
    return (columns * cos + rows * sin) * scale / stretch, (rows * cos - columns * sin) * (
        scale * stretch
    )


def _grain(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    return noise(p.frequency, p.bandwidth, size, generator, p.angle, p.elongation)


def _strokes(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """Elongated noise whose direction flows: brush strokes, hair, wood."""
    spectrum = white(len(p.kind), size, generator) * band(p.frequency, p.bandwidth, size)
    swirl = noise(p.frequency / 5, torch.full_like(p.frequency, 0.6), size, generator)
    direction = p.angle.view(-1, 1, 1) + swirl * (1.2 - p.elongation).view(-1, 1, 1)
    total, weights = torch.zeros_like(swirl), torch.zeros_like(swirl)
    for step in range(_ORIENTATIONS):
        angle = torch.full_like(p.angle, math.pi * step / _ORIENTATIONS)
        gain = directed(angle, torch.ones_like(angle), size)
        part = standard(torch.fft.irfft2(spectrum * gain, s=(size, size)))
        weight = (4 * (2 * (direction - angle.view(-1, 1, 1))).cos()).exp()
        total, weights = total + weight * part, weights + weight
    return total / weights


def _dashes(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """Few strokes on a plain ground: rain, scratches, hatching."""
    return _strokes(p, size, generator).sub(0.8).relu()


def _distances(p: Parameters, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Distance of every pixel to the two nearest random sites, and a gray of the nearest one's own.

    After Worley (SIGGRAPH 1996): one site somewhere in each square of a lattice, so that only nine
    have to be looked at. In wavelengths: (2, n, S, S) and (n, S, S).
    """
    count, device = len(p.kind), p.kind.device
    along, across = (part + _LATTICE * _phase(p, generator) for part in _along(p, size))
    table = torch.rand(3, count, _LATTICE**2, generator=generator, device=device)
    first = torch.full((count, size, size), math.inf, device=device)
    second, gray = first.clone(), torch.zeros_like(first)
    for step in range(9):
        square = along.floor() + step // 3 - 1, across.floor() + step % 3 - 1
        index = (square[0] % _LATTICE * _LATTICE + square[1] % _LATTICE).long().flatten(1)
        down, right, own = (part.gather(1, index).view_as(first) for part in table)
        distance = torch.hypot(square[0] + down - along, square[1] + right - across)
        nearer = distance < first
        second = torch.minimum(second, torch.where(nearer, first, distance))
        first, gray = torch.where(nearer, distance, first), torch.where(nearer, own, gray)
    return torch.stack([first, second]), gray


def _edges(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """Joints between cells: stained glass, cracks, skin."""
    (first, second), _ = _distances(p, size, generator)
    return second - first


def _cells(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """A mosaic: every cell has its own gray, some have joints."""
    (first, second), gray = _distances(p, size, generator)
    joint = (second - first < 0.12) & (p.relief > 0.3).view(-1, 1, 1)
    return gray * ~joint


def _dots(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """Round spots at random places."""
    (first, _), _ = _distances(p, size, generator)
    return -first.clamp(max=0.6)


def _leaves(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """Leaves of many sizes lying on each other, as things hide what is behind them.

    Photographs have such statistics (Lee, Mumford and Huang, IJCV 2001). From back to front, one
    leaf in every square of a lattice; the later of two neighbors in a lattice lies above.
    """
    field = torch.zeros(len(p.kind), size, size, device=p.kind.device)
    for _ in range(_LAYERS):
        larger = 2 ** (3 * _phase(p, generator) - 1)
        along, across = (
            part / larger + _LATTICE * _phase(p, generator) for part in _along(p, size)
        )
        shape = (6, len(p.kind), _LATTICE**2)
        table = torch.rand(shape, generator=generator, device=p.kind.device)
        for step in range(9):
            square = along.floor() + step // 3 - 1, across.floor() + step % 3 - 1
            index = (square[0] % _LATTICE * _LATTICE + square[1] % _LATTICE).long().flatten(1)
            down, right, gray, turn, length, slope = (
                part.gather(1, index).view_as(field) for part in table
            )
            x, y = along - square[0] - down, across - square[1] - right
            cos, sin = (math.pi * turn).cos(), (math.pi * turn).sin()
            reach = 0.3 + 0.7 * length
            x, y = (x * cos + y * sin) / reach, (y * cos - x * sin) / reach
            inside = x.square() + (1 + 3 * p.elongation.view(-1, 1, 1)) * y.square() < 1
            field = torch.where(inside, gray + (slope - 0.5) * x, field)
    return field


def _phase(p: Parameters, generator: torch.Generator) -> Tensor:
    return torch.rand(len(p.kind), 1, 1, generator=generator, device=p.kind.device)


def _stripes(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    _, across = _along(p, size)
    return (2 * math.pi * (across + _phase(p, generator))).sin()


def _checks(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    along, across = (part + _phase(p, generator) for part in _along(p, size))
    return (2 * math.pi * along).sin() * (2 * math.pi * across).sin()


def _weave(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """Threads over and under each other."""
    along, across = (part + _phase(p, generator) for part in _along(p, size))
    over = (along.floor() + across.floor()) % 2 == 0
    return torch.where(over, (math.pi * along).sin().abs(), -(math.pi * across).sin().abs())


def _bricks(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    along, across = (part + _phase(p, generator) for part in _along(p, size))
    shifted = along + (across.floor() % 2) * 0.5
    joint = torch.minimum(shifted % 1, 2 * (across % 1))
    return joint.clamp(max=0.25)


def clouds(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """Fractal noise: amplitude falls with a power of the frequency."""
    radius, _ = polar(size, p.kind.device)
    gain = radius.unsqueeze(0) ** -(0.8 + 2 * p.bandwidth).view(-1, 1, 1)
    gain = gain * directed(p.angle, p.elongation / 2, size)
    return standard(torch.fft.irfft2(white(len(p.kind), size, generator) * gain, s=(size, size)))


def _ridges(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """Folds: where noise changes its sign."""
    return -_grain(p, size, generator).abs()


def _marble(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    _, across = _along(p, size)
    veins = 2 * clouds(p, size, generator) * (0.3 + p.warp).view(-1, 1, 1)
    return (2 * math.pi * across + veins).sin()


def _waves(p: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """Rings around places: ripples, onions, swirls."""
    rows, columns = _place(size, p.kind.device)
    spot = torch.rand(2, len(p.kind), 1, 1, generator=generator, device=p.kind.device) * size
    radius = torch.hypot(rows - spot[0], columns - spot[1]) * p.frequency.view(-1, 1, 1)
    turn = torch.atan2(rows - spot[0], columns - spot[1]) * (3 * p.elongation).floor().view(
        -1, 1, 1
    )
    return (2 * math.pi * radius + turn).sin()


Draw = Callable[[Parameters, int, torch.Generator], Tensor]
KINDS: dict[str, Draw] = {
    "grain": _grain,
    "strokes": _strokes,
    "dashes": _dashes,
    "edges": _edges,
    "cells": _cells,
    "dots": _dots,
    "stripes": _stripes,
    "checks": _checks,
    "weave": _weave,
    "bricks": _bricks,
    "clouds": clouds,
    "ridges": _ridges,
    "marble": _marble,
    "waves": _waves,
    "leaves": _leaves,
}
