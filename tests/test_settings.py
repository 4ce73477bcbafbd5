from dataclasses import fields

import pytest

from nst_core.control.pyramid import COARSEST, NARROWEST, fit, plan_scales
from nst_core.errors import LayerError, SettingsError
from nst_core.settings import (
    PRESETS,
    RunSettings,
    Settings,
    choices_of,
    help_of,
    limits_of,
    preset_named,
)
from nst_core.settings.layers import CONTENT_LAYERS, STYLE_LAYERS, layer_weights
from nst_core.settings.loss import shares_in


@pytest.mark.parametrize("name", [item.name for item in fields(Settings)])
def test_every_setting_explains_itself(name):
    assert len(help_of(name)) > 20
    low, high = limits_of(name)
    assert (low is None) == (high is None)


@pytest.mark.parametrize(
    "name", [i.name for i in fields(Settings) if limits_of(i.name)[0] is not None]
)
def test_limits_are_kept_and_named(name):
    low, high = limits_of(name)
    for value in (low - 1, high + 1, float("nan")):
        with pytest.raises(SettingsError, match=name.replace("_", " ")):
            Settings(**{name: value})
    for value in (low, high):
        Settings(**{name: type(low)(value)})


@pytest.mark.parametrize("name", [item.name for item in fields(Settings) if choices_of(item.name)])
def test_choices_are_kept_and_named(name):
    with pytest.raises(SettingsError, match=str(choices_of(name)[-1])):
        Settings(**{name: "no such thing"})


def test_presets_are_found_by_name_and_say_where_they_come_from():
    assert {"default", "gatys-vgg16", "neural-style"} <= set(PRESETS)
    assert "arXiv:1508.06576" in preset_named("gatys-vgg16").description
    assert preset_named("neural-style").settings.style_weight == 100
    with pytest.raises(SettingsError, match="neural-style"):
        preset_named("gatys")


def test_layers_by_name_list_and_weight():
    assert list(layer_weights("low", STYLE_LAYERS, averaged=True)) == ["relu1_1", "relu2_1"]
    assert layer_weights("high", CONTENT_LAYERS, averaged=True) == {"relu4_2": 1.0}
    assert layer_weights("all", STYLE_LAYERS, averaged=True)["relu3_1"] == 1 / 5
    assert layer_weights("all", STYLE_LAYERS, averaged=False)["relu3_1"] == 1.0
    assert layer_weights("conv1_1=2, block2_conv1=0.5", STYLE_LAYERS, averaged=False) == {
        "relu1_1": 2.0,
        "relu2_1": 0.5,
    }
    assert layer_weights({"relu1_2": 3.0}, STYLE_LAYERS, averaged=False) == {"relu1_2": 3.0}


@pytest.mark.parametrize(
    ("layers", "error", "words"),
    [
        ("relu9_1", LayerError, "relu"),
        ("relu1_1=much", SettingsError, "relu3_1=0.5"),
        ("relu1_1,conv1_1", SettingsError, "twice"),
        ("", SettingsError, "No layers"),
        ("relu1_1=-1", SettingsError, "0 or more"),
    ],
)
def test_layers_that_make_no_sense_are_refused(layers, error, words):
    with pytest.raises(error, match=words):
        layer_weights(layers, STYLE_LAYERS, averaged=True)


def test_scales_end_at_the_full_size_and_share_all_steps():
    scales = plan_scales(300, 1100, scales=0, steps=100)
    assert (scales[-1].height, scales[-1].width) == (300, 1100)
    assert sum(scale.steps for scale in scales) == 100
    # By their longer sides to the power of 2.5, in whole steps; coarser ones had none.
    assert all(scale.steps for scale in scales)
    shares = [max(scale.height, scale.width) ** 2.5 for scale in scales]
    for scale, share in zip(scales, shares, strict=True):
        assert abs(scale.steps - 100 * share / sum(shares)) < 1


@pytest.mark.parametrize(
    ("height", "width", "count"),
    [
        (64, 64, 1),
        (127, 127, 1),
        (96, 128, 2),
        (768, 1024, 5),
        (96, 1600, 2),  # the shorter side would be below NARROWEST
        (1600, 96, 2),
        (63, 1600, 1),
    ],
)
def test_scales_are_added_while_the_coarsest_is_large_enough_both_ways(height, width, count):
    scales = plan_scales(height, width, scales=0, steps=10_000)
    assert len(scales) == count
    sides = scales[0].height, scales[0].width
    assert max(sides) >= COARSEST
    assert count == 1 or min(sides) >= NARROWEST
    assert max(sides) < 2 * COARSEST or min(sides) < 2 * NARROWEST  # one more would not do


def test_a_narrow_picture_beside_the_result_has_fewer_scales():
    assert len(plan_scales(512, 512, scales=0, steps=10_000, narrowest=130)) == 3
    assert len(plan_scales(512, 512, scales=0, steps=10_000, narrowest=20)) == 1
    assert len(plan_scales(512, 512, scales=0, steps=10_000, narrowest=4000)) == 4


def test_short_runs_have_no_scale_without_a_step_unless_it_is_asked_for():
    assert [scale.steps for scale in plan_scales(512, 512, scales=0, steps=3)] == [1, 2]
    assert [scale.steps for scale in plan_scales(512, 512, scales=0, steps=0)] == [0]
    assert [scale.steps for scale in plan_scales(512, 512, scales=3, steps=3)] == [0, 1, 2]


def test_as_many_scales_as_are_asked_for():
    assert len(plan_scales(64, 64, scales=3, steps=1, narrowest=20)) == 3
    assert len(plan_scales(2048, 2048, scales=1, steps=1)) == 1


def test_fit_keeps_proportions_and_never_loses_a_side():
    assert fit(768, 1024, 512) == (384, 512)
    assert fit(1, 1000, 100) == (1, 100)


def test_the_defaults_are_valid_and_frozen():
    with pytest.raises(AttributeError):
        RunSettings().steps = 3  # type: ignore[misc]


def test_gray_may_be_grey():
    assert RunSettings(init="grey") == RunSettings(init="gray")


def test_shares_are_numbers_or_nothing():
    assert shares_in("") is None
    assert shares_in("3, 1") == (3.0, 1.0)
    with pytest.raises(SettingsError, match="such as 3,1"):
        shares_in("half")
