"""Style: marbled paper, colors floated on water and drawn through with a comb."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field, mix, rgb, smoothstep

INKS = (
    "#f3ead6",
    "#7b1e2e",
    "#e9b44c",
    "#15616d",
    "#f3ead6",
    "#1b2a4a",
    "#d96c47",
    "#8fb8a8",
    "#3b1f2b",
    "#e9b44c",
    "#f3ead6",
    "#22577a",
)
BANDS = 30
TEETH = 7  # strokes of the comb across the sheet


def paint(size: int) -> Canvas:
    """Bands of ink, pulled up and down by the comb, then swirled."""
    canvas = Canvas(4 / 3, size, seed=1580)
    inks = np.stack([rgb(code) for code in INKS])
    order = canvas.rng.permutation(np.arange(BANDS * 8) % len(INKS))
    level = _combed(canvas) * BANDS
    band = np.floor(level).astype(int)
    # Level lines get dense where ink is stretched; their spacing gives the width of an edge.
    down, right = np.gradient(level)
    spread = np.hypot(down, right) + 1e-6
    across = level - band
    color = inks[order[band % len(order)]]
    before = inks[order[(band - 1) % len(order)]]
    color = mix(before, color, np.clip(across / spread + 0.5, 0, 1)[..., None])
    after = inks[order[(band + 1) % len(order)]]
    color = mix(color, after, np.clip(0.5 - (1 - across) / spread, 0, 1)[..., None])
    # A thin pale seam where two inks repel each other.
    units = np.minimum(across, 1 - across) / spread * canvas.pixel
    seam = smoothstep(0.0016, 0.0004, units) * 0.35
    color = mix(color, rgb("#fbf3df"), seam[..., None])
    pool = 1 + 0.10 * np.sin(across * np.pi) + 0.04 * canvas.noise(200, 200, octaves=2)
    canvas.pixels[:] = color * (pool - 0.05)[..., None]
    return canvas


def _combed(canvas: Canvas) -> Field:
    """Which band of ink (H, W) ends up where, in shares of the sheet's height."""
    x = canvas.x + 0.10 * canvas.noise(2.2, 2.2) + 0.02 * canvas.noise(6, 6)
    y = canvas.y + 0.10 * canvas.noise(2.2, 2.2) + 0.02 * canvas.noise(6, 6)
    for cx, cy, radius, turn in (
        (0.34, 0.40, 0.26, 4.2),
        (0.96, 0.66, 0.24, -4.6),
        (0.98, 0.16, 0.16, 3.6),
        (0.30, 0.90, 0.15, -3.2),
    ):
        away_x, away_y = x - cx, y - cy
        angle = turn * np.exp(-(away_x**2 + away_y**2) / (radius * 0.6) ** 2)
        x = cx + away_x * np.cos(angle) - away_y * np.sin(angle)
        y = cy + away_x * np.sin(angle) + away_y * np.cos(angle)
    comb = np.abs(np.sin(x / canvas.aspect * np.pi * TEETH)) ** 0.7
    return np.asarray(1 + y + 0.16 * comb + 0.03 * canvas.noise(3, 8, octaves=2), np.float32)
