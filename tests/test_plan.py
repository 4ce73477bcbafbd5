"""What a run is said to take, through Python and through `nst plan`."""

from dataclasses import replace

import pytest
import torch
from small import picture
from typer.main import get_command

from nst_core import Runtime, Settings, losses_of, plan, save_image
from nst_core.cli import main
from nst_core.cli.app import app
from nst_core.run.pace import Pace, pace_of

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


def test_a_run_with_a_float32_finish_needs_the_memory_of_both_its_phases(vgg):
    rounded = Runtime(CPU, torch.bfloat16, finish=True)
    phases = Runtime(CPU, torch.bfloat16), rounded.exact()
    needed = [planned(vgg, runtime=phase).memory for phase in phases]
    assert planned(vgg, runtime=rounded).memory == max(needed)


def test_with_a_pace_time_is_pixels_times_pace(vgg):
    settings = replace(SETTINGS, scales=1)
    given = {"vgg": vgg, "settings": settings, "pace": Pace(1e-6, 1e-3)}
    steps = settings.steps + 1
    one = plan(LOSSES, runtime=Runtime(CPU), **given)
    targets = 64 * 64 / 3  # a forward pass of the style
    assert one.seconds == pytest.approx((64 * 48 * steps + targets) * 1e-6)
    two = plan(LOSSES, runtime=Runtime(CPU, torch.bfloat16, finish=True), **given)
    # The search in float32 begins with an evaluation of its own.
    before, after = 64 * 48 * (steps - 1) + targets, 2 * 64 * 48 + targets
    assert two.seconds == pytest.approx(before * 1e-6 + after * 1e-3)


def test_coarse_scales_cost_more_than_their_pixels(vgg):
    given = {"vgg": vgg, "runtime": Runtime(CPU), "settings": replace(SETTINGS, scales=1)}
    plain, fixed = (plan(LOSSES, pace=Pace(1e-6, 1e-6, each), **given) for each in (0, 0.5))
    assert fixed.seconds - plain.seconds == pytest.approx(0.5 * (SETTINGS.steps + 1))
    assert pace_of(LOSSES, vgg=vgg, settings=SETTINGS, runtime=Runtime(CPU)).fixed >= 0


def test_evaluations_that_may_not_be_made_take_no_time(vgg):
    given = {"vgg": vgg, "pace": Pace(1e-6, 1e-6), "runtime": Runtime(CPU)}
    whole, limited, one = (
        plan(LOSSES, settings=replace(SETTINGS, scales=1, max_evaluations=most), **given)
        for most in (0, 5, 1)
    )
    assert limited.seconds - one.seconds == pytest.approx(4 * 64 * 48 * 1e-6)
    assert whole.seconds - one.seconds == pytest.approx(10 * 64 * 48 * 1e-6)
    assert "at most 5 evaluations" in limited.sentences[0]


def test_larger_style_pictures_and_more_of_them_take_more_of_both(vgg):
    settings = replace(SETTINGS, style_scale=8.0)
    plans = [
        plan(
            losses_of(picture(48, 64), [picture(40, 40)] * count, used),
            vgg=vgg,
            settings=used,
            pace=Pace(1e-6, 1e-6),
        )
        for used, count in ((SETTINGS, 1), (settings, 1), (settings, 2))
    ]
    assert plans[0].memory < plans[1].memory < plans[2].memory
    assert plans[0].seconds < plans[1].seconds < plans[2].seconds


def test_a_strip_is_timed_where_its_layers_have_features(vgg):
    settings = replace(SETTINGS, size=512, scales=1, style_layers="relu4_1")
    losses = losses_of(picture(12, 512), [picture(16, 512)], settings)
    assert pace_of(losses, vgg=vgg, settings=settings, runtime=Runtime(CPU)).usual > 0


def test_a_seamless_picture_takes_more_of_both(vgg):
    plain, seamless = (
        plan(LOSSES, vgg=vgg, settings=replace(SETTINGS, seamless=on), pace=Pace(1e-6, 1e-6))
        for on in (False, True)
    )
    assert seamless.memory > plain.memory
    assert seamless.seconds > plain.seconds


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    """Runs `nst` with these words in an empty folder: what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(words):
        with pytest.raises(SystemExit) as exit_:
            main([*words.split(), "--weights", "builtin"])
        assert not exit_.value.code
        return capsys.readouterr().out

    return run


def test_the_command_line_says_it_before_it_does_anything(said, tmp_path):
    out = said("plan sample:harbor sample:waves --size 64 --steps 4 --scales 1")
    assert "64x48 px in 4 steps" in out
    assert "GB" in out
    assert "second" in out
    assert not list(tmp_path.iterdir())


SHORT = "--size 64 --steps 2 --scales 1 --style-layers low --content-layers low"


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (f"{SHORT} plan.png sample:waves", "64x48"),
        (f"stylize plan.png sample:waves {SHORT} -o out.png --mask mask.png --plot p.png", "64x48"),
        (f"stylize plan.png red=plan.png --regions mask.png {SHORT} --save-every 3 -q", "64x48"),
        (f"texture plan.png {SHORT} --aspect 4 --style-mask mask.png", "64x16"),
        (f"reconstruct plan.png {SHORT}", "64x48"),
    ],
)
def test_every_run_is_planned_in_its_own_words(words, size, said, tmp_path):
    mask = torch.zeros(1, 3, 30, 40)
    mask[:, 0, :, :20] = 1
    save_image(picture(30, 40), tmp_path / "plan.png")
    save_image(mask, tmp_path / "mask.png")
    assert f"{size} px in 2 steps" in said(f"plan {words}")
    assert len(list(tmp_path.iterdir())) == 2


def test_of_a_folder_the_first_run_is_planned(said, tmp_path):
    for name in ("one", "two"):
        save_image(picture(30, 40), tmp_path / f"{name}.png")
    out = said(f"plan . sample:waves {SHORT}")
    assert "Pictures: 2. Of the first, 'one.png':" in out
    assert "64x48 px in 2 steps" in out


def test_a_plan_takes_every_flag_of_the_run():
    for name in ("stylize", "texture", "reconstruct"):
        commands = get_command(app).commands
        run, planned = commands[name], commands["plan"].commands[name]
        asked = [parameter.opts for parameter in planned.params]
        asked.remove(["--processes"])  # a run knows how many it is
        assert [parameter.opts for parameter in run.params] == asked
