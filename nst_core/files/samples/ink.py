"""Style: bamboo in ink wash on warm paper."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .canvas import Canvas, Field, mix, rgb, smoothstep
from .curves import ellipse, rectangle, resampled, ribbon, spline, taper

PAPER, INK = "#efe6d2", "#16161a"


def paint(size: int) -> Canvas:
    """Pale washes first, dark leaves and splatter last."""
    canvas = Canvas(4 / 5, size, seed=1050, color=PAPER)
    canvas.pixels *= (1 + 0.02 * canvas.noise(220, 220, 2) + 0.02 * canvas.noise(5, 5, 3))[
        ..., None
    ]
    _washes(canvas)
    grain = canvas.noise(260, 260)
    stalks = (
        (0.66, 0.05, 0.30, 0.022),
        (0.14, -0.04, 0.42, 0.03),
        (0.52, 0.04, 0.62, 0.036),
        (0.27, 0.07, 0.92, 0.05),
    )
    for x, lean, ink, width in stalks:
        _stalk(canvas, x, lean, ink, width, grain)
        for _ in range(9):
            y = canvas.rng.uniform(0.02, 0.95)
            _leaves(canvas, x + lean * (1 - y), y, ink, grain)
    _splatter(canvas)
    _seal(canvas)
    return canvas


def _washes(canvas: Canvas) -> None:
    for level, swing, ink in ((0.42, 0.12, 0.22), (0.60, 0.09, 0.30), (0.80, 0.07, 0.38)):
        ridge = level + swing * canvas.noise(1, 5, octaves=5)[:1]
        depth = canvas.y - ridge
        bleed = 0.012 * canvas.noise(40, 40, octaves=3)
        mist = smoothstep(0, 0.006, depth + bleed) * np.exp(-np.maximum(depth, 0) / 0.11)
        pool = 1 + 0.35 * canvas.noise(12, 12, octaves=4)
        canvas.paint(np.clip(ink * mist * pool, 0, 1), rgb("#3a4450"))


def _stroke(canvas: Canvas, path: Field, width: Field, ink: float, grain: Field) -> None:
    """One stroke of a wet brush: full in the middle, torn by the paper toward its edges."""
    box, inside = canvas.coverage(ribbon(path, width))
    if not inside.size:
        return
    torn = smoothstep(-1.15, -0.1, grain[box] + 0.9 * ink)
    region = canvas.pixels[box]
    region += (rgb(INK) - region) * (ink * inside * (0.55 + 0.45 * torn))[..., None]


def _stalk(canvas: Canvas, x: float, lean: float, ink: float, width: float, grain: Field) -> None:
    joints = np.cumsum(canvas.rng.uniform(0.15, 0.21, 9)) - 0.2
    for top, bottom in pairwise(joints):
        y = np.linspace(bottom - 0.006, top + 0.006, 24)
        path = np.stack([x + lean * (1 - y), y], axis=-1)
        pinch = 1 + 0.16 * np.abs(np.linspace(-1, 1, 24)) ** 5
        _stroke(canvas, path, width * pinch, ink * 0.55, grain)
        _stroke(canvas, path + np.array([width * 0.36, 0]), width * 0.3 * pinch, ink * 0.7, grain)
        _stroke(canvas, path - np.array([width * 0.43, 0]), width * 0.16 * pinch, ink * 0.6, grain)
        ring = np.stack(
            [np.linspace(-0.7, 0.7, 12) * width, 0.004 * np.cos(np.linspace(-2, 2, 12))], -1
        )
        _stroke(canvas, ring + path[-1], 0.007 * taper(12), ink, grain)


def _leaves(canvas: Canvas, x: float, y: float, ink: float, grain: Field) -> None:
    twig = canvas.rng.choice([-1, 1]) * canvas.rng.uniform(0.05, 0.13)
    end = np.array([x + twig, y - canvas.rng.uniform(-0.02, 0.06)])
    branch = resampled(spline([(x, y), ((x + end[0]) / 2, y - 0.02), (end[0], end[1])]), 16)
    _stroke(canvas, branch, 0.004 * taper(16, 0.1, 0.6) + 0.001, ink, grain)
    for _ in range(canvas.rng.integers(3, 6)):
        angle = canvas.rng.normal(1.35 if twig < 0 else 1.0, 0.55)
        length = canvas.rng.uniform(0.10, 0.19)
        side = np.sign(twig)
        tip = end + length * np.array([side * np.cos(angle), np.sin(angle)])
        bend = (end + tip) / 2 + canvas.rng.normal(0, 0.008, 2)
        path = resampled(spline([end, bend, tip]), 24)
        width = canvas.rng.uniform(0.014, 0.024) * taper(24, 0.35, 0.75)
        _stroke(canvas, path, width, min(1.0, ink * canvas.rng.uniform(0.8, 1.2)), grain)


def _splatter(canvas: Canvas) -> None:
    for _ in range(260):
        x, y = canvas.rng.uniform(0, canvas.aspect), canvas.rng.uniform(0, 1)
        radius = 0.0012 * np.exp(canvas.rng.normal(0, 0.8))
        shape = ellipse(x, y, radius, radius * canvas.rng.uniform(0.7, 1.4), points=16)
        canvas.polygon(shape, rgb(INK), alpha=canvas.rng.uniform(0.3, 0.9))


def _seal(canvas: Canvas) -> None:
    red = rgb("#b3261e")
    canvas.polygon(rectangle(0.69, 0.86, 0.755, 0.925), red, alpha=0.92)
    for left, top, right, bottom in (
        (0.70, 0.872, 0.745, 0.878),
        (0.7195, 0.872, 0.7255, 0.915),
        (0.70, 0.890, 0.713, 0.896),
        (0.732, 0.890, 0.745, 0.896),
        (0.70, 0.909, 0.745, 0.915),
    ):
        canvas.polygon(rectangle(left, top, right, bottom), mix(red, rgb(PAPER), 0.9))
