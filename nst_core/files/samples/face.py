"""The portrait's face: a height field in side light, with painted eyes, brows and mouth."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .canvas import Canvas, Field, mix, ramp, rgb, smoothstep
from .curves import ellipse, outline, ribbon, spline, taper

HALF_WIDTH, HALF_HEIGHT = 0.132, 0.205
TURN = -0.20  # radians the head looks to the left
LIGHT = np.array([-0.62, -0.42, 0.66], np.float32)

# Bumps on the head: across (radians), down, their spreads, and height in units.
BUMPS = np.array(
    [
        [0.00, -0.55, 0.55, 0.30, 0.008],  # forehead
        [-0.42, -0.18, 0.28, 0.07, 0.006],  # brow ridges
        [0.42, -0.18, 0.28, 0.07, 0.006],
        [-0.43, 0.00, 0.23, 0.10, -0.016],  # sockets
        [0.43, 0.00, 0.23, 0.10, -0.016],
        [0.00, 0.12, 0.115, 0.26, 0.015],  # bridge of the nose
        [0.00, 0.335, 0.130, 0.085, 0.022],  # its tip
        [-0.17, 0.375, 0.085, 0.06, 0.009],  # nostrils' wings
        [0.17, 0.375, 0.085, 0.06, 0.009],
        [-0.62, 0.28, 0.30, 0.20, 0.010],  # cheeks
        [0.62, 0.28, 0.30, 0.20, 0.010],
        [0.00, 0.48, 0.06, 0.05, -0.003],  # groove above the mouth
        [0.00, 0.64, 0.40, 0.16, 0.009],  # mouth
        [0.00, 0.745, 0.20, 0.04, -0.004],  # below the lower lip
        [0.00, 0.90, 0.30, 0.12, 0.010],  # chin
    ],
    dtype=np.float32,
)


def skin(light: Field) -> Field:
    """Skin tones (H, W, 3) from deep shadow at 0 to the brightest light at 1."""
    return ramp(
        light,
        (0, "#2b1511"),
        (0.22, "#5e3022"),
        (0.45, "#a9694a"),
        (0.66, "#dba37c"),
        (0.85, "#f3cfab"),
        (1, "#fff0dc"),
    )


class Head:
    """Where features of a head seen slightly from the side land on the canvas."""

    def __init__(self, middle: tuple[float, float]) -> None:
        """Place the head's middle, in canvas units."""
        self.x, self.y = middle

    def place(self, features: ArrayLike) -> Field:
        """Points (N, 2) of (radians across, share of half the height down) on the canvas."""
        spots = np.asarray(features, np.float32)
        across = HALF_WIDTH * np.sin(spots[:, 0] + TURN)
        return np.stack([self.x + across, self.y + HALF_HEIGHT * spots[:, 1]], -1).astype(
            np.float32
        )


def face(canvas: Canvas, middle: tuple[float, float]) -> None:
    """Paint the face around `middle`."""
    head = Head(middle)
    light, warmth = _light(canvas, head)
    tone = skin(light)
    tone = mix(tone, tone * np.array([1.02, 0.80, 0.76], np.float32), warmth[..., None])
    shape = spline(
        outline(
            "0.372,0.165 0.275,0.205 0.240,0.30 0.238,0.40 0.252,0.49 0.292,0.563 0.345,0.602 "
            "0.385,0.600 0.440,0.56 0.487,0.485 0.506,0.40 0.508,0.30 0.475,0.205"
        ),
        closed=True,
    )
    canvas.polygon(shape, tone)
    for side in (-1, 1):
        _eye(canvas, head, side)
        _brow(canvas, head, side)
    _nose(canvas, head)
    _mouth(canvas, head)


def _light(canvas: Canvas, head: Head) -> tuple[Field, Field]:
    """How bright each place of the face is, and how rosy."""
    u = np.clip((canvas.x - head.x) / HALF_WIDTH, -1.15, 1.15)
    v = (canvas.y - head.y) / HALF_HEIGHT
    height = 0.15 * np.sqrt(np.maximum(1.42 - u**2 - 0.62 * np.abs(v) ** 2.4, 0.004))
    rosy = np.zeros_like(height)
    for across, down, spread_x, spread_y, lift in BUMPS:
        middle, spread = np.sin(across + TURN), spread_x * np.cos(across + TURN)
        bump = np.exp(-(((u - middle) / spread) ** 2) - ((v - down) / spread_y) ** 2)
        height += lift * bump
    for across, down, spread, amount in (
        (-0.60, 0.30, 0.26, 0.5),
        (0.66, 0.30, 0.22, 0.5),
        (0, 0.36, 0.14, 0.35),
    ):
        rosy += amount * np.exp(
            -(((u - np.sin(across + TURN)) / spread) ** 2) - ((v - down) / 0.14) ** 2
        )
    rise_y, rise_x = np.gradient(height)
    normal = np.stack(
        [-rise_x * canvas.scale[0], -rise_y * canvas.scale[1], np.ones_like(height)], -1
    )
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    facing = normal @ (LIGHT / np.linalg.norm(LIGHT))
    glance = np.maximum(facing, 0) ** 18
    light = 0.13 + 0.72 * np.maximum(facing, 0) + 0.10 * glance + 0.10 * smoothstep(0.6, 1.1, u)
    return light.astype(np.float32), rosy.astype(np.float32)


def _eye(canvas: Canvas, head: Head, side: int) -> None:
    middle = 0.43 * side
    shade = 1.0 if side < 0 else 0.72
    upper = outline("-0.235,0.028 -0.12,-0.040 0.02,-0.060 0.14,-0.034 0.25,0.012")
    lower = outline("0.25,0.012 0.12,0.050 -0.03,0.058 -0.16,0.048 -0.235,0.028")

    def placed(points: Field, down: float = 0.0) -> Field:
        return head.place(spline(points) * [side, 1] + [middle, down])

    ball = np.concatenate([placed(upper), placed(lower)])
    canvas.polygon(ball, rgb("#d3c1b1") * shade)
    box, inside = canvas.coverage(ball)
    before = canvas.pixels[box].copy()
    cx, cy = head.place([(middle - 0.015, -0.004)])[0]
    canvas.polygon(ellipse(cx, cy, 0.0150, 0.0155), rgb("#22160f"))
    canvas.polygon(ellipse(cx, cy, 0.0132, 0.0137), rgb("#4d6a5e") * shade)
    canvas.polygon(
        ellipse(cx + 0.002, cy + 0.004, 0.009, 0.007), rgb("#8fae8c") * shade, alpha=0.7, blur=0.002
    )
    canvas.polygon(ellipse(cx, cy, 0.0064, 0.0068), rgb("#0c0806"))
    canvas.polygon(
        ribbon(placed(upper, 0.014), 0.012 * taper(41)), rgb("#3a2418"), alpha=0.45, blur=0.002
    )
    canvas.pixels[box] = mix(before, canvas.pixels[box], inside[..., None])
    canvas.polygon(ellipse(cx - 0.0045, cy - 0.0048, 0.0026, 0.0028), rgb("#ffffff"))
    canvas.polygon(ribbon(placed(upper), 0.0068 * taper(41, 0.3, 0.75)), rgb("#1c100b"))
    canvas.polygon(ribbon(placed(lower), 0.0022 * taper(41)), rgb("#7a4534"), alpha=0.7)
    canvas.polygon(ribbon(placed(upper, -0.042), 0.0036 * taper(41)), rgb("#6d3c2a"), alpha=0.75)


def _brow(canvas: Canvas, head: Head, side: int) -> None:
    middle = 0.43 * side
    arch = spline([(-0.27, -0.165), (-0.10, -0.205), (0.10, -0.222), (0.32, -0.150)])
    path = head.place(arch * [side, 1] + [middle, 0])
    canvas.polygon(
        ribbon(path, 0.0115 * taper(len(path), 0.25, 0.9)), rgb("#3b2314"), alpha=0.8, blur=0.0016
    )


def _nose(canvas: Canvas, head: Head) -> None:
    for side in (-1, 1):
        cx, cy = head.place([(0.105 * side - 0.03, 0.405)])[0]
        canvas.polygon(
            ellipse(cx, cy, 0.0080, 0.0036, -0.25 * side), rgb("#3d1a12"), alpha=0.8, blur=0.0014
        )
    shadow = outline(
        "0.06,0.12 0.16,0.28 0.22,0.36 0.15,0.42 0.05,0.43 0.16,0.47 0.30,0.42 0.28,0.30 0.17,0.17"
    )
    canvas.polygon(head.place(spline(shadow, closed=True)), rgb("#54281b"), alpha=0.38, blur=0.007)


def _mouth(canvas: Canvas, head: Head) -> None:
    line = outline("-0.38,0.606 -0.17,0.615 -0.05,0.622 0.0,0.628 0.05,0.622 0.17,0.615 0.36,0.606")
    bow = outline("0.36,0.606 0.19,0.574 0.06,0.546 0.0,0.558 -0.06,0.546 -0.19,0.574 -0.38,0.606")
    under = outline("0.36,0.606 0.21,0.690 0.0,0.716 -0.21,0.690 -0.38,0.606")
    across = np.clip((canvas.x - head.x) / HALF_WIDTH, -1, 1)
    side_light = np.broadcast_to(1.02 - 0.34 * across, (canvas.height, canvas.width))[..., None]
    upper = np.concatenate([spline(line), spline(bow)])
    lower = np.concatenate([spline(line), spline(under)])
    canvas.polygon(head.place(upper), rgb("#a8483f") * side_light * 0.86, alpha=0.85, blur=0.0014)
    canvas.polygon(head.place(lower), rgb("#bf5f55") * side_light, alpha=0.85, blur=0.0014)
    path = head.place(spline(line))
    canvas.polygon(ribbon(path, 0.0042 * taper(len(path), 0.4, 0.4)), rgb("#4a1714"), alpha=0.9)
    cx, cy = head.place([(-0.09, 0.665)])[0]
    canvas.polygon(ellipse(cx, cy, 0.018, 0.0046, 0.05), rgb("#ffd9cc"), alpha=0.5, blur=0.003)
    cx, cy = head.place([(0.03, 0.752)])[0]
    canvas.polygon(ellipse(cx, cy, 0.03, 0.008), rgb("#5a2b1e"), alpha=0.25, blur=0.007)
