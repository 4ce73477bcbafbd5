"""The matrix that L-BFGS starts from, and what it takes of pairs about places."""

import pytest
import torch
from torch.testing import assert_close

from nst_core.control.preconditioner import FOR_CONTENT, FOR_STYLE, Guess, Spectral

CPU = torch.device("cpu")
SIZE = 32, 48
# Sides: odd and even, smaller than a cell of `Places`, more than one cell with a rest.
SIZES = [(6, 5), (5, 6), (1, 1), (4, 2), (9, 8)]
FLAT = Guess(power=0.0, chroma=1.0, local=True)
ALL = Guess(power=1.0, chroma=0.25, local=True)


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def without_pairs(guess, size):
    spectral = Spectral(*size, CPU, guess)
    return spectral.matrix(torch.zeros(10, spectral.values))


def with_pairs(guess, steepness, count=3):
    """The matrix after pairs of a loss that is (1, 1, height, width) times as steep by place."""
    size = steepness.shape[-2:]
    spectral = Spectral(*size, CPU, guess)
    pairs = torch.zeros(10, spectral.values)
    for seed in range(count):
        step = noise(1, 3, *size, seed=seed)
        pairs[seed] = spectral.of_pair(step, step * steepness)
    return spectral.matrix(pairs)


def uneven(size):
    """Steepness from far below to far above the whole's, and a cell where the loss bends down."""
    steepness = (2 * noise(1, 1, *size, seed=9)).exp()
    rows, columns = ((side - 1) // 4 * 4 for side in size)
    if rows or columns:  # all of it cannot, or there would be no pair
        steepness[..., rows:, columns:] = -0.5
    return steepness


def columns_of(matrix, size):
    basis = torch.eye(3 * size[0] * size[1], dtype=torch.float64)
    return torch.stack([matrix(one.view(1, 3, *size)).flatten() for one in basis])


MATRICES = [without_pairs, lambda guess, size: with_pairs(guess, uneven(size))]


@pytest.mark.parametrize("guess", [FOR_STYLE, FOR_CONTENT, ALL])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("matrix_of", MATRICES, ids=["without pairs", "with pairs"])
def test_it_is_symmetric_and_positive_and_its_quadratic_form_is_the_product_with_itself(
    matrix_of, size, guess
):
    matrix = matrix_of(guess, size)
    dense = columns_of(matrix, size)
    assert_close(dense, dense.T, rtol=0, atol=1e-6 * float(dense.abs().max()))  # gains are float32
    assert torch.linalg.eigvalsh(dense).min() > 0
    for seed in range(3):
        image = noise(1, 3, *size, seed=seed)
        form = matrix.quadratic_form(image)
        assert_close(form, (image * matrix(image)).sum(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("guess", [FOR_STYLE, FOR_CONTENT])
def test_it_gains_one_on_average_and_leaves_a_flat_picture_flat(guess):
    size = 6, 5
    matrix = without_pairs(guess, size)
    eigenvalues = torch.linalg.eigvalsh(columns_of(matrix, size))
    assert 0.5 < eigenvalues.mean() * 3 / (1 + 2 * guess.chroma) < 2  # of gray and two colors
    smoothed = matrix(torch.full((1, 3, *size), 0.2))
    assert_close(smoothed / smoothed.mean(), torch.ones_like(smoothed))


def test_gains_fall_as_a_power_of_the_frequency():
    matrix = without_pairs(Guess(power=2.0, chroma=1.0, local=False), SIZE)
    columns = torch.arange(SIZE[1])

    def gain(waves):
        image = torch.cos(2 * torch.pi * waves * columns / SIZE[1]).expand(1, 3, *SIZE)
        return matrix.quadratic_form(image) / image.square().sum()

    assert_close(gain(2) / gain(8), torch.tensor(16.0))


def hills():
    steepness = torch.ones(1, 1, *SIZE)
    steepness[..., :16] = 4.0
    return steepness


def test_where_a_loss_is_four_times_as_steep_pixels_gain_less_by_a_part_of_it():
    weights = with_pairs(FLAT, hills()).weights[0, 0].square()  # before and after the smoothing
    left, right = weights[:, :12], weights[:, 24:]  # away from the border between them
    expected = torch.tensor(4.0**-0.6)  # 0.6 of the steepness counts, in logarithms
    assert_close(left.mean() / right.mean(), expected, rtol=0.1, atol=0)


def test_two_pairs_say_nothing_of_places_yet():
    assert_close(with_pairs(FLAT, hills(), count=2).weights, torch.ones(1, 1, *SIZE))
    assert with_pairs(FLAT, hills(), count=3).weights.std() > 0.1


def test_a_place_that_never_moved_is_like_the_whole():
    spectral = Spectral(*SIZE, CPU, FLAT)
    step = noise(1, 3, *SIZE)
    step[..., :16] = 0
    pairs = spectral.of_pair(step, 2 * step).repeat(3, 1)
    assert_close(spectral.matrix(pairs).weights, torch.ones(1, 1, *SIZE, dtype=pairs.dtype))


def test_the_unit_of_the_loss_changes_nothing():
    one, thousand = with_pairs(FLAT, hills()), with_pairs(FLAT, 1000 * hills())
    assert_close(thousand.weights, one.weights)
