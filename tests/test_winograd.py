import pytest
import torch
from small import picture, seeded_vgg
from torch.testing import assert_close

from nst_core.convolution import Convolution
from nst_core.objective import Objective
from nst_core.runtime import Runtime
from nst_core.terms import ContentLoss, StyleLoss
from nst_core.winograd import Winograd

CPU = torch.device("cpu")
# Sides that are and are not multiples of 4, one strip and several, more and less channels after.
SHAPES = ((64, 64, 48, 64), (64, 128, 41, 54), (128, 64, 33, 130), (256, 128, 29, 32))


def pair(in_channels, channels):
    """The plain convolution and the quick one, with the same weights."""
    plain, quick = Convolution(in_channels, channels), Winograd(in_channels, channels)
    quick.load_state_dict(plain.state_dict())
    return plain.requires_grad_(False), quick.requires_grad_(False)


def features(channels, height, width, seed=0):
    """(1, channels, height, width), channels-last, half of them zero."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(1, channels, height, width, generator=generator).relu_()
    return values.contiguous(memory_format=torch.channels_last)


def assert_near(ours, expected):
    """Equal to 1e-5 of their size, which is rounding."""
    assert ours.is_contiguous(memory_format=torch.channels_last)
    assert float((ours - expected).norm() / expected.norm()) < 1e-5


@pytest.mark.parametrize("shape", SHAPES)
def test_fewer_multiplications_give_the_same_features(shape):
    plain, quick = pair(*shape[:2])
    given = features(shape[0], *shape[2:])
    assert_near(quick(given), plain(given))
    assert not quick(given).equal(plain(given))  # or it was not used


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("adding", [True, False])
def test_the_way_back_is_the_plain_ones(shape, masked, adding):
    plain, quick = pair(*shape[:2])
    gradient = features(shape[1], *shape[2:], seed=1) - 0.4
    before, other = features(shape[0], *shape[2:]), features(shape[0], *shape[2:], seed=2)

    def back(convolution):
        # Both may write where these lie.
        mask = before.clone(memory_format=torch.preserve_format) if masked else None
        more = (lambda: other.clone(memory_format=torch.preserve_format)) if adding else None
        given = gradient.clone(memory_format=torch.preserve_format)
        return convolution.back(given, mask, more)

    ours = back(quick)
    assert_near(ours, back(plain))
    if masked:
        assert not ours[before == 0].any()


def test_small_and_shallow_convolutions_stay_plain():
    for shape in ((64, 64, 16, 16), (3, 64, 61, 64)):
        plain, quick = pair(*shape[:2])
        given = features(shape[0], *shape[2:])
        assert_close(quick(given), plain(given), rtol=1e-6, atol=1e-6)


def test_convolutions_that_share_memory_do_not_disturb_each_other():
    make = Winograd.maker()
    large, small = (make(64, 64).requires_grad_(False) for _ in range(2))
    given = features(64, 80, 96)
    first = large(given)
    kept = first.clone()
    small(first[..., :40, :48].contiguous(memory_format=torch.channels_last))
    assert first.equal(kept)
    assert large(given).equal(kept)


def test_the_whole_objective_is_the_plain_one_to_rounding():
    vgg = seeded_vgg()
    content, image = picture(112, 128, seed=1), picture(112, 128, seed=2)
    losses = [
        ContentLoss(image=content, weight=1.0),
        StyleLoss(images=(picture(96, 120, seed=3),), weight=100.0),
    ]
    evaluations = [
        Objective(losses, vgg=runtime.place(vgg), height=112, width=128, tile=tile).evaluate(image)
        for runtime in (Runtime(CPU), Runtime(CPU, convolution=Winograd))
        for tile in (0, 64)
    ]
    for other in evaluations[1:]:
        assert other.loss == pytest.approx(evaluations[0].loss, rel=1e-5)
        # Where two values of a pooling are equal but for rounding, either may take the gradient.
        near = (other.gradient - evaluations[0].gradient).norm() / evaluations[0].gradient.norm()
        assert float(near) < 2e-3


def test_auto_takes_them_where_nothing_is_quicker_and_float32_does_not():
    auto = Runtime.choose("cpu", "auto")
    last = auto.exact() if auto.finish else auto
    assert last.dtype == torch.float32
    assert last.convolution is Winograd
    assert Runtime.choose("cpu", "float32").convolution is Convolution
    with_filters = last.estimate(512, 512, 10)
    assert with_filters > Runtime.choose("cpu", "float32").estimate(512, 512, 10)


def test_the_same_picture_is_found_again():
    quick = Runtime(CPU, convolution=Winograd)
    given = features(64, 96, 96)
    once, again = (quick.place(seeded_vgg()).convolutions["conv2_1"](given) for _ in range(2))
    assert_close(once, again, rtol=0, atol=0)
