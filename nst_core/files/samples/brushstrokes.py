"""Style: thick strokes swirling around lights over a field, night blue and yellow."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field, mix, ramp, smoothstep
from .curves import normals, ribbon, taper

STEPS = 9  # points along a stroke
BRISTLES = 5

# Lights: x, y, radius, and turn (how strongly strokes circle them, signed).
LIGHTS = np.array(
    [
        [0.97, 0.25, 0.120, 1.5],
        [0.17, 0.17, 0.060, -1.2],
        [0.33, 0.60, 0.048, 1.1],
        [0.66, 0.63, 0.036, -0.9],
        [0.70, 0.10, 0.040, 1.0],
        [0.06, 0.50, 0.036, 1.0],
        [1.17, 0.58, 0.044, -1.0],
    ],
    dtype=np.float32,
)
# Whirls without a light: the same four numbers.
WHIRLS = np.array([[0.45, 0.34, 0.17, -2.2], [0.78, 0.45, 0.09, 1.5]], dtype=np.float32)


def paint(size: int) -> Canvas:
    """Coats of strokes, each finer than the last, then dabs in the heart of every light."""
    canvas = Canvas(5 / 4, size, seed=1889)
    _undercoat(canvas)
    coats = (900, 0.12, 0.050), (1300, 0.17, 0.030), (2600, 0.12, 0.017), (1900, 0.08, 0.011)
    for count, length, width in coats:
        starts = canvas.rng.uniform([-0.06, -0.06], [canvas.aspect + 0.06, 1.06], (count, 2))
        _coat(canvas, starts.astype(np.float32), length, width)
    # Strokes that circle a light leave a hole in its middle.
    for x, y, radius, _ in (*LIGHTS, *WHIRLS):
        spread = canvas.rng.normal(0, 0.16 * radius, (26, 2))
        _coat(canvas, (np.array([x, y]) + spread).astype(np.float32), 0.45 * radius, 0.014)
    return canvas


def _undercoat(canvas: Canvas) -> None:
    """Soft patches of the final colors, so that no gap between strokes shows bare ground."""
    y, x = np.mgrid[0.5:32, 0.5:40].reshape(2, -1) / 32
    colors = _colors(np.stack([x, y], -1).astype(np.float32), canvas.rng).reshape(32, 40, 3)
    canvas.pixels = np.stack([canvas.resized(colors[..., k]) for k in range(3)], -1) * 0.85


def _coat(canvas: Canvas, starts: Field, length: float, width: float) -> None:
    count = len(starts)
    paths = _traced(starts, length * canvas.rng.uniform(0.6, 1.2, count))
    middles = paths[:, STEPS // 2]
    colors = _colors(middles, canvas.rng)
    # Strokes near a light are shorter and finer, so that its disc keeps its shape.
    near = np.exp(-_distances(middles).min(axis=1) * 0.7)
    widths = width * canvas.rng.uniform(0.7, 1.25, count) * (1 - 0.45 * near)

    side = normals(paths)
    # Paint is a ridge: the flank that faces the light (upper left) is brighter than the other.
    facing = (side @ np.array([-0.6, -0.8], np.float32)).mean(axis=1)
    offsets = np.linspace(-0.42, 0.42, BRISTLES)
    profile = taper(STEPS, 0.25, 0.5)
    shapes, shades = [], []
    for offset in offsets:
        bristle_paths = paths + side * (offset * widths[:, None] * profile)[..., None]
        bristle_widths = 1.35 * widths[:, None] / BRISTLES * (0.25 + 0.75 * profile)
        shapes.append(ribbon(bristle_paths, bristle_widths))
        light = 1 + 0.42 * facing * offset + canvas.rng.normal(0, 0.07, count)
        shades.append(colors * light[:, None])
    # All bristles of one stroke come together, or strokes would be woven through each other.
    canvas.polygons(
        np.stack(shapes, 1).reshape(count * BRISTLES, -1, 2),
        np.stack(shades, 1).reshape(count * BRISTLES, 3),
    )


def _traced(starts: Field, lengths: Field) -> Field:
    points = [starts]
    for _ in range(STEPS - 1):
        points.append(points[-1] + _flow(points[-1]) * (lengths / (STEPS - 1))[:, None])
    return np.stack(points, axis=1).astype(np.float32)


def _flow(places: Field) -> Field:
    """Unit directions (N, 2) of the strokes at places (N, 2)."""
    x, y = places[:, 0], places[:, 1]
    sky = np.stack([np.ones_like(x), 0.35 * np.sin(5.2 * x + 3 * y) - 0.15], axis=-1)
    for cx, cy, radius, turn in (*LIGHTS, *WHIRLS):
        away = places - np.array([cx, cy], np.float32)
        reach = (away**2).sum(axis=1) / radius**2
        pull = turn * 5.5 * np.exp(-reach / 6) / (0.25 + np.sqrt(reach))
        sky += np.stack([-away[:, 1], away[:, 0]], axis=-1) / radius * pull[:, None]
    slope = (_horizon(x + 0.01) - _horizon(x - 0.01)) / 0.02
    field = np.stack([np.ones_like(x), slope * 1.3 + 0.2 * np.sin(17 * x + 9 * y)], axis=-1)
    below = smoothstep(-0.01, 0.02, y - _horizon(x))[:, None]
    direction = mix(sky, field, below)
    return np.asarray(direction / np.linalg.norm(direction, axis=1, keepdims=True))


def _horizon(x: Field) -> Field:
    return np.asarray(0.80 + 0.045 * np.sin(3.1 * x + 0.6) + 0.02 * np.sin(8.3 * x), np.float32)


def _distances(places: Field) -> Field:
    """Distance (N, lights) to the rim of each light, in its radii; 0 inside."""
    away = np.linalg.norm(places[:, None] - LIGHTS[None, :, :2], axis=-1)
    return np.asarray(np.maximum(away / LIGHTS[:, 2] - 0.6, 0), np.float32)


def _colors(places: Field, rng: np.random.Generator) -> Field:
    x, y = places[:, 0], places[:, 1]
    jitter = rng.normal(0, 1, len(places))
    band = 0.5 + 0.32 * np.sin(9 * y + 4.5 * np.sin(2.6 * x + 1) + 2 * x) + 0.16 * jitter
    sky = ramp(
        band, (0, "#10204f"), (0.3, "#1f3f8c"), (0.55, "#3a6db5"), (0.8, "#6fa5cf"), (1, "#b9d8d6")
    )
    glow = _distances(places).min(axis=1) + 0.16 * jitter
    light = ramp(
        glow,
        (0, "#fff3b8"),
        (0.35, "#fbd348"),
        (0.8, "#eda52b"),
        (1.3, "#b9b45c"),
        (1.9, "#7fb0a8"),
    )
    sky = mix(sky, light, smoothstep(2.5, 1.1, glow)[:, None])
    depth = (y - _horizon(x)) / 0.2 + 0.22 * jitter + 0.25 * np.sin(11 * x + 30 * y)
    field = ramp(
        depth,
        (0, "#16264a"),
        (0.3, "#21514f"),
        (0.55, "#4d7a48"),
        (0.8, "#c09a35"),
        (1.1, "#e3c04c"),
    )
    colors = mix(sky, field, smoothstep(-0.008, 0.012, y - _horizon(x))[:, None])
    return np.asarray(colors * (1 + 0.05 * rng.normal(0, 1, (len(places), 3))), np.float32)
