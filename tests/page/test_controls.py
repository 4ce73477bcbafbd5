"""Sliders and menus say what the settings say."""

import pytest

from nst_core.errors import SettingsError
from nst_core.page.asking import check_allowed
from nst_core.page.controls import NAMES, control, settings_of, values_of
from nst_core.settings import (
    PRESETS,
    ServingSettings,
    Settings,
    choices_of,
    default_of,
    help_of,
    limits_of,
)


@pytest.mark.parametrize("name", NAMES)
def test_a_control_has_the_default_and_the_help_of_its_setting(name):
    component = control(name, ServingSettings())
    assert component.value == default_of(name)
    assert component.info == help_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_control_takes_what_its_setting_takes(name):
    component = control(name, ServingSettings())
    if choices_of(name):
        assert [value for _, value in component.choices] == list(choices_of(name))
    elif name not in ("size", "steps") and limits_of(name) != (None, None):
        assert (component.minimum, component.maximum) == limits_of(name)


def test_size_and_effort_end_where_the_page_does():
    limits = ServingSettings(max_size=256, max_steps=50)
    size, steps = control("size", limits), control("steps", limits)
    assert (size.maximum, size.value) == (256, 256)
    assert (steps.maximum, steps.value) == (50, 50)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_shown_and_read_back_is_the_preset(preset):
    settings = PRESETS[preset].settings
    assert settings_of(preset, 1, values_of(settings, ServingSettings())) == settings


def test_style_strength_multiplies_the_style_weight():
    assert settings_of("default", 2.5, {}).style_weight == 2.5 * Settings().style_weight


def test_whole_numbers_from_a_browser_are_as_good_as_integers():
    assert settings_of("default", 1, {"size": 64.0}).size == 64


def test_a_seed_of_another_program_keeps_its_digits_on_the_page():
    component = control("seed", ServingSettings())
    for seed in (2**53 + 1, 2**64 - 1):
        shown = component.postprocess(seed)
        assert settings_of("default", 1, {"seed": component.preprocess(shown)}).seed == seed


@pytest.mark.parametrize(
    "given",
    [
        {"size": None},
        {"size": "64"},
        {"size": 64.5},
        {"size": -1},
        {"size": float("nan")},
        {"style_weight": float("inf")},
        {"seed": True},
        {"content_layers": ""},
        {"init": "elsewhere"},
        {"weights": "/etc/passwd"},
        {"device": "cuda"},
        {"history": 200},
        {"no_such": 1},
    ],
)
def test_what_is_no_possible_setting_is_refused_in_words(given):
    with pytest.raises(SettingsError):
        settings_of("default", 1, given)


@pytest.mark.parametrize("strength", [-1, 5, None, "1", float("nan")])
def test_a_strength_beyond_the_slider_is_refused(strength):
    with pytest.raises(SettingsError, match="strength"):
        settings_of("default", strength, {})


def test_a_size_or_effort_beyond_the_page_is_refused():
    limits = ServingSettings(max_size=256, max_steps=50)
    with pytest.raises(SettingsError, match="Size 16,384 is more"):
        check_allowed(Settings(size=16384, steps=50), limits)
    with pytest.raises(SettingsError, match="Effort 51 is more"):
        check_allowed(Settings(size=256, steps=51), limits)
    check_allowed(Settings(size=256, steps=50), limits)
