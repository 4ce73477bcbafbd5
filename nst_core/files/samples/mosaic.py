"""Style: overlapping fans of tesserae set in grout, as on a Roman floor."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field, mix, rgb
from .curves import ellipse

COLUMNS = 3  # fans side by side
RINGS = 8

# Per fan, colors from the rim to the heart, one for each ring.
SCHEMES = (
    ("#12355b", "#1b5e8c", "#f2e6c9", "#2a8fa8", "#5bb5b0", "#f2e6c9", "#d9a441", "#b3402e"),
    ("#7a1f1d", "#b3402e", "#d9773f", "#f2e6c9", "#d9a441", "#edc96b", "#1b5e8c", "#12355b"),
    ("#0f4c4a", "#1f7a6b", "#5bb58f", "#f2e6c9", "#12355b", "#2a6fa8", "#d9a441", "#f2e6c9"),
    ("#5a2a12", "#a8641f", "#d9a441", "#edc96b", "#f2e6c9", "#1f7a6b", "#0f4c4a", "#b3402e"),
)
GROUT = "#2b2622"


def paint(size: int) -> Canvas:
    """Fans from top to bottom, each over the two behind it, then dust."""
    canvas = Canvas(1, size, seed=79, color=GROUT)
    radius = 1 / COLUMNS / 2
    shapes: list[Field] = []
    colors: list[Field] = []
    for row in range(-1, 4 * COLUMNS + 3):
        for column in range(-1, COLUMNS + 2):
            x, y = (2 * column + row % 2) * radius, row * radius / 2
            shapes.append(ellipse(x, y, radius, radius, points=60))
            colors.append(rgb(GROUT))
            scheme = SCHEMES[(column * 3 + row * 5 + row // 2) % len(SCHEMES)]
            for ring, code in enumerate(scheme):
                tiles, tones = _ring(canvas.rng, radius * (1 - ring / RINGS), radius / RINGS, code)
                shapes += list(tiles + np.array([x, y], np.float32))
                colors += list(tones)
    canvas.polygons(shapes, colors)
    canvas.pixels *= (1 + 0.05 * canvas.noise(160, 160, octaves=2))[..., None]
    return canvas


def _ring(rng: np.random.Generator, outer: float, thick: float, code: str) -> tuple[Field, Field]:
    """Tiles (N, 4, 2) of one ring around the origin and their colors (N, 3).

    Each tile comes twice: its darker edge, then its face, set off toward the light.
    """
    count = max(3, round(2 * np.pi * (outer - thick / 2) / (thick * 1.1)))
    angle = (np.arange(count) + rng.uniform(0, 1)) * 2 * np.pi / count
    angle = angle[np.sin(angle) < 0.25]  # the rest lies under the fans below
    gap, count, half = 0.0014, len(angle), np.pi / count
    inner = max(outer - thick, 0)
    away = np.array([inner + gap, inner + gap, outer - gap, outer - gap])
    away = away + rng.normal(0, 0.0008, (count, 4))
    around = angle[:, None] + np.array([-1, 1, 1, -1]) * (half - gap / outer)
    around = around + rng.normal(0, 0.0007, (count, 4)) / outer
    edges = away[..., None] * np.stack([np.cos(around), np.sin(around)], -1)
    middles = edges.mean(axis=1, keepdims=True)
    faces = middles + (edges - middles) * 0.74 - 0.0012
    tones = rgb(code) * rng.uniform(0.76, 1.18, (count, 1)) + rng.normal(0, 0.025, (count, 3))
    tiles = np.stack([edges, faces], axis=1).reshape(-1, 4, 2)
    return tiles, np.stack([tones * 0.80, mix(tones, 1.0, 0.07)], axis=1).reshape(-1, 3)
