"""Curves and the ribbons along them, as arrays of points in canvas units."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .canvas import Field


def outline(text: str) -> Field:
    """Points (N, 2) written as in SVG: ``"x,y x,y x,y"``."""
    return np.array([pair.split(",") for pair in text.split()], dtype=np.float32)


def spline(points: ArrayLike, *, closed: bool = False, steps: int = 10) -> Field:
    """A smooth (Catmull-Rom) curve through points (N, 2), `steps` points for each of its spans."""
    knots = np.asarray(points, dtype=np.float32)
    if closed:
        knots = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        knots = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    before, start, end, after = (knots[i : len(knots) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, knots[-2:-1]])


def resampled(path: ArrayLike, count: int) -> Field:
    """A path (N, 2) as `count` points at equal distances along it."""
    points = np.asarray(path, dtype=np.float32)
    lengths = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0], np.cumsum(lengths)])
    wanted = np.linspace(0, along[-1], count)
    return np.stack([np.interp(wanted, along, points[:, k]) for k in (0, 1)], -1).astype(np.float32)


def normals(path: ArrayLike) -> Field:
    """Unit normals (..., N, 2) of paths (..., N, 2), to the right of travel as seen on screen."""
    step = np.gradient(np.asarray(path, dtype=np.float32), axis=-2)
    length = np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), 1e-9)
    rotated = np.stack([-step[..., 1], step[..., 0]], axis=-1)
    return np.asarray(rotated / length, dtype=np.float32)


def ribbon(path: ArrayLike, width: ArrayLike) -> Field:
    """Outlines (..., 2N, 2) of strokes along paths (..., N, 2), `width` wide at each point."""
    points = np.asarray(path, dtype=np.float32)
    half = np.asarray(width, dtype=np.float32)[..., None] / 2 * normals(points)
    return np.concatenate([points + half, (points - half)[..., ::-1, :]], axis=-2)


def taper(count: int, start: float = 0.5, end: float = 0.5) -> Field:
    """Stroke profile (count,) in [0, 1]: swells over the `start` share, thins over the `end`."""
    t = np.linspace(0, 1, count, dtype=np.float32)
    rise = np.clip(t / max(start, 1e-6), 0, 1)
    fall = np.clip((1 - t) / max(end, 1e-6), 0, 1)
    return np.asarray(np.sin(np.pi / 2 * np.minimum(rise, fall)), dtype=np.float32)


def ellipse(
    x: float, y: float, rx: float, ry: float, angle: float = 0.0, points: int = 40
) -> Field:
    """Outline (points, 2) of an ellipse rotated by `angle` radians."""
    t = np.linspace(0, 2 * np.pi, points, endpoint=False, dtype=np.float32)
    u, v = rx * np.cos(t), ry * np.sin(t)
    turn = np.cos(angle), np.sin(angle)
    return np.stack([x + u * turn[0] - v * turn[1], y + u * turn[1] + v * turn[0]], axis=-1)


def rectangle(left: float, top: float, right: float, bottom: float) -> Field:
    """Corners (4, 2) of an upright rectangle."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
