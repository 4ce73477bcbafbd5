"""Style statistics: their limits, gradients, and what they are blind to."""

import math

import pytest
import torch
from small import objective_of, picture
from torch.testing import assert_close

from nst_core.control.losses import StyleLoss
from nst_core.control.statistics import STATISTICS, statistics_named
from nst_core.control.statistics.distribution import random_directions
from nst_core.control.statistics.transport import quantiles, resampled, transport_distance
from nst_core.gatys.functions import NORMALIZATIONS, Sums
from nst_core.gatys.statistics import WHOLE, Guidance

N, HEIGHT, WIDTH = 7, 6, 8
GENERATOR = torch.Generator().manual_seed(0)
FEATURES = torch.randn(1, N, HEIGHT, WIDTH, dtype=torch.float64, generator=GENERATOR).relu()
OTHER = 0.3 + torch.randn(1, N, HEIGHT, WIDTH, dtype=torch.float64, generator=GENERATOR).abs()
SOFT = torch.rand(HEIGHT, WIDTH, dtype=torch.float64, generator=GENERATOR)


def guidance(features, guide=None):
    grid = features.shape[-2], features.shape[-1]
    return Guidance(grid, guide, float(math.prod(grid) if guide is None else guide.sum()))


def distance(name, features, style, norm="relative", guide=None, style_guide=None):
    """The sum over everything that `name` compares."""
    where, there = guidance(features, guide), guidance(style, style_guide)
    total = torch.zeros((), dtype=features.dtype)
    for statistic in statistics_named(name, N, math.prod(where.grid), Sums()).values():
        accumulated = statistic.accumulated(None, style, there, WHOLE)
        target = statistic.target(statistic.finalized(accumulated, there.positions))
        sums = statistic.sums(features, where, WHOLE)
        total = total + statistic.loss(sums, where, target, NORMALIZATIONS[norm])
    return total


def shuffled(features, seed=0):
    order = torch.randperm(HEIGHT * WIDTH, generator=torch.Generator().manual_seed(seed))
    return features.flatten(2)[..., order].unflatten(2, (HEIGHT, WIDTH))


@pytest.mark.parametrize("norm", NORMALIZATIONS)
@pytest.mark.parametrize("name", STATISTICS)
def test_zero_at_equality_and_more_elsewhere(name, norm):
    assert abs(float(distance(name, OTHER, OTHER, norm))) < 1e-12
    assert distance(name, FEATURES, OTHER, norm) > 0.01


@pytest.mark.parametrize("name", STATISTICS)
def test_blind_to_where_positions_are(name):
    assert_close(distance(name, shuffled(FEATURES), OTHER), distance(name, FEATURES, OTHER))
    assert_close(distance(name, FEATURES, shuffled(OTHER)), distance(name, FEATURES, OTHER))
    assert abs(float(distance(name, shuffled(OTHER), OTHER))) < 1e-12


@pytest.mark.parametrize("name", STATISTICS)
def test_relative_distances_have_no_unit(name):
    assert_close(distance(name, 50 * FEATURES, 50 * OTHER), distance(name, FEATURES, OTHER))


@pytest.mark.parametrize("guide", [None, SOFT], ids=["whole", "guided"])
@pytest.mark.parametrize("name", STATISTICS)
def test_the_gradient_is_the_derivative(name, guide):
    leaf = OTHER.flip(-1).square().requires_grad_()  # positive, and no two values alike
    assert torch.autograd.gradcheck(lambda f: distance(name, f, FEATURES, guide=guide), leaf)


@pytest.mark.parametrize("name", STATISTICS)
def test_a_guide_of_ones_changes_nothing_and_zeros_hide_positions(name):
    ones = torch.ones(HEIGHT, WIDTH, dtype=torch.float64)
    plain = distance(name, FEATURES, OTHER)
    assert_close(distance(name, FEATURES, OTHER, guide=ones), plain, rtol=1e-9, atol=0)
    assert_close(distance(name, FEATURES, OTHER, style_guide=ones), plain, rtol=1e-9, atol=0)
    half = ones.clone()
    half[:, WIDTH // 2 :] = 0
    hidden = FEATURES.clone()
    hidden[..., WIDTH // 2 :] = 1e3
    assert_close(
        distance(name, hidden, OTHER, guide=half), distance(name, FEATURES, OTHER, guide=half)
    )
    assert_close(
        distance(name, OTHER, hidden, style_guide=half),
        distance(name, OTHER, FEATURES, style_guide=half),
    )


@pytest.mark.parametrize("name", STATISTICS)
def test_a_style_without_contrast_or_light_has_a_finite_loss_and_slope(name):
    for style in (torch.zeros_like(OTHER), torch.ones_like(OTHER)):
        for features in (FEATURES, torch.zeros_like(OTHER)):
            leaf = features.clone().requires_grad_()
            (slope,) = torch.autograd.grad(distance(name, leaf, style), leaf)
            assert torch.isfinite(slope).all()


def test_the_gaussian_distance_is_that_of_the_formula():
    rows, others = (f.flatten(2)[0].T for f in (FEATURES, OTHER))  # (M, N)
    mean, other_mean = rows.mean(0), others.mean(0)
    cov, other_cov = (torch.cov(r.T, correction=0) for r in (rows, others))
    values = torch.linalg.eigvals(cov @ other_cov)  # similar to the symmetric product
    cross = values.real.clamp(min=0).sqrt().sum()
    expected = (mean - other_mean).square().sum() + cov.trace() + other_cov.trace() - 2 * cross
    size = other_mean.square().sum() + other_cov.trace()
    assert_close(distance("gaussian", FEATURES, OTHER), expected / size, rtol=1e-2, atol=0)


def test_of_shifted_features_the_gaussian_sees_the_shift_alone():
    moved = OTHER + 0.5
    size = OTHER.square().mean((0, 2, 3)).sum()
    assert_close(distance("gaussian", moved, OTHER), N * 0.25 / size, rtol=1e-3, atol=0)


def test_directions_are_a_rotation_and_always_the_same():
    directions = random_directions(64)
    assert_close(directions.T @ directions, torch.eye(64, dtype=torch.float64))
    assert torch.equal(directions, random_directions(64))


def test_transport_moves_each_value_to_the_one_of_its_rank():
    values = torch.tensor([[3.0, 1.0, 2.0]])
    table = torch.tensor([[10.0, 20.0, 30.0]])
    assert transport_distance(values, None, table) == 9**2 + 18**2 + 27**2
    assert transport_distance(values, torch.ones(3), table) == 9**2 + 18**2 + 27**2
    assert_close(
        transport_distance(values, torch.tensor([1.0, 0.0, 1.0]), torch.tensor([[5.0, 6.0]])),
        torch.tensor((3 - 6.0) ** 2 + (2 - 5.0) ** 2),
    )


def test_quantiles_of_weighted_values_are_those_of_repeated_ones():
    values = torch.rand(2, 9, generator=torch.Generator().manual_seed(1))
    assert torch.equal(quantiles(values, None), values.sort(1).values)
    assert_close(quantiles(values, torch.ones(9)), values.sort(1).values)
    assert torch.equal(resampled(values.sort(1).values, 9), values.sort(1).values)
    assert_close(resampled(torch.tensor([[0.0, 1.0]]), 4), torch.tensor([[0, 0.25, 0.75, 1]]))


IMAGE = picture(85, 107, seed=3, dtype=torch.float64)
STYLE = picture(70, 93, seed=2, dtype=torch.float64)
MASK = torch.linspace(0, 1, 85 * 107, dtype=torch.float64).view(85, 107)


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("name", STATISTICS)
def test_many_tiles_are_one_tile(name, masked, vgg64):
    loss = StyleLoss(
        images=(STYLE,),
        weight=1.0,
        statistics=name,
        layers="relu1_1,relu3_1",
        mask=MASK if masked else None,
        image_masks=(MASK,) if masked else None,
    )
    whole, tiled = (
        objective_of([loss], vgg=vgg64, height=85, width=107, tile=tile).evaluate(IMAGE)
        for tile in (0, 48)
    )
    assert_close(tiled.loss, whole.loss, rtol=1e-8, atol=0)
    assert (tiled.gradient - whole.gradient).abs().max() <= 1e-8 * whole.gradient.abs().max()
    assert set(tiled.parts) == set(whole.parts)


@pytest.mark.parametrize("name", STATISTICS)
def test_the_style_itself_is_the_optimum(name, vgg):
    loss = StyleLoss(images=(STYLE.float(),), weight=1.0, statistics=name)
    objective = objective_of([loss], vgg=vgg, height=70, width=93)
    assert abs(objective.evaluate(STYLE.float()).loss) < 1e-6


@pytest.mark.parametrize("name", STATISTICS)
def test_a_share_of_all_is_the_picture_alone(name, vgg64):
    def loss(**kwargs):
        style = StyleLoss(weight=1.0, statistics=name, layers="low", **kwargs)
        return objective_of([style], vgg=vgg64, height=85, width=107).evaluate(IMAGE).loss

    alone = loss(images=(STYLE,))
    assert loss(images=(STYLE, IMAGE), shares=(1.0, 0.0)) == pytest.approx(alone, rel=1e-5)
    assert loss(images=(STYLE, IMAGE), shares=(1.0, 1.0)) < alone
