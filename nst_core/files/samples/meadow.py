"""The landscape's foreground: meadow, river, grass and flowers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Field, mix, ramp, rgb, smoothstep
from .curves import ellipse, ribbon


def meadow(canvas: Canvas) -> None:
    """Rolling ground from the foot of the hills to the viewer."""
    depth = canvas.y - (0.585 + 0.025 * np.sin(3.2 * canvas.x + 1.0))
    rolls = canvas.noise(8, 2.2, octaves=3)
    tufts = canvas.noise(60, 24, octaves=4, fall=0.7)
    value = depth / 0.42 + 0.30 * rolls + 0.10 * tufts
    tone = ramp(
        value,
        (-0.1, "#d8cf72"),
        (0.18, "#a9b850"),
        (0.45, "#6f963c"),
        (0.75, "#46742f"),
        (1.1, "#274f26"),
    )
    # Long shadows of things outside the picture, lying toward the viewer.
    bands = smoothstep(0.1, 0.6, canvas.noise(10, 1.6, octaves=3)) * smoothstep(0.02, 0.15, depth)
    tone = tone * (1 - 0.28 * bands)[..., None] * (1 + 0.07 * tufts)[..., None]
    canvas.paint(canvas.edge(-depth), tone)


def _river_line(y: Field) -> tuple[Field, Field]:
    """Middle and half width of the water at height y: it swings and widens toward the viewer."""
    depth = np.clip((y - 0.585) / 0.415, 0, 1)
    middle = 0.66 + 0.26 * np.sin(0.9 + 6.6 * np.sqrt(depth)) * (0.22 + depth) + 0.08 * depth
    return middle, 0.008 + 0.21 * depth**1.5


def river(canvas: Canvas) -> None:
    """Water that mirrors the sky, with muddy banks and a path of sunlight."""
    depth = np.clip((canvas.y - 0.585) / 0.415, 0, 1)
    middle, half = _river_line(canvas.y)
    ragged = (0.006 + 0.03 * depth) * canvas.noise(34, 9, octaves=4)
    bank = np.abs(canvas.x - middle) - half + ragged
    here = canvas.edge(0.587 - canvas.y)
    canvas.paint(0.85 * here * smoothstep(0.035, 0.0, bank / (0.25 + depth)), rgb("#5c5a2c"))
    ripple = canvas.noise(120, 9, octaves=3)
    mirror_y = np.clip(0.96 - 0.85 * canvas.y + 0.025 * ripple * (0.3 + depth), 0.02, 0.55)
    water = canvas.lookup(canvas.pixels, canvas.x + 0.012 * ripple, mirror_y)
    shore = smoothstep(-0.05, 0.0, bank / (0.25 + depth))
    water = mix(water, rgb("#2f5f86"), (0.22 + 0.25 * depth + 0 * canvas.x)[..., None])
    water = mix(water, rgb("#29452f"), 0.55 * shore[..., None]) * (1 + 0.06 * ripple)[..., None]
    path = np.exp(-(((canvas.x - middle) / (0.5 * half + 0.004)) ** 2)) * smoothstep(
        -0.2, 0.7, ripple
    )
    water = mix(water, rgb("#fff0c8"), 0.6 * path[..., None])
    canvas.paint(here * canvas.edge(bank), water)


def _dry(x: Field, y: Field) -> NDArray[np.bool_]:
    """Which places (N,) lie clear of the river."""
    middle, half = _river_line(y)
    return np.asarray(np.abs(x - middle) > half + 0.02)


def grass(canvas: Canvas) -> None:
    """Blades all over the meadow, longer toward the viewer."""
    count = 5200
    near = np.sort(canvas.rng.uniform(0, 1, count) ** 0.75).astype(np.float32)
    x, y = canvas.rng.uniform(0, 1.5, count).astype(np.float32), 0.62 + 0.42 * near
    length = (0.006 + 0.026 * near**1.5) * canvas.rng.uniform(0.6, 1.3, count)
    lean = canvas.rng.normal(0.15, 0.3, count) * length
    rise = np.linspace(0, 1, 4)[None]
    paths = np.stack(
        [x[:, None] + lean[:, None] * rise**2, y[:, None] - length[:, None] * rise], -1
    )
    blades = ribbon(paths, length[:, None] * np.array([0.22, 0.18, 0.11, 0.02]))
    light = 0.95 - 0.75 * near + canvas.rng.normal(0, 0.16, count) + 0.16 * np.sin(7 * x + 19 * y)
    colors = ramp(light, (0, "#1f4222"), (0.35, "#47752e"), (0.7, "#86a440"), (1.1, "#d8cf72"))
    dry = _dry(x, y)
    canvas.polygons(blades[dry], colors[dry])


def flowers(canvas: Canvas) -> None:
    """Patches of flowers in the foreground."""
    colors = np.stack([rgb(c) for c in ("#f6ecd4", "#f0c53c", "#dd5a4a", "#b795d6", "#f2a444")])
    patches = canvas.rng.uniform([0, 0.86], [1.5, 1.0], (34, 2))
    which = canvas.rng.integers(0, len(patches), 1300)
    spots = patches[which] + canvas.rng.normal(0, 1, (1300, 2)) * [0.045, 0.022]
    radius = canvas.rng.uniform(0.6, 1.3, 1300) * (
        0.0008 + 0.013 * np.maximum(spots[:, 1] - 0.78, 0)
    )
    mixed = np.where(canvas.rng.uniform(0, 1, 1300) < 0.8, which, which + 2) % 5
    tones = colors[mixed] * canvas.rng.uniform(0.75, 1.05, (1300, 1))
    dry = _dry(spots[:, 0], spots[:, 1]) & (spots[:, 1] > 0.81)
    shapes = [
        ellipse(x, y, r, 0.8 * r, points=10)
        for (x, y), r in zip(spots[dry], radius[dry], strict=True)
    ]
    canvas.polygons(shapes, tones[dry])
