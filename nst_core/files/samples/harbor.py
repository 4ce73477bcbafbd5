"""Content: a harbor at sunset, with gabled houses, boats and their reflections."""

from __future__ import annotations

import numpy as np

from .boats import boat, rowing_boat
from .canvas import Canvas, Field, mix, ramp, rgb, smoothstep
from .curves import ellipse, rectangle

SHORE = 0.56  # where the water begins, and the mirror line of everything above it
SUN = (1.085, 0.440)
WALLS = "#c8553d #e3b35c #5f8f8b #e8dcc4 #b8683f #7e93a8 #d98e6a #a63f3a #d9c07c".split()
ROOFS = ("#6b3a34", "#4a4550", "#7d4a38", "#54505c")


def paint(size: int) -> Canvas:
    """Everything above the shore, its mirror image in the water, then the boats."""
    canvas = Canvas(4 / 3, size, seed=1626)
    _sky(canvas)
    _hills(canvas)
    _houses(canvas)
    # Boats from far to near: x, waterline, size, hull, sail.
    fleet = (
        (0.80, 0.585, 0.11, "#39424f", "#e9d9bd"),
        (1.22, 0.610, 0.15, "#5a2f2a", "#f0dcc0"),
        (0.20, 0.655, 0.20, "#20506b", ""),
        (0.47, 0.675, 0.22, "#8c2f2b", ""),
        (0.93, 0.800, 0.42, "#1d3b4f", "#f3e3c8"),
    )
    _water(canvas)
    for x, waterline, scale, hull, sail in fleet:
        boat(canvas, x, waterline, scale, hull, sail, mirrored=True)
    rowing_boat(canvas, 0.33, 0.90, 0.17, mirrored=True)
    _ripples(canvas)
    for x, waterline, scale, hull, sail in fleet:
        boat(canvas, x, waterline, scale, hull, sail)
    rowing_boat(canvas, 0.33, 0.90, 0.17)
    return canvas


def paint_without_boats(canvas: Canvas) -> None:
    """The same, of an empty harbor."""
    _sky(canvas)
    _hills(canvas)
    _houses(canvas)
    _water(canvas)
    _ripples(canvas)


def _sky(canvas: Canvas) -> None:
    x, y = canvas.x, canvas.y
    canvas.pixels[:] = ramp(
        y + 0 * x,
        (0, "#2d5a86"),
        (0.2, "#6c9ab4"),
        (0.36, "#d9c3a0"),
        (0.46, "#f6b774"),
        (0.56, "#f39a5e"),
    )
    away = np.hypot(x - SUN[0], (y - SUN[1]) * 1.25)
    canvas.paint(0.75 * np.exp(-away / 0.16), rgb("#ffdf9e"))
    shape = canvas.noise(7, 2.4, octaves=6, fall=0.55)
    above = canvas.lookup(shape, x, np.maximum(y - 0.016, 0))
    cover = smoothstep(0.02, 0.75, shape + 0.25 - 0.9 * np.abs(y - 0.2))
    lit = smoothstep(-0.25, 0.35, shape - above + 0.3 * np.exp(-away / 0.4))
    cloud = mix(
        ramp(y + 0 * x, (0, "#51688c"), (0.5, "#b77f7a")),
        ramp(y + 0 * x, (0, "#f4dfc8"), (0.5, "#ffd293")),
        lit[..., None],
    )
    canvas.paint(0.85 * cover, cloud)
    canvas.paint(canvas.edge(np.hypot(x - SUN[0], y - SUN[1]) - 0.034), rgb("#fff3cf"))


def _hills(canvas: Canvas) -> None:
    for level, swing, color in ((0.485, 0.05, "#b98f8c"), (0.525, 0.03, "#80717f")):
        ridge = level + swing * canvas.noise(1, 4, octaves=5)[:1]
        near_sun = np.exp(-np.abs(canvas.x - SUN[0]) / 0.2)
        tone = mix(rgb(color), rgb("#f7b173"), 0.6 * near_sun[..., None])
        canvas.paint(canvas.edge(ridge - canvas.y), np.broadcast_to(tone, canvas.pixels.shape))
    canvas.polygon(rectangle(1.12, 0.543, 1.4, 0.57), rgb("#4f4650"))
    canvas.polygon([(1.165, 0.545), (1.172, 0.40), (1.188, 0.40), (1.195, 0.545)], rgb("#e8d3c0"))
    for band in (0.42, 0.465, 0.51):
        canvas.polygon(rectangle(1.169, band, 1.191, band + 0.02), rgb("#b5483c"))
    canvas.polygon(rectangle(1.166, 0.392, 1.194, 0.401), rgb("#433c47"))
    canvas.polygon(rectangle(1.173, 0.37, 1.187, 0.392), rgb("#fff0b0"))
    canvas.polygon([(1.168, 0.372), (1.18, 0.352), (1.192, 0.372)], rgb("#8c3a34"))


def _houses(canvas: Canvas) -> None:
    plaster = 1 + 0.03 * canvas.noise(90, 60, octaves=2)
    x = -0.03
    for index in range(9):
        width = (0.098 - 0.005 * index) * canvas.rng.uniform(0.9, 1.1)
        height = (0.285 - 0.016 * index) * canvas.rng.uniform(0.86, 1.12)
        _house(canvas, x, width, height, index, plaster)
        x += width
    canvas.polygon(rectangle(-0.1, SHORE - 0.022, x + 0.05, SHORE + 0.01), rgb("#6d5f58"))
    canvas.polygon(rectangle(-0.1, SHORE - 0.026, x + 0.055, SHORE - 0.018), rgb("#a8947f"))


def _house(
    canvas: Canvas, left: float, width: float, height: float, index: int, plaster: Field
) -> None:
    right, base = left + width, SHORE - 0.02
    eaves, middle = base - height, left + width / 2
    wall, roof = rgb(WALLS[index % 9]), rgb(ROOFS[index % 4])
    # The sun stands low on the right and warms each front a little more toward that side.
    light = 0.72 + 0.34 * np.clip((canvas.x - left) / width, 0, 1) - 0.12 * (base - canvas.y)
    shaded = wall * light[..., None] * plaster[..., None]
    peak = eaves - width * (0.75, 0.55, 0.9)[index % 3]
    chimney = left + width * 0.22
    canvas.polygon(rectangle(chimney, peak + 0.005, chimney + 0.014, eaves), roof * 0.75)
    if index % 3 == 1:  # roof seen from its long side
        slope = [
            (left - 0.004, eaves),
            (left + 0.014, peak),
            (right - 0.014, peak),
            (right + 0.004, eaves),
        ]
        canvas.polygon(slope, roof * light[..., None])
    else:  # gable toward the quay, with a pale coping
        canvas.polygon(
            [(left - 0.003, eaves), (middle, peak - 0.006), (right + 0.003, eaves)], rgb("#e9dcc8")
        )
        canvas.polygon(
            [(left + 0.002, eaves + 0.002), (middle, peak + 0.001), (right - 0.002, eaves + 0.002)],
            shaded,
        )
        canvas.polygon(ellipse(middle, mix(eaves, peak, 0.4).item(), 0.008, 0.01), rgb("#3b3f4a"))
    canvas.polygon(rectangle(left, eaves, right, base), shaded)
    canvas.polygon(rectangle(left, eaves, left + 0.002, base), wall * 0.5)
    _windows(canvas, left, width, eaves, base)


def _windows(canvas: Canvas, left: float, width: float, eaves: float, base: float) -> None:
    floors = max(2, round((base - eaves) / 0.062))
    step = (base - eaves) / floors
    for floor in range(floors):
        for column in range(3):
            x = left + width * (0.2 + 0.3 * column)
            y = eaves + (floor + 0.45) * step
            half, tall = width * 0.075, step * 0.28
            if floor == floors - 1 and column == 1:  # the door
                canvas.polygon(
                    rectangle(x - half * 1.3, y - tall, x + half * 1.3, base), rgb("#3f2f2b")
                )
                continue
            canvas.polygon(
                rectangle(x - half - 0.002, y - tall - 0.002, x + half + 0.002, y + tall + 0.003),
                rgb("#efe6d6"),
            )
            glass = "#ffd27a" if canvas.rng.uniform() < 0.3 else "#3d4c5c"
            canvas.polygon(rectangle(x - half, y - tall, x + half, y + tall), rgb(glass))
            canvas.polygon(rectangle(x - 0.0008, y - tall, x + 0.0008, y + tall), rgb("#efe6d6"))
            canvas.polygon(rectangle(x - half, y - 0.0008, x + half, y + 0.0008), rgb("#efe6d6"))


def _depth(canvas: Canvas) -> Field:
    return np.asarray(np.maximum(canvas.y - SHORE, 0), np.float32)


def _water(canvas: Canvas) -> None:
    depth = _depth(canvas)
    mirror = canvas.lookup(canvas.pixels, canvas.x, SHORE - 0.004 - depth)
    tint = ramp(depth + 0 * canvas.x, (0, "#b58a72"), (0.15, "#4f7486"), (0.44, "#15384d"))
    strength = 0.22 + 0.42 * smoothstep(0.0, 0.44, depth)
    water = mix(mirror, tint, np.broadcast_to(strength, mirror.shape[:2])[..., None])
    canvas.paint(canvas.edge(SHORE - canvas.y) + 0 * canvas.x, water)


def _ripples(canvas: Canvas) -> None:
    """Shake the mirror image by waves seen in perspective, and let the sun glitter on them."""
    depth = _depth(canvas)
    far = 1 / (depth + 0.07)
    across, along = (canvas.x - 0.6) * far, 1.3 * far
    slope = np.zeros((canvas.height, canvas.width), np.float32)
    for wave in range(14):
        pitch = 1.35**wave * 0.8
        turn = canvas.rng.normal(0, 0.35, 1)  # an array, or NumPy 1 would round it to float32
        phase = canvas.rng.uniform(0, 2 * np.pi)
        slope += np.sin(
            pitch * (along * np.cos(turn) + 0.35 * across * np.sin(turn)) * 2
            + phase
            + 1.5 * np.sin(across * 0.6 * pitch**0.5 + phase)
        ) / (1 + 0.25 * pitch**0.5)
    slope *= 0.35
    reach = depth * (canvas.y > SHORE)
    shaken = canvas.lookup(
        canvas.pixels,
        canvas.x + 0.10 * reach * slope / (1 + 2 * reach),
        np.maximum(canvas.y + 0.13 * reach * slope, SHORE + 0.001),
    )
    shaken = shaken * (1 + 0.16 * np.clip(slope, -1.5, 1.5) * smoothstep(0, 0.08, depth))[..., None]
    path = np.exp(-(((canvas.x - SUN[0] - 0.05 * slope) / (0.035 + 0.25 * depth)) ** 2))
    glitter = path * smoothstep(0.35, 0.8, slope + 0.25 * np.exp(-depth / 0.1)) * (canvas.y > SHORE)
    shaken = mix(shaken, rgb("#ffdc98"), 0.85 * glitter[..., None])
    canvas.paint(canvas.edge(SHORE - canvas.y) + 0 * canvas.x, shaken)
