"""The loss curve as a picture: on a log scale, with its parts, the scales marked.

Drawn with Pillow alone: a host's installation has Pillow but rarely matplotlib.
"""

import math
from collections.abc import Sequence
from itertools import count, groupby

from PIL import Image, ImageDraw
from torch import Tensor

from ..files.drawing import OVERSAMPLING, Frame, Pen, count_ticks, log_ticks, short, spread
from ..files.pixels import from_pil
from .progress import Record, by_scale

# Beyond so many decades under the loss nothing matters to the picture, and the rest gets flat.
_MAX_DECADES = 8
_PAPER, _INK, _SOFT, _GRID = "#ffffff", "#1f2328", "#6b7280", "#e6e8eb"
_TOTAL = "total"
# Tableau's ten without its gray, which is too near to the ink; then darker relatives.
_COLORS = ("#d62728", "#ff7f0e", "#2ca02c", "#17becf", "#1f77b4", "#9467bd", "#e377c2", "#8c564b",
           "#bcbd22", "#7f1d1d", "#14532d", "#1e3a8a")  # fmt: skip
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 196, 64, 52
_TITLE_SIZE = 16
# Between the lines of the legend, and how far it may rise above the frame and hang below it.
_ROW, _SLACK = 20, 10


def plot_losses(records: Sequence[Record], *, width: int = 960, height: int = 540) -> Tensor:
    """Loss by evaluation, log scale, as (1, 3, height, width) RGB in [0, 1].

    What is zero, or too small to be seen beside the rest, lies on the floor of the plot; what is
    not a finite number leaves a gap.

    Args:
        records: of a run, finished or not; at least one.
        width, height: of the picture in pixels; 480x320 is about the least that is readable.
    """
    frame = _frame(records, width, height)
    size = (width * OVERSAMPLING, height * OVERSAMPLING)
    picture = Image.new("RGB", size, _PAPER)
    pen = Pen(ImageDraw.Draw(picture))
    _draw_axes(pen, frame)
    _draw_scales(pen, frame, records)
    _draw_title(pen, records)
    _draw_curves(pen, frame, records)
    return from_pil(picture.resize((width, height), Image.Resampling.BOX))


def _curves(records: Sequence[Record]) -> dict[str, list[float]]:
    """{name: a value for each evaluation}, the total last, which is drawn over the others."""
    names = dict.fromkeys(name for record in records for name in record.parts)
    curves = {name: [r.parts.get(name, math.nan) for r in records] for name in names}
    return {**curves, _TOTAL: [record.loss for record in records]}


def _frame(records: Sequence[Record], width: int, height: int) -> Frame:
    low, high = _range(records)
    area = (_LEFT, width - _RIGHT, _TOP, height - _BOTTOM)
    return Frame(*area, count=len(records), low=low, high=high)


def _range(records: Sequence[Record]) -> tuple[float, float]:
    """log10 of the smallest and the largest value to show."""
    values = [v for curve in _curves(records).values() for v in curve if 0 < v < math.inf]
    if not values:
        return -1.05, 0.05
    high = math.log10(max(values))
    starts = [group[0].loss for group in by_scale(records) if 0 < group[0].loss < math.inf]
    if starts:  # a failed trial may lie far above all else
        high = min(high, math.log10(max(starts)) + 0.5)
    low = max(math.log10(min(values)), high - _MAX_DECADES)
    room = max(0.04 * (high - low), (1 - (high - low)) / 2)  # never less than a decade in all
    return low - room, high + room


def _draw_axes(pen: Pen, frame: Frame) -> None:
    for value in log_ticks(frame.low, frame.high):
        y = frame.down(value)
        pen.line([(frame.left, y), (frame.right, y)], _GRID)
        pen.text((frame.left - 8, y), short(value), "rm", _SOFT)
    for evaluation in count_ticks(frame.count):
        x = frame.across(evaluation)
        pen.line([(x, frame.bottom), (x, frame.bottom + 5)], _SOFT)
        pen.text((x, frame.bottom + 9), f"{evaluation}", "mt", _SOFT)
    pen.line([(frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom)],
             _SOFT)  # fmt: skip
    middle = (frame.left + frame.right) / 2
    pen.text((middle, frame.bottom + 30), "evaluations of the loss", "mt", _SOFT)
    pen.text((frame.left - 8, frame.top - 10), "loss (log)", "rs", _SOFT)


def _draw_scales(pen: Pen, frame: Frame, records: Sequence[Record]) -> None:
    """A dashed line where each scale begins, its name in the strip above; none for a single one."""
    groups = by_scale(records)
    if len(groups) == 1:
        return
    for group in groups:
        first, after = group[0].evaluation, group[-1].evaluation + 1
        x, end = frame.across(first), frame.across(after)
        if first > 1:
            for y in range(round(frame.top) - 16, round(frame.bottom), 8):
                pen.line([(x, y), (x, min(y + 4, frame.bottom))], _SOFT)
        names = (f"scale {group[0].scale}", f"{group[0].scale}")
        fitting = (t for t in names if pen.width(t) + 8 <= end - x)
        pen.text((x + 5, frame.top - 10), next(fitting, ""), "ls", _SOFT)


def _draw_title(pen: Pen, records: Sequence[Record]) -> None:
    evaluations = "1 evaluation" if len(records) == 1 else f"{len(records)} evaluations"
    pen.text((_LEFT, 14), f"Loss and its parts over {evaluations}", "lt", _INK, _TITLE_SIZE)


def _draw_curves(pen: Pen, frame: Frame, records: Sequence[Record]) -> None:
    """Each curve, and at the right its name beside its end: a legend in the order of the ends."""
    curves = _curves(records)
    names = list(curves)
    colors = {name: _COLORS[i % len(_COLORS)] for i, name in enumerate(names)} | {_TOTAL: _INK}
    for name, values in curves.items():
        thickness = 2.6 if name == _TOTAL else 1.6
        for stroke in _strokes(records, values):
            points = [(frame.across(n), frame.down(value)) for n, value in stroke]
            pen.line(points, colors[name], thickness)
            if len(points) == 1 or frame.count <= 40:
                for point in points:
                    pen.dot(point, colors[name], thickness + 0.6)
    ends = {name: frame.down(_last(values)) for name, values in curves.items()}
    order = sorted(names, key=lambda name: (ends[name], name != _TOTAL))
    rows = spread([ends[name] for name in order], frame.top - _SLACK, frame.bottom + _SLACK, _ROW)
    for name, y in zip(order, rows, strict=True):
        start = frame.across(frame.count)
        pen.line([(start + 6, ends[name]), (frame.right + 22, y)], colors[name], 0.8)
        thickness = 3.4 if name == _TOTAL else 2.4
        pen.line([(frame.right + 22, y), (frame.right + 38, y)], colors[name], thickness)
        pen.text((frame.right + 44, y), f"{name}  {short(_last(curves[name]))}", "lm", _INK)


def _strokes(records: Sequence[Record], values: Sequence[float]) -> list[list[tuple[int, float]]]:
    """Stretches of (evaluation, value) without a gap, each within one scale.

    Scales measure different pictures: a line from one to the next would mean nothing.
    """
    numbered = zip(count(1), values, records, strict=False)
    groups = groupby(numbered, key=lambda item: (math.isfinite(item[1]), item[2].scale))
    return [[item[:2] for item in group] for (finite, _), group in groups if finite]


def _last(values: Sequence[float]) -> float:
    """The last finite value; 0 if there is none."""
    return next((value for value in reversed(values) if math.isfinite(value)), 0.0)
