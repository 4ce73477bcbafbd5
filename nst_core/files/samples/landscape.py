"""Content: a river between wooded hills, with mountains and clouds."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, mix, ramp, rgb, smoothstep
from .meadow import flowers, grass, meadow, river
from .trees import conifers, leafy_tree

SUN = (0.50, 0.235)
# Mountain crests from left to right, (x, y).
FAR_CREST = (
    (-0.1, 0.36),
    (0.1, 0.30),
    (0.2, 0.33),
    (0.33, 0.25),
    (0.42, 0.33),
    (0.56, 0.37),
    (0.68, 0.30),
    (0.74, 0.32),
    (0.88, 0.17),
    (0.95, 0.23),
    (1.03, 0.19),
    (1.14, 0.29),
    (1.26, 0.24),
    (1.36, 0.31),
    (1.6, 0.26),
)
NEAR_CREST = (
    (-0.1, 0.35),
    (0.05, 0.38),
    (0.19, 0.345),
    (0.30, 0.42),
    (0.42, 0.445),
    (0.60, 0.43),
    (0.74, 0.38),
    (0.84, 0.42),
    (1.0, 0.36),
    (1.10, 0.38),
    (1.24, 0.32),
    (1.6, 0.40),
)


def paint(size: int) -> Canvas:
    """From the sky forward; each layer hides the foot of the one behind it."""
    canvas = Canvas(3 / 2, size, seed=1821)
    _sky(canvas)
    _mountains(canvas)
    _far_hills(canvas)
    meadow(canvas)
    grass(canvas)
    river(canvas)
    _woods(canvas)
    flowers(canvas)
    leafy_tree(canvas, 0.13, 0.90, 0.80)
    return canvas


def _sky(canvas: Canvas) -> None:
    x, y = canvas.x, canvas.y
    canvas.pixels[:] = ramp(
        y + 0 * x, (0, "#3b6fae"), (0.2, "#85b2d2"), (0.36, "#f0ddb8"), (0.5, "#f9cf90")
    )
    away = np.hypot(x - SUN[0], y - SUN[1])
    canvas.paint(0.9 * np.exp(-away / 0.15), rgb("#fff0c4"))
    shape = canvas.noise(5.5, 2.4, octaves=7, fall=0.52)
    toward_sun = canvas.lookup(shape, x + 0.04 * (SUN[0] - x), y + 0.06 * (SUN[1] - y) - 0.01)
    cover = smoothstep(-0.05, 0.55, shape + 0.22 - 1.6 * np.abs(y - 0.12))
    lit = smoothstep(-0.45, 0.35, shape - toward_sun + 0.25 * np.exp(-away / 0.3))
    cloud = mix(ramp(y + 0 * x, (0, "#8fa4c6"), (0.3, "#cdaaa0")), rgb("#fff4de"), lit[..., None])
    canvas.paint(0.92 * cover, cloud)
    canvas.paint(canvas.edge(away - 0.03), rgb("#fffbe8"))


def _mountains(canvas: Canvas) -> None:
    for crest, rock, haze in ((FAR_CREST, "#7d90b6", 0.26), (NEAR_CREST, "#5f7d93", 0.30)):
        places, heights = zip(*crest, strict=True)
        smooth = np.interp(canvas.x, places, heights).astype(np.float32)
        ridge = smooth - 0.016 * canvas.noise(1, 14, octaves=6, fall=0.62)[:1]
        depth = canvas.y - ridge
        # A flank is lit where the crest above it climbs to the right; folds make it ragged.
        folds = canvas.noise(9, 11, octaves=6, fall=0.62)
        above = canvas.x + 0.030 * folds - 0.25 * depth
        flank = np.interp(above - 0.012, places, heights) - np.interp(
            above + 0.012, places, heights
        )
        lit = smoothstep(-0.014, 0.014, (flank + 0.008 * folds).astype(np.float32))
        tone = mix(rgb(rock) * 0.80, mix(rgb(rock), rgb("#ffdcb0"), 0.55), lit[..., None])
        snow = smoothstep(0.02, -0.02, depth - 0.045 - 0.05 * folds) * smoothstep(
            0.36, 0.28, canvas.y
        )
        tone = mix(tone, mix(rgb("#93a9d0"), rgb("#fff3e0"), lit[..., None]), snow[..., None])
        fog = np.clip(haze + 2.6 * np.maximum(depth - 0.05, 0), 0, 0.88)
        canvas.paint(canvas.edge(-depth), mix(tone, rgb("#f0dcb6"), fog[..., None]))


def _far_hills(canvas: Canvas) -> None:
    layers = (
        (0.465, 0.035, "#6f9180", 0.62),
        (0.500, 0.040, "#55804f", 0.42),
        (0.545, 0.045, "#47753a", 0.20),
    )
    for index, (level, swing, color, haze) in enumerate(layers):
        ridge = level + swing * canvas.noise(1, 2.2, octaves=3)[:1]
        crowns = canvas.noise(1, 90 - 18 * index, octaves=2)[:1]
        depth = canvas.y - ridge + (0.004 + 0.003 * index) * crowns
        woods = canvas.noise(75 - 14 * index, 60 - 10 * index, octaves=2)
        clearing = smoothstep(0.0, 0.25, canvas.noise(26, 5, octaves=3) - 0.1)
        tone = rgb(color) * (0.92 + 0.30 * woods)[..., None]
        tone = mix(tone, rgb("#c3bd62") * (1 + 0.05 * woods)[..., None], 0.7 * clearing[..., None])
        near_sun = np.exp(-np.abs(canvas.x - SUN[0]) / 0.35)
        mist = haze * (0.65 + 0.6 * near_sun) * np.exp(-np.maximum(depth, 0) / 0.10)
        canvas.paint(canvas.edge(-depth), mix(tone, rgb("#f7dca6"), np.clip(mist, 0, 1)[..., None]))


def _woods(canvas: Canvas) -> None:
    groves = ((0.05, 0.13, 12), (0.33, 0.09, 12), (0.98, 0.12, 16), (1.30, 0.20, 20))
    trees = []
    for middle, spread, count in groves:
        for _ in range(count):
            x = canvas.rng.normal(middle, spread)
            foot = 0.592 + 0.025 * np.sin(3.2 * x + 1.0) + canvas.rng.uniform(0, 0.02)
            trees.append((x, foot, canvas.rng.uniform(0.035, 0.075)))
    conifers(canvas, trees, haze=0.28)
    conifers(canvas, [(1.05, 0.665, 0.15), (1.12, 0.68, 0.20), (0.99, 0.66, 0.11)], haze=0.12)
    leafy_tree(canvas, 0.47, 0.71, 0.15)
    near = [
        (1.20, 0.72, 0.30),
        (1.45, 0.78, 0.40),
        (1.29, 0.765, 0.40),
        (1.38, 0.83, 0.52),
        (1.49, 0.88, 0.46),
    ]
    conifers(canvas, near, haze=0.0)
