"""Style: jewel-colored panes between dark lead lines, lit from behind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Field, mix, ramp, rgb, smoothstep

Numbers = NDArray[np.intp]

SUN = (0.46, 0.30)
SUN_RADIUS = 0.085
RINGS = (0.15, 0.30)  # radii of the outlines around the sun
CELLS = 11  # panes from top to bottom, before the design's curves cut them
RAYS = 18
HILL = 60  # number of the first hill's region; the sun and its rays have those below


def paint(size: int) -> Canvas:
    """A sun with rays over three hills of glass."""
    canvas = Canvas(3 / 4, size, seed=1200)
    nearest, gap, pane = _voronoi(canvas)
    region, border = _design(canvas)
    dice = canvas.rng.uniform(0, 1, (HILL + 3, 97, 2)).astype(np.float32)
    roll = dice[region, pane % 97]
    color = _glass(region, roll, canvas)
    lead = np.minimum(gap / 0.0042, border / 0.0065)

    streaks = canvas.noise(14, 60, octaves=4)
    light = 1.05 - 0.35 * smoothstep(0.2, 1.0, nearest * CELLS) + 0.14 * streaks
    light = light + 0.25 * np.exp(-((np.hypot(canvas.x - SUN[0], canvas.y - SUN[1]) / 0.4) ** 2))
    light = light * (0.55 + 0.45 * smoothstep(1.0, 3.6, lead))
    canvas.paint(np.ones_like(light), color * light[..., None])
    came = mix(rgb("#0b0a0d"), rgb("#4a4a52"), smoothstep(0.6, 0.0, lead)[..., None])
    soft = canvas.pixel / 0.0042
    canvas.paint(smoothstep(1 + soft, 1 - soft, lead), came)
    return canvas


def _voronoi(canvas: Canvas) -> tuple[Field, Field, Numbers]:
    """Distance to the pane's seed, distance to its edge, and a number for the pane, (H, W) each."""
    rows, columns = CELLS + 4, round(CELLS * canvas.aspect) + 4
    shift = canvas.rng.uniform(0.12, 0.88, (rows, columns, 2)).astype(np.float32)
    warp = 0.012
    x = (canvas.x + warp * canvas.noise(6, 6)) * CELLS + 2
    y = (canvas.y + warp * canvas.noise(6, 6)) * CELLS + 2
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    first: Field = np.full(x.shape, 9.0, np.float32)
    second: Field = first.copy()
    pane: Numbers = np.zeros(x.shape, int)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            r, c = np.clip(row + down, 0, rows - 1), np.clip(column + right, 0, columns - 1)
            seed = shift[r, c]
            distance = np.hypot(c + seed[..., 0] - x, r + seed[..., 1] - y)
            closer = distance < first
            second = np.where(closer, first, np.minimum(second, distance))
            pane = np.where(closer, r * columns + c, pane)
            first = np.minimum(first, distance)
    return first / CELLS, (second - first) / 2 / CELLS, pane


def _design(canvas: Canvas) -> tuple[Numbers, Field]:
    """The design's region at each place, and the distance to its nearest outline, (H, W) each."""
    x, y = canvas.x, canvas.y
    away_x, away_y = x - SUN[0], y - SUN[1]
    radius, angle = np.hypot(away_x, away_y), np.arctan2(away_y, away_x)
    ray = (angle / (2 * np.pi) + 0.5) * RAYS + 0.35 * np.sin(radius * 14)
    rings = np.stack([np.abs(radius - r) for r in (SUN_RADIUS, *RINGS)]).min(axis=0)
    between = np.abs(ray - np.round(ray)) / RAYS * 2 * np.pi * radius
    border = np.minimum(rings, np.where(radius > SUN_RADIUS, between, 9))
    # Region 0 is the sun; the rays take turns of `RAYS` numbers in its corona and beyond.
    turn = np.searchsorted([SUN_RADIUS, *RINGS], radius) % 2
    region = np.where(radius < SUN_RADIUS, 0, 1 + np.floor(ray).astype(int) % RAYS + RAYS * turn)
    for index, (level, swing, phase) in enumerate(
        ((0.62, 0.05, 0.4), (0.74, 0.06, 2.6), (0.87, 0.045, 4.6))
    ):
        depth = y - level - swing * np.sin(7 * x + phase) - 0.02 * np.sin(17 * x + 2 * phase)
        border = np.where(depth > 0, np.abs(depth), np.minimum(border, np.abs(depth)))
        region = np.where(depth > 0, HILL + index, region)
    return region, border.astype(np.float32)


def _glass(region: Numbers, roll: Field, canvas: Canvas) -> Field:
    pick = roll[..., 0]
    radius = np.hypot(canvas.x - SUN[0], canvas.y - SUN[1])
    sun = ramp(pick, (0, "#ffd84a"), (0.5, "#ffef9f"), (1, "#ffb52e"))
    corona = ramp(pick, (0, "#f0641e"), (0.4, "#ffa02a"), (0.7, "#e23b2a"), (1, "#ffc53d"))
    ring = ramp(pick, (0, "#c81e3c"), (0.4, "#e8452c"), (0.6, "#7a1f6b"), (1, "#f08a24"))
    sky = ramp(
        pick, (0, "#10288f"), (0.35, "#1f56c4"), (0.6, "#2f93d6"), (0.8, "#5b2fa0"), (1, "#7fd0e0")
    )
    hills = (
        ramp(pick, (0, "#0f6b55"), (0.5, "#1fa071"), (1, "#5ccf9a")),
        ramp(pick, (0, "#3f7a14"), (0.5, "#8fb81f"), (1, "#d6d23a")),
        ramp(pick, (0, "#123a7a"), (0.5, "#166a9c"), (1, "#18a6a6")),
    )
    color = np.where((radius < SUN_RADIUS)[..., None], sun, corona)
    color = np.where((radius > RINGS[0])[..., None], ring, color)
    color = np.where((radius > RINGS[1])[..., None], sky, color)
    for index, hill in enumerate(hills):
        color = np.where((region == HILL + index)[..., None], hill, color)
    return np.asarray(color * (0.85 + 0.3 * roll[..., 1:2]), np.float32)
