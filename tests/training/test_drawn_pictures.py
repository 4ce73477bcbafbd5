"""The pictures that `builtin` learns from."""

import pytest
import torch
from torch.testing import assert_close

from training.kinds import KINDS
from training.parameters import draw_parameters, neighbors
from training.scenes import Classes, draw_batch, grain, without_color
from training.textures import draw_textures

SIDE = 48


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def classes():
    return Classes.drawn(140, 0, torch.device("cpu"))


def test_the_same_seed_draws_the_same_batch_and_another_one_does_not(classes):
    first, again, other = (draw_batch(classes, 4, SIDE, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)


def test_every_kind_is_in_range_and_shows_something_new_each_time():
    parameters = draw_parameters(3 * len(KINDS), len(KINDS), seeded(0))
    first, second = (draw_textures(parameters, SIDE, seeded(seed)) for seed in (1, 2))
    assert first.min() >= 0
    assert first.max() <= 1
    assert (first.std(dim=(1, 2)) > 0.01).all()
    assert ((first - second).abs().mean(dim=(1, 2)) > 0.005).all()


def test_grain_has_most_of_its_power_at_its_frequency():
    parameters = draw_parameters(4 * len(KINDS), len(KINDS), seeded(0))
    grain = (parameters.kind == list(KINDS).index("grain")).nonzero()[:, 0]
    chosen = parameters[grain]
    plain = type(chosen)(
        **{
            **vars(chosen),
            "frequency": torch.tensor([0.06, 0.1, 0.15, 0.2]),
            "warp": torch.zeros(4),
            "cloudiness": torch.zeros(4),
            "bandwidth": torch.full((4,), 0.2),
            "sharpness": torch.full((4,), 0.5),
        }
    )
    textures = draw_textures(plain, 128, seeded(3))
    power = torch.fft.rfft2(textures - textures.mean(dim=(1, 2), keepdim=True)).abs().square()
    radius = torch.hypot(torch.fft.fftfreq(128)[:, None], torch.fft.rfftfreq(128)[None])
    center = (power * radius).sum(dim=(1, 2)) / power.sum(dim=(1, 2))
    assert_close(center, plain.frequency, rtol=0.2, atol=0)


def test_a_picture_without_things_is_all_ground(classes):
    batch = draw_batch(classes, 16, SIDE, seeded(4))
    plain = batch.ground_share == 1
    assert plain.any()
    assert not plain.all()
    assert (batch.ground_share >= 0).all()


def test_two_pictures_of_a_pair_have_one_ground_but_no_pixels_in_common(classes):
    batch = draw_batch(classes, 8, SIDE, seeded(5))
    assert torch.equal(batch.ground[::2], batch.ground[1::2])
    apart = (batch.images[::2] - batch.images[1::2]).abs().mean(dim=(1, 2, 3))
    assert (apart > 0.01).all()


def test_without_color_every_picture_has_the_same_values_in_its_own_order(classes):
    images = draw_batch(classes, 2, SIDE, seeded(6)).images
    flat = without_color(images)
    assert torch.equal(flat[:, 0], flat[:, 2])
    values = flat[:, 0].flatten(1).sort(dim=1).values
    assert_close(values, torch.linspace(0, 1, SIDE * SIDE).expand_as(values))
    gray = torch.einsum("bchw,c->bhw", images, torch.tensor([0.299, 0.587, 0.114])).flatten(1)
    order = flat[:, 0].flatten(1).argsort(dim=1)
    assert (gray.gather(1, order).diff(dim=1) > -1e-6).all()


def test_grain_is_as_strong_in_both_pictures_of_a_pair_and_never_gone():
    strength = grain(40, SIDE, seeded(7)).std(dim=(1, 2, 3))
    assert (strength > 0.01).all()
    assert strength[::2].std() > 0.02
    assert_close(strength[::2], strength[1::2], rtol=0.25, atol=0)


def test_free_styles_are_of_no_class_and_the_rest_of_the_batch_is_as_ever(classes):
    batch = draw_batch(classes, 8, 32, seeded(0), free=0.5)
    assert batch.images.shape == (16, 3, 32, 32)
    assert (batch.ground_share[:8] == 0).all()
    assert batch.ground_share[8:].sum() > 0


def test_a_neighbor_is_of_the_same_kind_and_not_the_same_texture():
    generator = torch.Generator().manual_seed(0)
    textures = draw_parameters(300, len(KINDS), generator)
    both = neighbors(textures, generator)
    assert both.kind[::2].equal(both.kind[1::2])
    for name in ("frequency", "angle", "sharpness"):
        given, mine, other = (
            getattr(t, name)[s]
            for t, s in ((textures, ...), (both, slice(0, None, 2)), (both, slice(1, None, 2)))
        )
        torch.testing.assert_close(mine, given)
        distance, anyone = (other - mine).abs().mean(), (mine.roll(1) - mine).abs().mean()
        assert 0 < distance < 0.7 * anyone
