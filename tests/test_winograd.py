import pytest
import torch
from small import objective_of, picture, seeded_vgg
from torch.testing import assert_close

from nst_core.control.losses import ContentLoss, StyleLoss
from nst_core.kernels.convolution import Convolution
from nst_core.kernels.winograd import WinogradF2x2, WinogradF4x4
from nst_core.run.estimate import Load, estimate
from nst_core.run.runtime import Runtime

CPU = torch.device("cpu")
# Sides that are and are not multiples of 4, one strip and several, more and less channels after.
SHAPES = ((64, 64, 48, 64), (64, 128, 41, 54), (128, 64, 33, 130), (256, 128, 29, 32))


# Likewise for 2.
HALF_SHAPES = ((256, 512, 16, 16), (512, 256, 41, 54), (256, 256, 33, 130), (512, 128, 29, 32))
BOTH = [(WinogradF4x4, shape) for shape in SHAPES] + [
    (WinogradF2x2, shape) for shape in HALF_SHAPES
]
TYPES = {WinogradF4x4: torch.float32, WinogradF2x2: torch.bfloat16}


def pair(in_channels, channels, kind=WinogradF4x4):
    """The plain convolution in float32 and the quick one, with the same weights."""
    plain, quick = Convolution(in_channels, channels), kind(in_channels, channels)
    quick.load_state_dict(plain.state_dict())
    quick = quick.to(TYPES[kind], memory_format=torch.channels_last)
    return plain.requires_grad_(False), quick.requires_grad_(False)


def features(channels, height, width, seed=0):
    """(1, channels, height, width), channels-last, half of them zero."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(1, channels, height, width, generator=generator).relu_()
    return values.contiguous(memory_format=torch.channels_last)


def assert_near(ours, expected):
    """Equal to 1e-5 of their size, or a hundredth in bfloat16, which is rounding."""
    assert ours.is_contiguous(memory_format=torch.channels_last)
    near = 1e-5 if ours.dtype == torch.float32 else 1e-2
    assert float((ours.float() - expected).norm() / expected.norm()) < near


@pytest.mark.parametrize(("kind", "shape"), BOTH)
def test_fewer_multiplications_give_the_same_features(kind, shape):
    plain, quick = pair(*shape[:2], kind)
    given = features(shape[0], *shape[2:])
    ours = quick(given.to(TYPES[kind]))
    assert_near(ours, plain(given))
    assert not ours.equal(plain.to(TYPES[kind])(given.to(TYPES[kind])))  # or it was not used


CROPS = [(1, 1, 1, 1), (0, 1, 1, 0), (1, 0, 0, 2), (3, 0, 2, 5)]


@pytest.mark.parametrize(
    ("kind", "shape"), [BOTH[0], BOTH[1], BOTH[5], (WinogradF4x4, (3, 64, 61, 64))]
)
@pytest.mark.parametrize("crop", CROPS)
def test_a_crop_is_that_of_the_plain_one_forward_and_backward(kind, shape, crop):
    plain, quick = pair(*shape[:2], kind)
    given, (left, right, top, bottom) = features(shape[0], *shape[2:]), crop
    ours, expected = quick(given.to(TYPES[kind]), crop), plain(given, crop)
    assert_near(ours, expected)
    assert expected.equal(plain(given)[..., top : shape[2] - bottom, left : shape[3] - right])
    gradient = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    before = given.to(TYPES[kind], copy=True)
    ours = quick.backward(gradient.to(TYPES[kind]), before, crop=crop)
    assert ours.shape == given.shape
    assert_near(ours, plain.backward(gradient, given.clone(), crop=crop))


def test_in_bfloat16_the_error_is_at_most_three_times_that_of_the_plain_sum():
    plain, quick = pair(256, 256, WinogradF2x2)
    given = features(256, 64, 64)
    expected = plain(given)
    ours, rounded = (each(given.bfloat16()) for each in (quick, plain.bfloat16()))
    error, least = ((result.float() - expected).norm() for result in (ours, rounded))
    assert float(error / least) < 3


@pytest.mark.parametrize(("kind", "shape"), BOTH)
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("adding", [True, False])
def test_the_backward_is_the_plain_ones(kind, shape, masked, adding):
    plain, quick = pair(*shape[:2], kind)
    gradient = features(shape[1], *shape[2:], seed=1) - 0.4
    before, other = features(shape[0], *shape[2:]), features(shape[0], *shape[2:], seed=2)

    def backward(convolution):
        # Both may write where these lie.
        dtype = convolution.weight.dtype
        kept, extra, given = (each.to(dtype, copy=True) for each in (before, other, gradient))
        return convolution.backward(given, kept if masked else None, extra if adding else None)

    ours = backward(quick)
    assert_near(ours, backward(plain))
    if masked:
        assert not ours[before == 0].any()


def test_small_and_shallow_convolutions_stay_plain():
    for shape in ((64, 64, 16, 16), (3, 64, 61, 64)):
        plain, quick = pair(*shape[:2])
        given = features(shape[0], *shape[2:])
        assert_close(quick(given), plain(given), rtol=1e-6, atol=1e-6)


def test_few_channels_and_few_places_stay_plain_in_bfloat16_too():
    for shape in ((128, 128, 32, 32), (256, 256, 12, 16)):
        plain, quick = pair(*shape[:2], WinogradF2x2)
        given = features(shape[0], *shape[2:]).bfloat16()
        assert quick(given).equal(plain.bfloat16()(given))


def test_convolutions_that_share_memory_do_not_disturb_each_other():
    make = WinogradF4x4.maker()
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
        objective_of(losses, vgg=runtime.place(vgg), height=112, width=128, tile=tile).evaluate(
            image
        )
        for runtime in (Runtime(CPU), Runtime(CPU, convolution=WinogradF4x4))
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
    assert last.convolution is WinogradF4x4
    assert Runtime.choose("cpu", "float32").convolution is Convolution
    load = Load(height=512, width=512)
    assert estimate(load, last) > estimate(load, Runtime.choose("cpu", "float32"))


def test_auto_takes_bfloat16s_own_where_the_device_has_bfloat16():
    auto, plain = (Runtime.choose("cpu", precision) for precision in ("auto", "bfloat16"))
    assert plain.convolution is Convolution
    if auto.dtype == torch.bfloat16:
        assert auto.convolution is WinogradF2x2


def test_the_same_picture_is_found_again():
    quick = Runtime(CPU, convolution=WinogradF4x4)
    given = features(64, 96, 96)
    once, again = (quick.place(seeded_vgg()).convolutions["conv2_1"](given) for _ in range(2))
    assert_close(once, again, rtol=0, atol=0)
