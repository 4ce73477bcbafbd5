"""Content: the bust of a woman, lit from the left before a dark backdrop."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, mix, ramp, rgb, smoothstep
from .curves import ellipse, outline, resampled, ribbon, spline
from .face import face, skin
from .hair import back_hair, front_hair

HEAD = (0.372, 0.385)


def paint(size: int) -> Canvas:
    """Backdrop, hair behind, shoulders and neck, face, hair in front."""
    canvas = Canvas(3 / 4, size, seed=1665)
    _backdrop(canvas)
    back_hair(canvas)
    _shoulders(canvas)
    _dress(canvas)
    face(canvas, HEAD)
    front_hair(canvas)
    weave = canvas.noise(330, 330)
    canvas.pixels *= (1 + 0.018 * weave)[..., None]
    return canvas


def _backdrop(canvas: Canvas) -> None:
    x, y = canvas.x, canvas.y
    light = 0.85 * np.exp(-(((x - 0.72) / 0.42) ** 2) - ((y - 0.45) / 0.5) ** 2)
    strokes = canvas.noise(9, 9, octaves=5, fall=0.6)
    canvas.pixels[:] = ramp(
        light + 0.09 * strokes, (0, "#1d1a17"), (0.35, "#3b3a30"), (0.7, "#6a6a52"), (1, "#8c8763")
    )


def _shoulders(canvas: Canvas) -> None:
    shape = spline(
        outline(
            "0.298,0.50 0.300,0.60 0.292,0.665 0.262,0.712 0.19,0.748 0.10,0.785 0.045,0.84 "
            "-0.02,1.1 0.78,1.1 0.715,0.84 0.655,0.785 0.565,0.748 0.492,0.712 0.462,0.665 "
            "0.455,0.60 0.457,0.50"
        )
    )
    x, y = canvas.x, canvas.y
    across = (x - 0.375) / 0.085
    neck = (
        0.66
        - 0.30 * across
        - 0.10 * across**2
        - 0.40 * smoothstep(0.685, 0.60, y + 0.12 * (0.37 - x))
    )
    chest = 0.86 - 1.05 * np.maximum(x - 0.26, 0) - 0.8 * np.maximum(0.12 - x, 0) - 0.4 * (y - 0.76)
    light = mix(neck, chest, smoothstep(0.66, 0.76, y + 0.05 * np.cos(across)))
    for side in (-1, 1):  # collarbones, and the muscles from the ears down to their meeting point
        out = side * (x - 0.375)
        fade = smoothstep(0.012, 0.05, out) * smoothstep(0.24, 0.10, out)
        bone = y - 0.800 + 0.20 * out
        light = light + fade * (
            0.07 * np.exp(-(((bone + 0.008) / 0.008) ** 2))
            - 0.12 * np.exp(-(((bone - 0.008) / 0.010) ** 2))
        )
        cord = out - 0.012 - 0.34 * (0.79 - y)
        fade = smoothstep(0.64, 0.70, y) * smoothstep(0.80, 0.77, y)
        light = light + side * fade * 0.10 * (cord / 0.012) * np.exp(-((cord / 0.012) ** 2))
    light = light - 0.14 * np.exp(-(((x - 0.375) / 0.016) ** 2) - ((y - 0.795) / 0.014) ** 2)
    canvas.polygon(shape, skin(light), blur=0.0012)


def _dress(canvas: Canvas) -> None:
    collar = spline(
        outline("0.015,0.85 0.12,0.845 0.24,0.89 0.37,0.925 0.51,0.89 0.64,0.845 0.76,0.86")
    )
    shape = np.concatenate([collar, [[0.9, 1.2], [-0.2, 1.2]]])
    folds = canvas.noise(1.6, 13, octaves=3)
    light = 0.62 - 0.95 * (canvas.x - 0.25) + 0.26 * folds
    stops = (0, "#071a22"), (0.3, "#0f3c48"), (0.6, "#1f6b78"), (0.9, "#5fa9a8"), (1.2, "#bfe0d2")
    canvas.polygon(shape, ramp(light, *stops))
    canvas.polygon(ribbon(collar, 0.022), rgb("#d8c9a8"))
    for x, y in resampled(collar, 46):
        tone = mix(rgb("#fff6e2"), rgb("#6b5a48"), np.clip((x - 0.25) / 0.45, 0, 1))
        canvas.polygon(ellipse(float(x), float(y), 0.0085, 0.0085), tone * 0.72)
        canvas.polygon(ellipse(float(x) - 0.0018, float(y) - 0.002, 0.0052, 0.0052), tone)
