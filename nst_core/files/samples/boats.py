"""Boats for the harbor; each can also be drawn upside down, as its own reflection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .canvas import Canvas, Field, mix, ramp, rgb
from .curves import outline, ribbon, spline

Place = Callable[[Sequence[Sequence[float]]], Field]

MAST = "#5b3f2c"


def _placed(x: float, waterline: float, scale: float, mirrored: bool) -> Place:
    flip = 1.0 if mirrored else -1.0

    def place(points: Sequence[Sequence[float]]) -> Field:
        return (np.asarray(points, np.float32) * [scale, flip * scale] + [x, waterline]).astype(
            np.float32
        )

    return place


def boat(
    canvas: Canvas,
    x: float,
    waterline: float,
    scale: float,
    hull: str,
    sail: str,
    *,
    mirrored: bool = False,
) -> None:
    """A sailing boat about 1 `scale` long and high; an empty `sail` color means furled sails."""
    place = _placed(x, waterline, scale, mirrored)
    for points in (
        [(0.02, 0.98), (0.50, 0.13)],
        [(0.02, 0.98), (-0.46, 0.12)],
        [(0.02, 0.80), (0.16, 0.1)],
        [(0.02, 0.80), (-0.14, 0.1)],
    ):
        canvas.polygon(ribbon(place(points), 0.005 * scale), rgb("#3a332f"), alpha=0.8)
    canvas.polygon(place([(0.008, 0.1), (0.014, 1.0), (0.026, 1.0), (0.034, 0.1)]), rgb(MAST))
    canvas.polygon(ribbon(place([(0.02, 0.22), (-0.40, 0.20)]), 0.016 * scale), rgb(MAST))
    if sail:
        _sails(canvas, place, x, scale, sail)
    else:
        furled = spline(
            outline("0.0,0.235 -0.1,0.262 -0.25,0.25 -0.39,0.215 -0.2,0.215"), closed=True
        )
        canvas.polygon(place(furled.tolist()), rgb("#d8c6a8"))
        canvas.polygon(
            ribbon(place([(-0.38, 0.214), (-0.2, 0.222), (0.0, 0.236)]), 0.014 * scale),
            rgb("#9b8567"),
        )
    _hull(canvas, place, waterline, scale, hull)


def _hull(canvas: Canvas, place: Place, waterline: float, scale: float, hull: str) -> None:
    cabin = [(-0.22, 0.1), (-0.20, 0.175), (0.10, 0.17), (0.17, 0.1)]
    canvas.polygon(place(cabin), rgb("#e6d8c0"))
    for left in (-0.16, -0.07, 0.02):
        canvas.polygon(
            place([(left, 0.125), (left, 0.15), (left + 0.05, 0.15), (left + 0.05, 0.125)]),
            rgb("#31424e"),
        )
    deck = [(-0.47, 0.125), (-0.2, 0.095), (0.15, 0.10), (0.56, 0.165)]
    keel = outline("0.47,0.04 0.36,-0.012 0.0,-0.02 -0.36,-0.015 -0.44,0.02")
    shape = np.concatenate([spline(deck), spline(keel)])
    rise = np.abs(canvas.y - waterline) / scale
    shade = mix(
        rgb(hull) * 0.55,
        mix(rgb(hull), rgb("#f2b27a"), 0.28),
        np.clip(rise / 0.14, 0, 1)[..., None],
    )
    canvas.polygon(place(shape.tolist()), np.broadcast_to(shade, canvas.pixels.shape))
    rail = spline(deck)
    canvas.polygon(ribbon(place(rail.tolist()), 0.016 * scale), rgb("#ecdcc0"))
    stripe = spline([(-0.45, 0.035), (-0.1, 0.018), (0.2, 0.02), (0.46, 0.05)])
    canvas.polygon(ribbon(place(stripe.tolist()), 0.012 * scale), rgb("#d9a05c"))


def _sails(canvas: Canvas, place: Place, x: float, scale: float, sail: str) -> None:
    across = np.clip((canvas.x - x) / scale + 0.5, 0, 1)
    tone = ramp(
        across,
        (0.05, "#b98f77"),
        (0.35, "#e2c3a0"),
        (0.52, sail),
        (0.62, "#fff2d8"),
        (0.95, "#dcb592"),
    )
    cloth = np.broadcast_to(tone, canvas.pixels.shape)
    main = np.concatenate(
        [
            spline([(0.005, 0.95), (-0.08, 0.70), (-0.24, 0.42), (-0.40, 0.235)]),
            spline([(-0.40, 0.235), (-0.2, 0.22), (0.005, 0.24)]),
        ]
    )
    jib = np.concatenate(
        [
            spline([(0.05, 0.90), (0.24, 0.55), (0.47, 0.20)]),
            spline([(0.47, 0.20), (0.28, 0.19), (0.10, 0.22)]),
            spline([(0.10, 0.22), (0.12, 0.5), (0.05, 0.90)]),
        ]
    )
    for shape in (main, jib):
        canvas.polygon(place(shape.tolist()), cloth)
    for low, left, right in (
        (0.40, -0.25, 0.0),
        (0.57, -0.15, 0.0),
        (0.74, -0.06, 0.0),
        (0.36, 0.12, 0.33),
        (0.54, 0.12, 0.23),
    ):
        seam = place([(left, low), ((left + right) / 2, low - 0.012), (right, low)])
        canvas.polygon(ribbon(seam, 0.004 * scale), rgb("#9d7a63"), alpha=0.6)


def rowing_boat(
    canvas: Canvas, x: float, waterline: float, scale: float, *, mirrored: bool = False
) -> None:
    """An empty rowing boat about 1 `scale` long, seen from the side and a little from above."""
    place = _placed(x, waterline, scale, mirrored)
    rim = spline(
        outline("-0.5,0.16 -0.2,0.075 0.2,0.075 0.52,0.19 0.25,0.19 -0.2,0.18"),
        closed=True,
    )
    shape = np.concatenate(
        [
            spline([(-0.5, 0.16), (-0.2, 0.075), (0.2, 0.075), (0.52, 0.19)]),
            spline([(0.40, 0.02), (0.2, -0.04), (-0.2, -0.04), (-0.40, 0.0)]),
        ]
    )
    canvas.polygon(place(shape.tolist()), rgb("#3f6f6a"))
    canvas.polygon(place(rim.tolist()), rgb("#59402f"))
    for left in (-0.22, 0.1):
        canvas.polygon(
            place(
                [(left, 0.085), (left - 0.02, 0.175), (left + 0.06, 0.175), (left + 0.08, 0.085)]
            ),
            rgb("#b58a5c"),
        )
    edge = spline([(-0.5, 0.16), (-0.2, 0.075), (0.2, 0.075), (0.52, 0.19)])
    canvas.polygon(ribbon(place(edge.tolist()), 0.022 * scale), rgb("#e3c99a"))
    plank = spline([(-0.45, 0.08), (-0.2, 0.015), (0.2, 0.015), (0.46, 0.1)])
    canvas.polygon(ribbon(place(plank.tolist()), 0.008 * scale), rgb("#274a48"))
