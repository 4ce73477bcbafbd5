"""The drawn pictures: what demos, tests and workflows rely on."""

import itertools

import pytest
import torch
from torch.nn.functional import interpolate

from nst_core.errors import SettingsError
from nst_core.files.samples import CONTENTS, MIN_SIZE, STYLES, sample

NAMES = (*CONTENTS, *STYLES)


@pytest.fixture(scope="module")
def drawn():
    return {name: sample(name, 256) for name in NAMES}


def test_the_promised_samples_exist():
    assert {"harbor", "portrait", "landscape"} <= set(CONTENTS)
    assert {"brushstrokes", "mosaic", "waves", "stained_glass", "ink"} <= set(STYLES)


def test_no_name_is_both_a_content_and_a_style():
    assert not set(CONTENTS) & set(STYLES)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_a_finite_rgb_picture_between_0_and_1(name, drawn):
    picture = drawn[name]
    assert picture.dtype == torch.float32
    assert picture.shape[:2] == (1, 3)
    assert picture.isfinite().all()
    assert picture.min() >= 0
    assert picture.max() <= 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [MIN_SIZE, 97, 256])
def test_the_longer_side_has_the_size_asked_for(name, size):
    assert max(sample(name, size).shape[2:]) == size


def test_contents_differ_in_aspect(drawn):
    ratios = {round(drawn[name].shape[3] / drawn[name].shape[2], 1) for name in CONTENTS}
    assert len(ratios) == len(CONTENTS)


@pytest.mark.parametrize("name", NAMES)
def test_drawing_twice_gives_the_same_bytes(name, drawn):
    assert torch.equal(sample(name, 256), drawn[name])


@pytest.mark.parametrize("name", NAMES)
def test_drawing_does_not_touch_the_global_dice(name):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    sample(name, 32)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", NAMES)
def test_small_and_large_draws_are_the_same_picture(name):
    small, large = sample(name, 128), sample(name, 512)
    shrunk = interpolate(large, small.shape[2:], mode="area")
    difference = (shrunk - small).abs().mean()
    # Only edges may differ, by less than a shift of half a pixel would cost; the yardstick is a
    # shift by one pixel. Any other composition, be it the mirror image, costs over a whole one.
    shift = (small[..., 1:] - small[..., :-1]).abs().mean()
    assert difference < 0.5 * shift
    assert (shrunk.flip(-1) - small).abs().mean() > shift


def test_samples_differ_from_each_other(drawn):
    thumbnails = {name: interpolate(drawn[name], (32, 32), mode="area") for name in NAMES}
    for one, other in itertools.combinations(NAMES, 2):
        assert (thumbnails[one] - thumbnails[other]).abs().mean() > 0.08, (one, other)


@pytest.mark.parametrize("name", STYLES)
def test_every_quarter_of_a_style_has_texture(name, drawn):
    height, width = (side // 2 for side in drawn[name].shape[2:])
    for top, left in itertools.product((0, height), (0, width)):
        quarter = drawn[name][..., top : top + height, left : left + width]
        assert quarter.std() > 0.08, (top, left)


def test_every_sample_has_a_one_line_description():
    for description in (*CONTENTS.values(), *STYLES.values()):
        assert description.endswith(".")
        assert "\n" not in description


def test_an_unknown_name_is_answered_with_near_and_known_ones():
    with pytest.raises(SettingsError, match=r"'harbuor'.*Did you mean harbor\?.*stained_glass"):
        sample("harbuor")


def test_a_name_near_to_nothing_is_answered_with_all_names():
    with pytest.raises(SettingsError, match=r"Known samples: harbor, portrait") as caught:
        sample("zzz")
    assert "Did you mean" not in str(caught.value)


def test_too_small_a_size_is_refused():
    with pytest.raises(SettingsError, match=f"{MIN_SIZE - 1} px is too small"):
        sample("ink", MIN_SIZE - 1)


def test_the_harbor_is_found_in_british_spelling_too():
    assert torch.equal(sample("harbour", 64), sample("harbor", 64))
