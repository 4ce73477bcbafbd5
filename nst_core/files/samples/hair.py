"""The portrait's hair, strand by strand."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field, mix, ramp, rgb, smoothstep
from .curves import outline, resampled, ribbon, spline

KNOTS = 42  # points along a strand


def back_hair(canvas: Canvas) -> None:
    """The dark mass behind neck and face."""
    shape = spline(
        outline(
            "0.37,0.135 0.25,0.17 0.19,0.30 0.19,0.45 0.165,0.60 0.19,0.71 0.30,0.74 "
            "0.46,0.74 0.565,0.71 0.58,0.60 0.555,0.45 0.55,0.30 0.49,0.17"
        ),
        closed=True,
    )
    canvas.polygon(shape, rgb("#20130c"))


def front_hair(canvas: Canvas) -> None:
    """Both sides from the parting down to the shoulders, and their shadow on the face."""
    left_inner = spline(
        outline(
            "0.383,0.216 0.335,0.232 0.280,0.285 0.252,0.36 0.244,0.45 0.240,0.55 0.232,0.65 "
            "0.262,0.755 0.258,0.80"
        )
    )
    left_outer = spline(
        outline(
            "0.395,0.122 0.300,0.118 0.215,0.175 0.182,0.29 0.176,0.42 0.158,0.54 0.138,0.66 "
            "0.165,0.76 0.225,0.815"
        )
    )
    right_inner = spline(
        outline(
            "0.383,0.216 0.435,0.232 0.482,0.285 0.502,0.36 0.503,0.45 0.510,0.55 0.518,0.65 "
            "0.490,0.755 0.496,0.80"
        )
    )
    right_outer = spline(
        outline(
            "0.395,0.122 0.470,0.122 0.540,0.175 0.568,0.29 0.570,0.42 0.588,0.54 0.612,0.66 "
            "0.585,0.76 0.525,0.815"
        )
    )
    # The hair's shadow on forehead and cheeks.
    for inner, shift in ((left_inner, 0.007), (right_inner, -0.006)):
        canvas.polygon(
            ribbon(inner[6:52] + np.array([shift, 0.006]), 0.016),
            rgb("#6a2f18"),
            alpha=0.38,
            blur=0.005,
        )
    _strands(canvas, right_outer, right_inner, 90, 0.0042, 0.28)
    _strands(canvas, left_outer, left_inner, 90, 0.0042, 0.28)


def _strands(
    canvas: Canvas, first: Field, last: Field, count: int, width: float, sheen: float
) -> None:
    """Hair between two guiding curves, with a band of sheen across it."""
    start, end = resampled(first, KNOTS), resampled(last, KNOTS)
    along = np.linspace(0, 1, KNOTS, dtype=np.float32)
    shapes, colors = [], []
    for index in range(count):
        share = np.clip((index + canvas.rng.uniform(-1.5, 1.5)) / (count - 1), 0, 1)
        wave = 0.004 * np.sin(9 * along + canvas.rng.uniform(0, 1.2) + 3 * share) * along
        path = mix(start, end, share) + wave[:, None] * [1, 0.3]
        reach = along * canvas.rng.uniform(0.88, 1.0)  # no two strands end at the same height
        path = np.stack([np.interp(reach, along, path[:, k]) for k in (0, 1)], axis=-1)
        sides = ribbon(path, width * (1 - 0.85 * along**5)).reshape(2, KNOTS, 2)
        band = np.exp(-(((along - sheen - 0.05 * np.sin(9 * share)) / 0.13) ** 2))
        light = 0.30 + 0.50 * band + 0.10 * canvas.rng.normal() + 0.10 * np.sin(25 * share)
        # The light comes from the left; hair on the right lies in shadow.
        light = light * (0.45 + 0.65 * smoothstep(0.54, 0.22, path[:, 0]))
        tones = ramp(light, (0, "#1a0f0a"), (0.3, "#4a2817"), (0.6, "#87502a"), (1, "#dba863"))
        left, right = sides[0], sides[1, ::-1]
        for step in range(KNOTS - 1):
            shapes.append(np.stack([left[step], left[step + 1], right[step + 1], right[step]]))
            colors.append(tones[step])
    canvas.polygons(shapes, colors)
