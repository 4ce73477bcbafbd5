"""Trees for the landscape, lit from the side of its low sun."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .canvas import Canvas, Field, mix, ramp, rgb
from .curves import ellipse, resampled, ribbon, spline

SUN_X = 0.50
TIERS, BOUGHS = 15, 11
LOBES, LEAVES = 30, 200


def conifers(canvas: Canvas, trees: Iterable[tuple[float, float, float]], *, haze: float) -> None:
    """Firs given as (x, y of the foot, height) from far to near; `haze` in [0, 1] pales them."""
    shapes: list[Field] = []
    colors: list[Field] = []
    for x, foot, height in trees:
        trunk = ribbon([(x, foot), (x, foot - height * 0.3)], height * np.array([0.035, 0.03]))
        boughs, tones = _boughs(canvas.rng, x, foot, height)
        shapes += [trunk, *boughs]
        colors += [rgb("#33251c"), *tones]
    canvas.polygons(shapes, mix(np.stack(colors), rgb("#d8cf9c"), haze))


def _boughs(rng: np.random.Generator, x: float, foot: float, height: float) -> tuple[Field, Field]:
    """Outlines (N, points, 2) and colors (N, 3) of a fir's boughs from the lowest tier up."""
    # In each tier from the outermost boughs to the middle ones, which hang in front.
    order = np.array(sorted(np.linspace(-1, 1, BOUGHS), key=abs, reverse=True))
    across = np.tile(order, TIERS)
    share = np.repeat(np.linspace(0, 1, TIERS), BOUGHS)
    tier_width = np.repeat(rng.uniform(0.82, 1.15, TIERS), BOUGHS)
    y = foot - height * (0.09 + 0.85 * share)
    half = height * (0.20 * (1 - share) ** 0.9 + 0.006) * tier_width
    drop = height * (0.045 - 0.03 * np.abs(across) + rng.normal(0, 0.006, len(share)))
    root = np.stack([x + 0.2 * across * half, y - height * 0.07], -1)
    tip = np.stack([x + across * half * rng.uniform(0.85, 1.15, len(share)), y + drop], -1)
    sag = np.stack([0 * y, 0.012 * height * np.abs(across)], -1)
    paths = np.stack([root, mix(root, tip, 1 / 3) - sag, mix(root, tip, 2 / 3) - sag, tip], axis=1)
    width = height * 0.042 * (1 - 0.65 * share)[:, None] * np.array([0.5, 1, 0.8, 0.1])
    light = 0.40 + 0.40 * across * np.sign(SUN_X - x) + 0.12 * share
    light += 0.13 * rng.normal(0, 1, len(share))
    stops = (0, "#0f2a1e"), (0.4, "#1f4a2a"), (0.75, "#5a7c36"), (1.1, "#c2b65a")
    return ribbon(paths, width), ramp(light, *stops)


def leafy_tree(canvas: Canvas, x: float, foot: float, height: float) -> None:
    """A broad tree: trunk, boughs, and leaves dabbed on from the lower lobes to the upper."""
    bark = rgb("#3b2a1c")
    crown = np.array([x, foot - 0.60 * height])
    bends = ((-0.01, 0.01), (0.012, -0.2), (0, -0.55))
    trunk = spline([(x + height * across, foot + height * down) for across, down in bends])
    along = np.linspace(0, 1, len(trunk))
    girth = height * (0.068 - 0.03 * along + 0.05 * np.exp(-along * 14))
    canvas.polygon(ribbon(trunk, girth), bark)
    sunny = ribbon(trunk[2:-4] + np.array([0.014 * height, 0]), height * 0.010)
    canvas.polygon(sunny, rgb("#8a6a42"), alpha=0.7, blur=0.002)
    # A spiral by the golden angle covers the crown evenly.
    angle = 2.4 * np.arange(LOBES) + canvas.rng.normal(0, 0.3, LOBES)
    reach = height * np.sqrt((np.arange(LOBES) + canvas.rng.uniform(0, 1, LOBES)) / LOBES)
    lobes = crown + np.stack([0.33 * reach * np.cos(angle), 0.30 * reach * np.sin(angle)], -1)
    lobes = lobes[np.argsort(-lobes[:, 1])]
    for lobe in lobes:
        bend = (crown + lobe) / 2 + [0, 0.05 * height]
        path = resampled(spline([(x, foot - 0.38 * height), bend, lobe]), 10)
        canvas.polygon(ribbon(path, height * np.linspace(0.026, 0.005, 10)), bark)
    _leaves(canvas, crown, height, lobes)


def _leaves(canvas: Canvas, crown: Field, height: float, lobes: Field) -> None:
    sunward = np.sign(SUN_X - crown[0])
    count = LOBES * LEAVES
    lobe = np.repeat(lobes, LEAVES, axis=0)
    radius = np.repeat(height * canvas.rng.uniform(0.075, 0.125, LOBES), LEAVES)[:, None]
    # In each lobe the lit leaves come last, over the shaded ones, and nearer to the sun.
    share = np.tile(np.linspace(0, 1, LEAVES), LOBES)[:, None]
    angle = canvas.rng.uniform(0, 2 * np.pi, count)
    reach = canvas.rng.uniform(0, 1.15, (count, 1)) ** 0.6
    offset = reach * np.stack([np.cos(angle), 0.85 * np.sin(angle)], -1)
    offset = mix(offset, np.array([sunward * 0.6, -0.7]), 0.35 * share)
    spots = lobe + radius * offset

    light = 0.10 + 0.55 * share[:, 0] - 0.16 * offset[:, 1] + canvas.rng.normal(0, 0.08, count)
    light -= 0.45 * (lobe[:, 1] - crown[1]) / height
    light += 0.35 * sunward * (lobe[:, 0] - crown[0]) / height
    leaf = ellipse(0, 0, 1, 0.55, points=8)
    turn = canvas.rng.uniform(0, np.pi, count)
    spin = np.stack([np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn)], -1)
    size = height * canvas.rng.uniform(0.006, 0.013, (count, 1, 1))
    shapes = spots[:, None] + size * (leaf @ spin.reshape(count, 2, 2))
    stops = (0, "#16301a"), (0.3, "#34602a"), (0.6, "#7c9a38"), (0.9, "#e2cf68")
    canvas.polygons(shapes, ramp(light, *stops))
