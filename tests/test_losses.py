import pytest
import torch
from torch.testing import assert_close

from nst_core.control.image_losses import laplacian, total_variation
from nst_core.gatys.functions import (
    NORMALIZATIONS,
    Sums,
    gram_sum,
    squared_error_sum,
    style_loss,
)
from nst_core.kernels.sums import FAST_SUMS

GENERATOR = torch.Generator().manual_seed(0)
FEATURES = torch.randn(1, 7, 5, 6, dtype=torch.float64, generator=GENERATOR)
OTHER = torch.randn(1, 7, 5, 6, dtype=torch.float64, generator=GENERATOR)
GUIDE = torch.rand(5, 6, dtype=torch.float64, generator=GENERATOR)


def gram(features):
    return gram_sum(features) / (features.shape[-2] * features.shape[-1])


def content(features, target, normalization):
    distance = squared_error_sum(features, target)
    size = squared_error_sum(target, torch.zeros_like(target))
    return NORMALIZATIONS[normalization].content(distance, features.numel(), size)


def test_the_gram_matrix_is_the_papers():
    rows = FEATURES.reshape(7, 30)  # F, N x M
    assert_close(gram_sum(FEATURES), rows @ rows.T)


def test_the_gram_matrix_ignores_where_pixels_are():
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    shuffled = FEATURES.flatten(2)[..., order].unflatten(2, (5, 6))
    assert_close(gram_sum(shuffled), gram_sum(FEATURES))


def test_the_gram_matrix_of_a_pattern_does_not_grow_with_its_repeats():
    assert_close(gram(FEATURES.repeat(1, 1, 2, 3)), gram(FEATURES))


def test_a_guide_of_ones_changes_nothing_and_a_guide_weighs_positions():
    assert_close(gram_sum(FEATURES, torch.ones(5, 6)), gram_sum(FEATURES))
    half = torch.zeros(5, 6, dtype=torch.float64)
    half[:, :3] = 1
    assert_close(gram_sum(FEATURES, half), gram_sum(FEATURES[..., :3]))
    assert_close(
        squared_error_sum(FEATURES, OTHER, half),
        squared_error_sum(FEATURES[..., :3], OTHER[..., :3]),
    )


@pytest.mark.parametrize("sums", [Sums(), FAST_SUMS], ids=["reference", "fast"])
@pytest.mark.parametrize("guide", [None, GUIDE], ids=["whole", "guided"])
def test_gradients_are_right(guide, sums):
    leaf = FEATURES.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda f: sums.gram(f, guide), leaf)
    assert torch.autograd.gradcheck(lambda f: sums.squared_error(f, OTHER, guide), leaf)
    assert torch.autograd.gradcheck(total_variation, leaf[:, :3])


@pytest.mark.parametrize("guide", [None, GUIDE], ids=["whole", "guided"])
def test_fast_sums_are_those_of_the_reference(guide):
    assert_close(FAST_SUMS.gram(FEATURES, guide), gram_sum(FEATURES, guide))
    expected = squared_error_sum(FEATURES, OTHER, guide)
    assert_close(FAST_SUMS.squared_error(FEATURES, OTHER, guide), expected)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_gradients_of_whole_losses_are_right(name):
    target = gram(OTHER)
    leaf = FEATURES.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f: style_loss(gram(f), target, NORMALIZATIONS[name]), leaf
    )
    assert torch.autograd.gradcheck(lambda f: content(f, OTHER, name), leaf)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_losses_are_zero_at_equality_and_positive_elsewhere(name):
    normalization = NORMALIZATIONS[name]
    assert style_loss(gram(FEATURES), gram(FEATURES), normalization) == 0
    assert style_loss(gram(FEATURES), gram(OTHER), normalization) > 0
    assert content(FEATURES, FEATURES, name) == 0
    assert content(FEATURES, OTHER, name) > 0


def test_gatys_normalization_is_equations_1_and_4_of_the_paper():
    channels, positions = 7, 30
    f, s = FEATURES.reshape(7, 30), OTHER.reshape(7, 30)
    equation4 = ((f @ f.T - s @ s.T) ** 2).sum() / (4 * channels**2 * positions**2)
    assert_close(style_loss(gram(FEATURES), gram(OTHER), NORMALIZATIONS["gatys"]), equation4)
    assert_close(content(FEATURES, OTHER, "gatys"), ((f - s) ** 2).sum() / 2)


def test_mean_normalization_is_neural_styles():
    mse = torch.nn.functional.mse_loss
    f, s = FEATURES.reshape(7, 30), OTHER.reshape(7, 30)
    expected = mse(f @ f.T / f.numel(), s @ s.T / s.numel())
    assert_close(style_loss(gram(FEATURES), gram(OTHER), NORMALIZATIONS["mean"]), expected)
    assert_close(content(FEATURES, OTHER, "mean"), mse(FEATURES, OTHER))


def test_relative_normalization_has_no_unit_and_an_empty_picture_costs_one():
    relative = NORMALIZATIONS["relative"]
    one = style_loss(gram(FEATURES), gram(OTHER), relative)
    assert_close(style_loss(gram(50 * FEATURES), gram(50 * OTHER), relative), one)
    assert_close(
        content(50 * FEATURES, 50 * OTHER, "relative"), content(FEATURES, OTHER, "relative")
    )
    nothing = torch.zeros_like(OTHER)
    assert_close(
        style_loss(gram(nothing), gram(OTHER), relative), torch.ones((), dtype=torch.float64)
    )
    assert_close(content(nothing, OTHER, "relative"), torch.ones((), dtype=torch.float64))


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_losses_of_targets_without_any_feature_are_finite(name):
    nothing = torch.zeros_like(OTHER)
    assert style_loss(gram(FEATURES), gram(nothing), NORMALIZATIONS[name]).isfinite()
    assert content(FEATURES, nothing, name).isfinite()


def test_roundings_of_a_long_bfloat16_sum_average_out():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(1, 64, 61, 67, generator=generator).relu().to(torch.bfloat16)
    exact = gram_sum(features.float())
    error = FAST_SUMS.gram(features, None) / exact - 1
    # Rounded once, a sum is off by 2^-9 at most and 2^-9 / sqrt(3) on average; here by less.
    assert float(error.square().mean().sqrt()) < 2**-9 / 3
    assert float(error.mean().abs()) < 1e-4


@pytest.mark.parametrize("sums", [Sums(), FAST_SUMS], ids=["reference", "fast"])
def test_bfloat16_features_are_summed_in_float32(sums):
    features = FEATURES.to(torch.bfloat16)
    assert sums.gram(features, None).dtype == torch.float32
    assert_close(sums.gram(features, None), gram_sum(features.float()))


def test_a_constant_image_has_no_total_variation_and_a_step_has_its_square():
    assert total_variation(torch.full((1, 3, 4, 5), 0.3)) == 0
    step = torch.zeros(1, 1, 2, 2)
    step[..., 1] = 0.5
    assert_close(total_variation(step), torch.tensor(2 * 0.25 / 4))


def test_the_laplacian_is_zero_where_a_picture_is_flat_and_sees_no_brightness():
    image = torch.rand(1, 3, 21, 18, dtype=torch.float64, generator=GENERATOR)
    assert laplacian(torch.full((1, 3, 9, 9), 0.3)).abs().max() < 1e-6
    assert_close(laplacian(image + 0.2), laplacian(image))
    assert laplacian(image).shape == (1, 3, 6, 5)
    assert laplacian(torch.rand(1, 3, 2, 1)).shape == (1, 3, 1, 1)


def test_the_laplacian_of_a_dot_is_the_papers_stencil():
    image = torch.zeros(1, 1, 20, 20)
    image[..., 8:12, 8:12] = 1
    assert_close(laplacian(image)[0, 0, 2], torch.tensor([0.0, -1, 4, -1, 0]))
    assert_close(laplacian(image)[0, 0, :, 2], torch.tensor([0.0, -1, 4, -1, 0]))
