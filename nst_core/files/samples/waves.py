"""Style: a woodcut of curling waves, indigo and cream, with lines cut along the water."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field, mix, ramp, rgb
from .curves import ellipse, outline, rectangle, resampled, ribbon, spline, taper

PAPER, FOAM, LINE = "#e9dcc0", "#f4ecd8", "#15233f"
INKS = ("#8fb0bd", "#5f8fae", "#3d6f9c", "#2a5489", "#1f3f74", "#1a3262")

# One wave, crest to the right, height 1: its back from trough to tip, and its hollow front.
BACK = spline(
    outline(
        "-0.9,0.0 -0.45,-0.1 -0.05,-0.38 0.22,-0.74 0.48,-0.96 0.78,-0.98 0.98,-0.82 1.04,-0.62"
    )
)
FRONT = spline(
    outline("0.95,0.06 0.68,-0.06 0.5,-0.28 0.46,-0.52 0.56,-0.70 0.74,-0.78 0.92,-0.74 1.04,-0.62")
)
STRIPES = 9


Cuts = list[tuple[Field, Field]]  # outlines and their flat colors, in the order of printing


def paint(size: int) -> Canvas:
    """Sky and sun, then rows of waves from the far ones to the near ones."""
    canvas = Canvas(3 / 2, size, seed=1831, color=PAPER)
    _sky(canvas)
    rows = ((0.36, 0.13), (0.47, 0.17), (0.60, 0.22), (0.76, 0.29), (0.95, 0.36), (1.16, 0.42))
    cuts: Cuts = []
    for index, (base, height) in enumerate(rows):
        _row(canvas, cuts, base, height, index)
    canvas.polygons(*zip(*cuts, strict=True))
    canvas.pixels *= (1 + 0.045 * canvas.noise(240, 12, octaves=2))[..., None]
    return canvas


def _sky(canvas: Canvas) -> None:
    band = ramp(canvas.y + 0 * canvas.x, (0, "#d9a06a"), (0.16, "#e6c59a"), (0.4, PAPER))
    canvas.paint(np.ones((canvas.height, canvas.width)), band)
    canvas.polygon(ellipse(1.12, 0.15, 0.085, 0.085, points=80), rgb("#c8452f"))
    for step in range(26):
        y = 0.012 + step * 0.0125
        start = canvas.rng.uniform(-0.2, 0.5)
        for _ in range(3):
            length = canvas.rng.uniform(0.15, 0.6)
            path = np.stack([np.linspace(start, start + length, 12), np.full(12, y)], -1)
            canvas.polygon(ribbon(path, 0.0035 * taper(12)), rgb("#b98358"), alpha=0.55)
            start += length + canvas.rng.uniform(0.03, 0.2)


def _row(canvas: Canvas, cuts: Cuts, base: float, height: float, index: int) -> None:
    spacing = height * 1.55
    start = -spacing * canvas.rng.uniform(0.2, 0.9)
    xs = np.arange(start, canvas.aspect + spacing * 1.2, spacing)
    deep = rgb(INKS[index])
    cuts.append((rectangle(-1, base - 0.02 * height, 3, 2), deep))
    _swell(canvas, cuts, base, height, deep)
    for x in xs[::-1]:
        size = height * canvas.rng.uniform(0.85, 1.12)
        place = np.array([x + canvas.rng.uniform(-0.1, 0.1) * height, base], np.float32)
        _wave(canvas, cuts, place, size, deep)


def _swell(canvas: Canvas, cuts: Cuts, base: float, height: float, deep: Field) -> None:
    """Lines cut along the water between this row and the next, swinging with its waves."""
    x = np.linspace(-0.1, 1.6, 120)
    phase = canvas.rng.uniform(0, 6)
    for line in range(9):
        down = base + height * (0.03 + 0.085 * line)
        swing = 0.10 * height * np.sin(x * 3.6 / height + phase + 0.35 * line)
        path = np.stack([x, down + swing * (1 - 0.05 * line)], -1)
        cut = np.clip(np.sin(x * 2.2 / height + 2.3 * line + phase) + 0.55, 0, 1)
        tone = mix(deep, rgb(FOAM), 0.75) if line % 3 else mix(deep, rgb(LINE), 0.8)
        cuts.append((ribbon(path, height * 0.022 * cut + 1e-4), tone))


def _wave(canvas: Canvas, cuts: Cuts, place: Field, size: float, deep: Field) -> None:
    back, front = (resampled(side, 40) * size + place for side in (BACK, FRONT))
    root = np.array([[front[0, 0], place[1] + 0.08 * size], [back[0, 0], place[1] + 0.08 * size]])
    body = np.concatenate([back, front[::-1], root])
    cuts.append((body, deep))
    line, foam = rgb(LINE), rgb(FOAM)
    for stripe in range(1, STRIPES):
        share = stripe / STRIPES
        path = mix(back, front, share)
        tone = foam if stripe % 2 else mix(deep, line, 0.75)
        width = size * (0.036 if stripe % 2 else 0.022) * taper(40, 0.75, 0.2)
        cuts.append((ribbon(path, width), tone))
    cuts.append((ribbon(back, 0.03 * size * taper(40, 0.3, 0.1)), line))
    cuts.append((ribbon(front, 0.03 * size * taper(40, 0.3, 0.1)), line))
    _foam(canvas, cuts, back, front, size)


def _foam(canvas: Canvas, cuts: Cuts, back: Field, front: Field, size: float) -> None:
    lip = np.concatenate([back[22:], front[:21:-1]])
    bubbles = []
    for share in np.linspace(0, 1, 34):
        spot = lip[int(share * (len(lip) - 1))]
        radius = size * canvas.rng.uniform(0.022, 0.05) * (0.7 + 0.5 * np.sin(np.pi * share))
        bubbles.append((*(spot + canvas.rng.normal(0, 0.012 * size, 2)), radius))
    for grow, color in ((0.011 * size, rgb(LINE)), (0.0, rgb(FOAM))):
        for x, y, radius in bubbles:
            cuts.append((ellipse(x, y, radius + grow, radius + grow, points=24), color))
    for _ in range(16):  # spray
        x, y = lip[canvas.rng.integers(len(lip))] + canvas.rng.normal(0, 0.11 * size, 2)
        radius = size * canvas.rng.uniform(0.006, 0.016)
        cuts.append((ellipse(x, y, radius, radius, points=16), rgb(FOAM)))
