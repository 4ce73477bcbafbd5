"""Clocks that stand still, jump or go back: no time is negative, nothing is stuck, all is shown."""

import json
import time
import weakref
from itertools import count

import pytest
import torch
from small import picture

from nst_core import Runtime, Settings, losses_of, plan, stylize
from nst_core.cli.watch import Place, Show
from nst_core.control.pyramid import Scale
from nst_core.run.checkpoint import load_checkpoint
from nst_core.run.progress import Progress, Record
from nst_core.run.report import report_of
from nst_core.run.saver import Saver

SETTINGS = Settings(size=24, steps=4, scales=1, style_layers="relu1_1", content_layers="relu2_1")
LOSSES = losses_of(picture(24, 20), [picture(20, 24, seed=1)], SETTINGS)
RUNTIME = Runtime(torch.device("cpu"))

_asked = count()
CLOCKS = {
    "stands still": lambda: 1e6,
    "goes back": lambda: 1e6 - next(_asked),
    "jumps ahead": lambda: 1e6 * next(_asked),
}


@pytest.mark.parametrize("kind", CLOCKS)
def test_whatever_clocks_do_a_run_ends_with_the_same_picture_and_no_time_is_negative(
    vgg, kind, tmp_path, monkeypatch
):
    whole, shown = stylize(LOSSES, vgg=vgg, settings=SETTINGS, runtime=RUNTIME).image, []
    live = pytest.importorskip("nst_core.page.live")

    def show(progress):
        assert 0 <= progress.seconds_left
        shown.append(Place().words(progress) + live.progress_html(progress))
        shown.append(Place(2, 3, "a.png", 0.0).words(progress))

    path = tmp_path / "run.checkpoint"
    with monkeypatch.context() as patch:
        # That `monotonic` never goes back is what it is for.
        for name in ("time", "perf_counter", *(["monotonic"] if kind != "goes back" else [])):
            patch.setattr(time, name, CLOCKS[kind])
        made = {"vgg": vgg, "settings": SETTINGS, "runtime": RUNTIME}
        result = stylize(LOSSES, **made, saver=Saver(path), on_progress=show)
        again = stylize(LOSSES, **made, resume=load_checkpoint(path), on_progress=show)
        planned = plan(LOSSES, vgg=vgg, settings=SETTINGS, runtime=RUNTIME)
    assert torch.equal(result.image, whole)
    assert torch.equal(again.image, whole)
    assert planned.seconds >= 0
    for one in (result, again):
        assert one.seconds >= 0
        assert min(record.seconds for record in one.records) >= 0
        report = report_of(
            one, settings=SETTINGS, vgg=vgg, runtime=RUNTIME, content=None, styles=[]
        )
        json.dumps(report, allow_nan=False)
    assert "-" not in "".join(words.split(" left")[0].split("  ")[-1] for words in shown)


def progress(evaluation):
    record = Record(1, evaluation, evaluation, 1.0, {}, 1.0)
    scales = (Scale(16, 16, 1000),)
    return Progress([record], record, scales, (), 0, 0.5, lambda longer=0: torch.zeros(1))


def test_a_slow_terminal_takes_a_twentieth_of_the_time_and_not_all(monkeypatch):
    now, shown = [0.0], []

    def draw(share, words):
        shown.append(share)
        now[0] += 1.0  # a second for each

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    display = Show(draw, Place(), 0.1)
    for evaluation in range(1, 1001):
        now[0] += 0.1
        display(progress(evaluation))
    assert len(shown) == pytest.approx(0.1 * 1000 / 19, abs=1)


def test_a_page_that_nobody_reads_keeps_the_latest_progress_alone():
    job = pytest.importorskip("nst_core.page.job").Job(None)
    alive = []
    for evaluation in range(5):
        now = progress(evaluation)
        alive.append(weakref.ref(now))
        job.watch(now)
    del now
    assert [one() is not None for one in alive] == [False] * 4 + [True]


def test_the_minutes_of_a_page_pass_by_a_clock_that_nobody_sets(monkeypatch):
    job_of = pytest.importorskip("nst_core.page.job")
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "time", lambda: now[0] * 1e6)
    job = job_of.Job(None)
    job.begin(minutes=1)
    job.check()
    now[0] = 900.0  # even if it went back
    job.check()
    now[0] = 1061.0
    with pytest.raises(job_of.Cancelled):
        job.check()
