"""The line before a run."""

import asyncio
from dataclasses import replace
from threading import Event

import gradio as gr
import pytest

from nst_core.page.app import tabs_of
from nst_core.page.job import Job
from nst_core.page.kinds import KINDS, RECONSTRUCT, STYLIZE, TEXTURE
from nst_core.page.planning import Planning
from nst_core.page.runs import Runs
from nst_core.settings import Settings


@pytest.fixture(scope="module")
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def every(samples, limits, loop):
    async def build():
        with gr.Blocks():
            return tabs_of(samples, limits, "")[1]

    # Where no loop runs, Gradio makes some of its own and leaves them open.
    return loop.run_until_complete(build())


@pytest.fixture(scope="module")
def runs(network, samples, limits, folder):
    runs = Runs(network, samples, limits, folder)
    yield runs
    runs.close()


# Once for the module: it measures.
@pytest.fixture(scope="module")
def planning(network, runs):
    return Planning(network, runs)


@pytest.fixture
def line(planning, every, samples, loop):
    """`line(STYLIZE, size=64)`: what is said with the tab's own values but these."""

    def say(kind, content="harbor", **given):
        parts = every[kind.name]
        values = {one: getattr(one, "value", None) for one in parts.chosen}
        values |= dict.fromkeys(parts.pictures)
        values |= {parts.settings[name]: value for name, value in given.items()}
        if parts.content and content:
            values[parts.content] = str(samples.files.get(content, content))
        if parts.styles:
            values[parts.styles[0]] = str(samples.files["ink"])
        return loop.run_until_complete(planning.line(parts, values))

    return say


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_tab_says_time_and_memory(kind, line):
    words = line(kind)
    assert "second" in words or "minute" in words
    assert "of memory" in words


def test_each_kind_of_evaluation_is_measured_once(line, planning):
    before = set(planning._paces)
    for size in (32, 64, 128):
        line(STYLIZE, size=size, steps=size)
        line(TEXTURE, seamless=size == 64)
        line(RECONSTRUCT, seed=size)
    assert set(planning._paces) == before
    line(RECONSTRUCT, content_layers="relu2_1")
    line(RECONSTRUCT, content_layers="relu1_1,relu2_1")  # as far into the network
    assert len(planning._paces) == len(before) + 1


def test_while_the_device_works_nothing_is_measured(line, runs, ask):
    line(STYLIZE)
    job, working, go_on = Job(ask(steps=3)), Event(), Event()

    def hold(progress):
        working.set()
        go_on.wait(60)

    job.watch = hold
    runs.device.submit(job)
    assert working.wait(60)
    assert line(STYLIZE, statistics="gaussian").startswith("Takes about")
    assert "up to" in line(STYLIZE)  # known from before
    go_on.set()
    job.future.result()


def test_a_run_beyond_the_pages_time_is_told(line, runs, monkeypatch):
    monkeypatch.setattr(runs, "limits", replace(runs.limits, max_minutes=0.01))
    assert "After 0.01 minutes this page ends it" in line(STYLIZE)


def test_what_is_wrong_is_told_in_place_of_a_plan(line, tmp_path):
    assert "There is no content picture" in line(STYLIZE, content=None)
    assert "content layers" in line(STYLIZE, content_layers="").lower()
    (tmp_path / "mine.png").write_text("<b>no picture</b>")
    words = line(STYLIZE, content=str(tmp_path / "mine.png"))
    assert "mine.png" in words
    assert str(tmp_path) not in words
    assert "&lt;" not in line(STYLIZE)
    assert "<b>" not in line(STYLIZE, style_layers="<b>")


def test_tabs_begin_with_their_presets(every):
    for kind in KINDS:
        parts = every[kind.name]
        assert set(parts.settings) == set(kind.settings)
    texture = every[TEXTURE.name].settings
    assert (texture["init"].value, texture["tv_weight"].value) == ("noise", Settings().tv_weight)
    assert every[RECONSTRUCT.name].settings["tv_weight"].value == 1
