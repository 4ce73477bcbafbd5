"""The drawn loss curve: what must be true of it whatever the numbers are."""

import math
from itertools import pairwise

import pytest
import torch

from nst_core.files.drawing import count_ticks, log_ticks, short, spread
from nst_core.run.plot import plot_losses
from nst_core.run.progress import Record

STYLE = [f"style relu{block}_1" for block in range(1, 6)]


def run_of(*scales, parts=STYLE, value=lambda step: 100 / (1 + step)):
    """Records of a run with so many evaluations in each scale."""
    records = []
    for scale, count in enumerate(scales, 1):
        for step in range(count):
            values = {name: value(step) / 3**place for place, name in enumerate(parts)}
            number = len(records) + 1
            records.append(Record(scale, step, number, sum(values.values()), values, number * 0.1))
    return records


def inked(image):
    """Where something was drawn, (H, W)."""
    return image[0].amin(dim=0) < 0.95


@pytest.mark.parametrize(
    "records",
    [
        run_of(60),
        run_of(20, 15, 10),
        run_of(1),
        run_of(30, value=lambda step: 5.0),
        run_of(5, value=lambda step: 0.0),
        run_of(5, parts=["content relu4_2"]),
        run_of(30, value=lambda step: 1e-30 * (step + 1)),
        run_of(30, value=lambda step: 1e30 / 10**step),
        run_of(4, value=lambda step: math.inf if step == 2 else 1.0),
        run_of(4, value=lambda step: math.nan),
        run_of(3, 1, 1, 1, 1, 1, 40, 1, parts=[f"style {n} {s}" for n in (1, 2, 3) for s in STYLE]),
        run_of(1000),
    ],
)
@pytest.mark.parametrize("size", [(960, 540), (480, 320)])
def test_any_run_can_be_drawn(records, size):
    width, height = size
    image = plot_losses(records, width=width, height=height)
    assert image.shape == (1, 3, height, width)
    assert image.dtype == torch.float32
    assert image.min() >= 0
    assert image.max() == 1
    assert 0.01 < inked(image).float().mean() < 0.5


def test_the_same_run_is_drawn_the_same():
    assert torch.equal(plot_losses(run_of(30)), plot_losses(run_of(30)))


def test_lines_are_smooth():
    shades = plot_losses(run_of(60))[0].mul(255).round().flatten(1).unique(dim=1)
    assert shades.shape[1] > 100


def test_a_falling_loss_falls_on_paper():
    image = plot_losses(run_of(60, parts=["only"]))
    plot = (image[0].amax(dim=0) < 0.3)[66:480, 80:760]  # the dark total, inside the axes
    rows = torch.arange(plot.shape[0])
    left, right = (rows[plot[:, column].any(dim=1)].float().mean() for column in
                   (slice(10, 60), slice(-60, -10)))  # fmt: skip
    assert right > left + 100


def test_a_part_that_is_zero_lies_on_the_floor():
    values = run_of(10, parts=["a"])
    with_zero = [Record(r.scale, r.step, r.evaluation, r.loss, {**r.parts, "b": 0.0}, r.seconds)
                 for r in values]  # fmt: skip
    difference = inked(plot_losses(with_zero)) ^ inked(plot_losses(values))
    assert difference[480:495, 80:760].any()
    assert not difference[66:470, 80:760].any()


def test_scales_are_marked_only_if_there_are_several():
    strip = slice(44, 60)  # above the axes
    assert not inked(plot_losses(run_of(60)))[strip, 80:760].any()
    assert inked(plot_losses(run_of(30, 30)))[strip, 80:760].any()


def test_no_line_joins_two_scales():
    """They measure different pictures."""
    joined, apart = (inked(plot_losses(run_of(*scales)))[70:480, 80:760] for scales in
                     ((2,), (1, 1)))  # fmt: skip
    assert joined[:, 300:380].any(dim=0).all()
    assert apart[:, 300:380].float().mean() < joined[:, 300:380].float().mean()


def test_a_failed_trial_does_not_flatten_the_rest():
    records = run_of(30, parts=["only"])
    spike = Record(1, 3, 5, 1e25, {"only": 1e25}, 0.5)
    spiked = [*records[:4], spike, *records[5:]]
    ink = inked(plot_losses(spiked))[66:480, 400:760]
    assert ink.any(dim=1).sum() > 30


@pytest.mark.parametrize("low", [-9, -0.3, 0, 2.2])
@pytest.mark.parametrize("decades", [1, 1.7, 3, 8, 12])
def test_loss_ticks_are_few_and_inside(low, decades):
    ticks = log_ticks(low, low + decades)
    assert 2 <= len(ticks) <= 9
    assert all(low <= math.log10(tick) <= low + decades for tick in ticks)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 10, 31, 95, 300, 1000, 123_456])
def test_evaluation_ticks_are_whole_few_and_apart(count):
    ticks = count_ticks(count)
    assert ticks[0] == 1
    assert ticks[-1] <= count
    assert len(ticks) <= 9
    assert all(later - earlier >= count / 30 for earlier, later in pairwise(ticks))


def test_labels_keep_apart_and_stay_inside():
    rows = spread([10, 10, 10, 90, 95], top=0, bottom=100, gap=20)
    assert rows == [10, 30, 50, 80, 100]
    assert spread([5, 5, 5], top=0, bottom=20, gap=100) == [0, 10, 20]


def test_labels_with_room_are_where_they_belong():
    assert spread([10, 50, 90], top=0, bottom=100, gap=20) == [10, 50, 90]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.05, "0.05"),
        (12.345, "12.3"),
        (4560, "4,560"),
        (1.2e7, "1.2e+07"),
        (3e-7, "3e-07"),
    ],
)
def test_numbers_are_short(value, text):
    assert short(value) == text
