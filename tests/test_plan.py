"""What a run is said to take, through Python and through `nst plan`."""

from dataclasses import replace

import pytest
import torch
from small import picture

from nst_core import Runtime, Settings, losses_of, plan
from nst_core.cli import main
from nst_core.run.pace import Pace

CPU = torch.device("cpu")
SETTINGS = Settings(size=64, steps=10, scales=2, style_layers="low", content_layers="relu2_1")
LOSSES = losses_of(picture(48, 64), [picture(40, 40, seed=1)], SETTINGS)


def planned(vgg, settings=SETTINGS, runtime=None):
    return plan(LOSSES, vgg=vgg, settings=settings, runtime=runtime or Runtime(CPU))


def test_a_plan_names_the_sizes_and_their_steps(vgg):
    scales = planned(vgg).scales
    assert [(scale.width, scale.height) for scale in scales] == [(32, 24), (64, 48)]
    assert [scale.steps for scale in scales] == [2, 8]  # by their longer sides ** 2.5


def test_a_larger_picture_takes_more_memory_and_tiles_less(vgg):
    settings = replace(SETTINGS, size=1024, scales=1)
    small, large = planned(vgg), planned(vgg, settings)
    tiled = planned(vgg, replace(settings, tile=256))
    assert small.memory < tiled.memory < large.memory
    assert tiled.tile == 256


def test_a_float32_finish_needs_the_memory_of_float32(vgg):
    rounded = Runtime(CPU, torch.bfloat16, finish=True)
    finished = planned(vgg, runtime=rounded)
    assert finished.memory == planned(vgg, runtime=rounded.exact()).memory
    assert finished.memory > planned(vgg, runtime=Runtime(CPU, torch.bfloat16)).memory


def test_with_a_pace_time_is_pixels_times_pace(vgg):
    settings = replace(SETTINGS, scales=1)
    given = {"vgg": vgg, "settings": settings, "pace": Pace(1e-6, 1e-3)}
    steps = settings.steps + 1
    one = plan(LOSSES, runtime=Runtime(CPU), **given)
    assert one.seconds == pytest.approx(64 * 48 * steps * 1e-6)
    two = plan(LOSSES, runtime=Runtime(CPU, torch.bfloat16, finish=True), **given)
    assert two.seconds == pytest.approx(64 * 48 * ((steps - 1) * 1e-6 + 1e-3))


def test_a_seamless_picture_takes_more_of_both(vgg):
    plain, seamless = (
        plan(LOSSES, vgg=vgg, settings=replace(SETTINGS, seamless=on), pace=Pace(1e-6, 1e-6))
        for on in (False, True)
    )
    assert seamless.memory > plain.memory
    assert seamless.seconds > plain.seconds


def test_the_command_line_says_it_before_it_does_anything(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = "plan sample:harbor sample:waves --weights builtin --size 64 --steps 4 --scales 1"
    with pytest.raises(SystemExit) as exit_:
        main(words.split())
    assert not exit_.value.code
    said = capsys.readouterr().out
    assert "64x48 px in 4 steps" in said
    assert "GB" in said
    assert "second" in said
    assert not list(tmp_path.iterdir())
