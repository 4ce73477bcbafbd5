"""Several devices for one picture from one process: here all of them are the processor."""

import threading
from dataclasses import replace

import pytest
import torch
from small import picture
from torch.testing import assert_close

from nst_core import Runtime, Settings, losses_of, stylize
from nst_core.errors import SettingsError
from nst_core.run import plan
from nst_core.run import stylize as module
from nst_core.run.cards import cards_of, on_cards
from nst_core.run.checkpoint import load_checkpoint
from nst_core.run.saver import Saver

CPU = torch.device("cpu")
RUNTIME = Runtime(CPU)
SETTINGS = Settings(size=96, steps=2, scales=1, tolerance=0.0, content_layers="relu2_1")
SETTINGS = replace(SETTINGS, style_layers="relu1_1,relu2_1", init="noise")
CHOSEN = {
    "plain": {},
    "tiles": {"tile": 32},
    "seamless": {"seamless": True},
    "distributions": {"statistics": "sliced-wasserstein"},
    "scales": {"scales": 2},
    "views": {"views": 2},
}


def losses(settings):
    return losses_of(picture(72, 96), [picture(60, 60, seed=1)], settings)


def run(vgg, settings=SETTINGS, **kwargs):
    return stylize(losses(settings), vgg=vgg, settings=settings, runtime=RUNTIME, **kwargs)


@pytest.fixture
def three(monkeypatch):
    """The picture is shared out over three devices."""
    monkeypatch.setattr(module, "cards_of", lambda cards, runtime: [CPU] * 3)


@pytest.mark.parametrize("chosen", CHOSEN.values(), ids=CHOSEN)
def test_several_devices_find_the_picture_that_one_finds(chosen, vgg, monkeypatch):
    settings = replace(SETTINGS, **chosen)
    alone = run(vgg, settings)
    monkeypatch.setattr(module, "cards_of", lambda cards, runtime: [CPU] * 3)
    together = run(vgg, settings)
    assert [r.loss for r in together.records] == pytest.approx(
        [r.loss for r in alone.records], rel=1e-3
    )
    assert_close(together.image, alone.image, rtol=0, atol=5e-3)


class Stop(BaseException):
    """The user's wish."""


def test_a_cancel_ends_all_threads_with_a_checkpoint_that_goes_on(vgg, three, tmp_path):
    settings = replace(SETTINGS, steps=6)
    expected, saver = run(vgg, settings), Saver(tmp_path / "run.nst")

    def cancel(progress):
        if progress.records[-1].step == 3:
            raise Stop

    threads = threading.active_count()
    with pytest.raises(Stop):
        run(vgg, settings, on_progress=cancel, saver=saver)
    assert threading.active_count() == threads
    found = run(vgg, settings, resume=load_checkpoint(saver.path))
    assert found.image.equal(expected.image)


def test_what_is_raised_within_an_evaluation_ends_all_threads(vgg, three):
    ticks = []

    def on_tile():
        ticks.append(1)
        if len(ticks) == 20:
            raise Stop

    threads = threading.active_count()
    with pytest.raises(Stop):
        run(vgg, on_tile=on_tile)
    assert threading.active_count() == threads


def test_the_error_of_another_thread_is_the_error_of_the_run():
    def fails(runtime, on_progress, on_tile):
        if runtime.processes.rank == 2:
            raise ValueError("no card")
        runtime.processes.told(1)

    with pytest.raises(ValueError, match="no card"):
        on_cards(fails, [CPU] * 3, RUNTIME, lambda progress: None, lambda: None)


def test_each_of_several_plans_with_less_memory(vgg, monkeypatch):
    alone = plan.needs(losses(SETTINGS), settings=SETTINGS, runtime=RUNTIME)
    monkeypatch.setattr(plan, "cards_of", lambda cards, runtime: [CPU] * 3)
    shared = plan.needs(losses(SETTINGS), settings=SETTINGS, runtime=RUNTIME)
    assert shared.processes == 3
    assert shared.memory < alone.memory


def test_cards_are_counted_from_that_of_the_run(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    second = Runtime(torch.device("cuda:1"))
    assert [d.index for d in cards_of(3, second)] == [1, 2, 3]
    assert [d.index for d in cards_of(0, second)] == [1, 2, 3, 0]
    with pytest.raises(SettingsError, match="not 5 cards here, but 4"):
        cards_of(5, second)


def test_a_processor_is_no_card():
    assert cards_of(0, RUNTIME) == [CPU]
    with pytest.raises(SettingsError, match="cannot share"):
        cards_of(2, RUNTIME)
