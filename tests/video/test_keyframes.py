"""Settings that change in the course of a video."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core import Settings
from nst_core.errors import SettingsError
from nst_core.settings.keyframes import keyframes_in, settings_at
from nst_core.settings.loss import shares_in

TEXT = "0s: shares=1,0; 4s: shares=0,1 style_weight=200; 6s: style_weight=100"
TIMES = st.floats(0, 1e4)
WEIGHTS = st.floats(0, 1e6)


def at(text, seconds, frame=0, settings=None):
    return settings_at(settings or Settings(), keyframes_in(text), frame=frame, seconds=seconds)


def shares(text, seconds):
    return shares_in(at(text, seconds).style_shares)


def test_between_two_keyframes_a_setting_changes_evenly():
    assert shares(TEXT, 1) == pytest.approx((0.75, 0.25))
    assert at(TEXT, 5).style_weight == pytest.approx(150)


def test_before_the_first_and_after_the_last_it_stays():
    assert [at(TEXT, seconds).style_weight for seconds in (0, 3.9, 6, 99)] == [200, 200, 100, 100]
    assert shares(TEXT, 99) == (0, 1)


def test_what_no_keyframe_names_is_as_in_the_settings():
    settings = Settings(style_weight=7, style_shares="3,1", content_weight=2)
    assert at("0s: content_weight=5", 1, settings=settings) == Settings(
        style_weight=7, style_shares="3,1", content_weight=5
    )


@pytest.mark.parametrize("text", ["", " ", ";", "\n;\n"])
def test_no_keyframes_change_nothing(text):
    settings = Settings(style_shares="3,1")
    assert at(text, 3, settings=settings) is settings


def test_times_may_be_numbers_of_frames():
    text = "0: style_weight=0\n10: style_weight=100"
    assert at(text, 99, frame=3).style_weight == pytest.approx(30)


def test_of_shares_only_the_ratio_counts():
    assert shares("0s: shares=3,1; 1s: shares=2,2", 0.5) == pytest.approx((0.625, 0.375))


@given(st.lists(st.tuples(TIMES, WEIGHTS), min_size=1, max_size=6, unique_by=lambda key: key[0]))
def test_at_a_keyframe_a_setting_is_what_it_says_in_any_order(keys):
    text = "; ".join(f"{time!r}s: style_weight={weight!r}" for time, weight in keys)
    for time, weight in keys:
        assert at(text, time).style_weight == weight


@given(TIMES, WEIGHTS, WEIGHTS, st.floats(0, 2e4))
def test_in_between_it_is_never_outside(gap, first, second, when):
    text = f"0s: style_weight={first!r}; {gap + 1!r}s: style_weight={second!r}"
    low, high = sorted((first, second))
    found = at(text, when).style_weight
    assert low * (1 - 1e-12) <= found <= high * (1 + 1e-12)


@given(
    st.lists(st.floats(0, 10), min_size=3, max_size=3).filter(sum),
    st.lists(st.floats(0, 10), min_size=3, max_size=3).filter(sum),
    st.floats(0, 5),
)
def test_shares_stay_shares(first, second, when):
    written = [",".join(map(repr, values)) for values in (first, second)]
    found = shares(f"0s: shares={written[0]}; 5s: shares={written[1]}", when)
    assert min(found) >= 0
    assert sum(found) == pytest.approx(1)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_sentence(text):
    with suppress(SettingsError):
        at(text, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("4: shares=1,0; 5s: shares=0,1", "Write all with an s, or none"),
        ("4s", "has no colon"),
        ("4s:", "has no setting"),
        ("soon: shares=1,0", "'soon' is no time"),
        ("-1s: shares=1,0", "'-1s' is no time"),
        ("infs: shares=1,0", "'infs' is no time"),
        ("nans: shares=1,0", "'nans' is no time"),
        ("1.5: shares=1,0", "Write seconds, such as 4s"),
        ("0s: size=64", "cannot set 'size'. Use shares"),
        ("0s: style_weight", "each with = and a number"),
        ("0s: style_weight = 4", "without spaces"),
        ("0s: style_weight=high", "is 'high'. Write a number"),
        ("0s: style_weight=-1", "style weight is -1"),
        ("0s: style_weight=nan", "Use a finite number"),
        ("0s: color_strength=2", "Use a number from 0 to 1"),
        ("0s: shares=0,0", "not all 0"),
        ("0s: shares=-1,2", "numbers from 0 up"),
        ("0s: shares=", "one for each style picture"),
        ("0s: shares=1,x", "a number for each style picture"),
        ("0s: shares=1,0; 1s: shares=1", "2 shares and then 1"),
        ("0s: tv_weight=1 tv_weight=2", "set tv_weight twice at 0s"),
        ("1s: shares=1,0; 1.0s: style_shares=0,1", "set style_shares twice"),
    ],
)
def test_what_cannot_be_read_is_refused(text, words):
    with pytest.raises(SettingsError) as error:
        keyframes_in(text)
    assert words in str(error.value)
