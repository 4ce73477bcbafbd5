import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
import torch
from small import picture
from torch.testing import assert_close

from nst_core.errors import NotFinite
from nst_core.objective import Evaluation, Objective
from nst_core.optimizer import STALL_STEPS, Minimizer
from nst_core.spectral import FOR_CONTENT, FOR_STYLE, Spectral
from nst_core.terms import ContentLoss, StyleLoss

BOUNDS = (0.0, 1.0)


def quadratic(center, curvature, scale=1.0):
    """½ Σ curvature (image - center)²: convex, and as ill-conditioned as its curvatures."""

    def evaluate(image):
        gradient = scale * curvature * (image - center)
        return Evaluation(float((gradient * (image - center)).sum() / 2), {}, gradient)

    return evaluate


CENTER = torch.linspace(-0.5, 1.5, 300, dtype=torch.float64).view(1, 3, 10, 10)
CURVATURE = torch.logspace(0, 3, 300, dtype=torch.float64)[torch.randperm(300)].view(1, 3, 10, 10)
START = torch.full_like(CENTER, 0.5)


def minimized(evaluate, start, steps, **kwargs):
    minimizer = Minimizer(evaluate, **kwargs)
    return minimizer.run(minimizer.start(start), steps)[0]


def test_the_unbounded_minimum_is_found():
    state = minimized(quadratic(CENTER, CURVATURE), START, 400, bounds=None)
    assert_close(state.image, CENTER, atol=1e-5, rtol=0)


def test_the_bounded_minimum_is_found_exactly_on_the_bounds():
    state = minimized(quadratic(CENTER, CURVATURE), START, 400, bounds=BOUNDS)
    assert_close(state.image, CENTER.clamp(0, 1), atol=1e-5, rtol=0)
    assert state.image[CENTER < -0.01].abs().max() == 0


def test_every_evaluated_point_keeps_the_bounds():
    seen = []
    inner = quadratic(CENTER, CURVATURE)

    def evaluate(image):
        seen.append((float(image.min()), float(image.max())))
        return inner(image)

    minimized(evaluate, START * 4, 50, bounds=BOUNDS)
    assert min(low for low, _ in seen) >= 0
    assert max(high for _, high in seen) <= 1


@pytest.mark.parametrize("scale", [1e-12, 1e9])
def test_the_unit_of_the_loss_does_not_matter(scale):
    one = minimized(quadratic(CENTER, CURVATURE), START, 40)
    scaled = minimized(quadratic(CENTER, CURVATURE, scale), START, 40)
    assert scaled.loss == pytest.approx(one.loss * scale, rel=1e-3)


def test_resuming_is_never_having_stopped():
    minimizer = Minimizer(quadratic(CENTER, CURVATURE))
    whole, _ = minimizer.run(minimizer.start(START), 30)
    half, _ = minimizer.run(minimizer.start(START), 13)
    resumed, _ = minimizer.run(half, 17)
    assert torch.equal(resumed.image, whole.image)
    assert resumed.losses == whole.losses


def test_the_loss_never_rises_and_steps_usually_cost_one_evaluation():
    state = minimized(quadratic(CENTER, CURVATURE), START, 60)
    assert list(state.losses) == sorted(state.losses, reverse=True)
    assert state.evaluations <= 1.2 * state.steps


def test_a_loss_that_turns_nan_never_reaches_the_result():
    inner = quadratic(CENTER, CURVATURE)

    def evaluate(image):
        # Not a number beyond a wall that the minimum lies behind.
        evaluation = inner(image)
        return (
            evaluation if float(image.max()) < 0.9 else Evaluation(math.nan, {}, image * math.nan)
        )

    state = minimized(evaluate, START, 50)
    assert math.isfinite(state.loss)
    assert float(state.image.max()) < 0.9
    assert state.loss < inner(START).loss


def test_a_gradient_that_turns_nan_ends_the_search_at_the_best_picture():
    inner = quadratic(CENTER, CURVATURE)
    calls = []

    def evaluate(image):
        calls.append(image)
        evaluation = inner(image)
        broken = len(calls) >= 10
        return Evaluation(evaluation.loss, {}, image * math.nan) if broken else evaluation

    minimizer = Minimizer(evaluate)
    state, stop = minimizer.run(minimizer.start(START), 50)
    assert state.image.isfinite().all()
    assert stop == "no smaller loss can be found in this precision"


def test_a_start_that_is_not_finite_is_refused():
    with pytest.raises(NotFinite, match="starting picture is nan"):
        Minimizer(quadratic(CENTER, CURVATURE)).start(START * math.nan)


def test_a_picture_that_hardly_changes_any_more_is_finished():
    minimizer = Minimizer(quadratic(CENTER, CURVATURE), tolerance=0.01)
    state, stop = minimizer.run(minimizer.start(START), 10_000)
    assert "hardly changes any more" in stop
    earlier = state.losses[-1 - STALL_STEPS]
    assert 0 <= earlier - state.loss < 0.01 * earlier


def test_a_budget_of_evaluations_is_kept():
    minimizer = Minimizer(quadratic(CENTER, CURVATURE), max_evaluations=17)
    state, stop = minimizer.run(minimizer.start(START), 1000)
    assert state.evaluations == 17
    assert stop == "all evaluations are used up"


def test_the_optimum_is_left_alone():
    minimizer = Minimizer(quadratic(START, CURVATURE))
    state, stop = minimizer.run(minimizer.start(START), 10)
    assert torch.equal(state.image, START)
    assert stop == "the loss is zero"


def test_a_state_that_was_handed_out_is_never_changed_later():
    kept = []
    minimizer = Minimizer(
        quadratic(CENTER, CURVATURE),
        on_evaluation=lambda state, _: kept.append((state.image, state.image.clone())),
    )
    minimizer.run(minimizer.start(START), 20)
    assert all(torch.equal(image, copy) for image, copy in kept)


def scipy_losses(evaluate, start, bounds, evaluations):
    """The best loss after each evaluation of scipy's fmin_l_bfgs_b."""
    best = []

    def function(values):
        evaluation = evaluate(torch.from_numpy(values).view_as(start).to(start.dtype))
        best.append(min([evaluation.loss, *best[-1:]]))
        return evaluation.loss, evaluation.gradient.double().numpy().ravel()

    scipy.optimize.fmin_l_bfgs_b(
        function,
        start.double().numpy().ravel(),
        bounds=None if bounds is None else [bounds] * start.numel(),
        maxfun=evaluations,
        maxiter=evaluations,
        factr=0,
        pgtol=0,
    )
    return np.array(best)


@pytest.mark.parametrize(
    ("bounds", "normalization", "start"),
    [(BOUNDS, "relative", "content"), (None, "gatys", "gray")],
)
def test_held_to_scipy(bounds, normalization, start, vgg):
    content, style = picture(32, 48, seed=1), picture(48, 48, seed=2)
    weight = {"relative": 100.0, "gatys": 1e3}[normalization]
    evaluate = Objective(
        [
            ContentLoss(image=content, weight=1.0, normalization=normalization),
            StyleLoss(images=(style,), weight=weight, normalization=normalization),
        ],
        vgg=vgg,
        height=32,
        width=48,
    ).evaluate
    image = content if start == "content" else torch.full_like(content, 0.5)
    ours = []
    minimizer = Minimizer(
        evaluate,
        bounds=bounds,
        precondition=Spectral(32, 48, image.device),
        max_evaluations=200,
        on_evaluation=lambda state, _: ours.append(state.loss),
    )
    minimizer.run(minimizer.start(image), 1000)
    theirs = scipy_losses(evaluate, image, bounds, 200)
    for evaluations in (50, 100, 200):
        assert ours[evaluations - 1] <= 1.02 * theirs[evaluations - 1]


@pytest.mark.parametrize("guess", [FOR_STYLE, FOR_CONTENT])
def test_the_preconditioner_is_symmetric_positive_and_has_gain_one(guess):
    smooth = Spectral(6, 5, CENTER.device, guess)
    basis = torch.eye(90, dtype=torch.float64).view(90, 1, 3, 6, 5)
    smoothing = smooth.matrix(smooth.lessons(3))
    matrix = torch.stack([smoothing(one).flatten() for one in basis])
    assert_close(matrix, matrix.T, atol=1e-7, rtol=0)  # gains are float32
    eigenvalues = torch.linalg.eigvalsh(matrix)
    assert eigenvalues.min() > 0
    assert 0.5 < eigenvalues.mean() * 3 / (1 + 2 * guess.chroma) < 2  # of gray and two colors
    flat = torch.full((1, 3, 6, 5), 0.2)
    smoothed = smoothing(flat)
    assert_close(smoothed / smoothed.mean(), torch.ones_like(flat))


@pytest.mark.parametrize("guess", [FOR_STYLE, FOR_CONTENT])
@pytest.mark.parametrize("size", [(6, 5), (5, 6), (1, 1), (4, 2)])
def test_the_energy_is_the_product_with_what_was_preconditioned(guess, size):
    smooth = Spectral(*size, CENTER.device, guess)
    image = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0))
    smoothing = smooth.matrix(smooth.lessons(3))
    expected = (image * smoothing(image)).sum()
    assert_close(smoothing.energy(image), expected, rtol=1e-5, atol=0)


def test_the_preconditioner_changes_the_path_and_not_the_minimum():
    evaluate = quadratic(CENTER, CURVATURE)
    plain = minimized(evaluate, START, 400)
    smoothed = minimized(evaluate, START, 400, precondition=Spectral(10, 10, CENTER.device))
    assert_close(smoothed.image, plain.image, atol=1e-4, rtol=0)


SIZE = 32, 48


def taught(curve, **guess):
    """The matrix after three pairs of a loss whose curvature is `curve`, and the one before."""
    learner = Spectral(*SIZE, CENTER.device, replace(FOR_STYLE, **guess))
    lessons = nothing = learner.lessons(3)
    for seed in range(3):
        step = torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(seed))
        lessons = torch.cat([lessons[1:], learner.lesson(step, curve(step))[None]])
    return learner.matrix(lessons), learner.matrix(nothing)


def waves():
    """Frequencies of a picture, in cycles per pixel."""
    rows, columns = torch.fft.fftfreq(SIZE[0])[:, None], torch.fft.rfftfreq(SIZE[1])[None, :]
    return torch.hypot(rows, columns).clamp(min=1 / max(SIZE))


def test_a_loss_that_is_steeper_in_fine_detail_than_guessed_is_learned_from_pairs():
    def steep(step):
        return torch.fft.irfft2(torch.fft.rfft2(step) * waves() ** 2, s=SIZE)

    learned, guess = taught(steep, trust=1.0)
    flat, before = (matrix.gains * waves() ** 2 for matrix in (learned, guess))
    assert flat.std() / flat.mean() < 0.3 < before.std() / before.mean()


def test_places_where_a_loss_is_steeper_are_learned_from_pairs():
    hills = torch.ones(1, 1, *SIZE)
    hills[..., :16] = 4.0
    learned, _ = taught(lambda step: step * hills, power=0.0, chroma=1.0, trust=1.0)
    inside = learned.weights[0, 0]
    assert_close(inside[:, 24:].mean() / inside[:, :12].mean(), torch.tensor(2.0), rtol=0.1, atol=0)


def test_a_place_that_never_moved_is_like_the_whole():
    learner = Spectral(*SIZE, CENTER.device)
    step = torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    step[..., :16] = 0
    lessons = learner.lesson(step, 2 * step).repeat(3, 1)
    assert_close(learner.matrix(lessons).weights, torch.ones(1, 1, *SIZE))


def test_what_was_learned_stays_symmetric_and_positive():
    hills = torch.rand(1, 1, *SIZE, generator=torch.Generator().manual_seed(1)) + 0.1
    learned, _ = taught(lambda step: step * hills)
    one, other = torch.randn(2, 1, 3, *SIZE, generator=torch.Generator().manual_seed(2))
    assert_close((one * learned(other)).sum(), (other * learned(one)).sum(), rtol=1e-4, atol=0)
    assert_close(learned.energy(one), (one * learned(one)).sum(), rtol=1e-4, atol=0)
    assert learned.energy(one) > 0
