"""Axes for plots drawn with Pillow: where values lie in the picture, ticks, lines and words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw, ImageFont

# Everything is drawn this many times larger and averaged down, for smooth lines.
OVERSAMPLING = 2
TEXT_SIZE = 13

Point = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """The plotting area in pixels, and the values at its edges (losses as log10)."""

    left: float
    right: float
    top: float
    bottom: float
    count: int
    low: float
    high: float

    def across(self, evaluation: float) -> float:
        """Where an evaluation lies in x, counted from 1; a single one is in the middle."""
        share = (evaluation - 1) / (self.count - 1) if self.count > 1 else 0.5
        return self.left + share * (self.right - self.left)

    def down(self, value: float) -> float:
        """Where a loss lies in y: at the edge if it is outside the frame, on the floor if zero."""
        exponent = math.log10(value) if value > 0 else self.low
        share = (min(max(exponent, self.low), self.high) - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)


@dataclass(frozen=True)
class Pen:
    """Draws in the picture's pixels on the larger canvas."""

    draw: ImageDraw.ImageDraw

    def line(self, points: Sequence[Point], color: str, thickness: float = 1) -> None:
        """A line through the points, in pixels."""
        scaled = [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points]
        self.draw.line(scaled, color, round(thickness * OVERSAMPLING), joint="curve")

    def dot(self, point: Point, color: str, radius: float) -> None:
        """A filled circle."""
        x, y = (value * OVERSAMPLING for value in point)
        r = radius * OVERSAMPLING
        self.draw.ellipse((x - r, y - r, x + r, y + r), color)  # `circle` came with Pillow 10.4

    def text(self, at: Point, text: str, anchor: str, color: str, size: int = TEXT_SIZE) -> None:
        """Words at a point; `anchor` is Pillow's, such as "lm" for left and middle."""
        x, y = (value * OVERSAMPLING for value in at)
        self.draw.text((x, y), text, color, _font(size), anchor)

    def width(self, text: str) -> float:
        """How many pixels wide the words are."""
        return self.draw.textlength(text, _font(TEXT_SIZE)) / OVERSAMPLING


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * OVERSAMPLING)


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten in 10**low to 10**high; also 2 and 5 times them where few fit."""
    every = 1 + int((high - low) / 7)
    powers = range(math.floor(low), math.ceil(high) + 1)
    steps = (1, 2, 5) if high - low < 2.5 else (1,)
    ticks = (step * 10.0**power for power in powers for step in steps if power % every == 0)
    return [tick for tick in ticks if low <= math.log10(tick) <= high]


def count_ticks(count: int) -> list[int]:
    """1 and up to about eight round numbers through `count`."""
    rough = count / 7
    power = 10 ** max(0, math.floor(math.log10(rough)))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough)
    # A round number next to 1 would be printed over it.
    return [1, *(n for n in range(step, count + 1, step) if n > 1 + step / 4)]


def spread(wanted: Sequence[float], top: float, bottom: float, gap: float) -> list[float]:
    """Heights near the (rising) ones wanted, but `gap` apart where there is room."""
    if not wanted:
        return []
    gap = min(gap, (bottom - top) / max(1, len(wanted) - 1))
    rows: list[float] = []
    for y in wanted:
        rows.append(max(y, rows[-1] + gap if rows else top))
    floor = bottom
    for index in reversed(range(len(rows))):
        rows[index] = floor = min(rows[index], floor)
        floor -= gap
    return rows


def short(value: float) -> str:
    """A number in few letters: 0.05, 12.3, 4,560, 1.2e+07."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:.2g}"
