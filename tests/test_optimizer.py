import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
import torch
from small import objective_of, picture
from torch.testing import assert_close

from nst_core.control.losses import ContentLoss, StyleLoss
from nst_core.control.preconditioner import Spectral
from nst_core.errors import NotFinite
from nst_core.gatys.lbfgs import History, InitialHessian
from nst_core.gatys.minimizer import STALL_STEPS, Minimizer
from nst_core.gatys.objective import Evaluation
from nst_core.kernels.history import FastHistory

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


def history_of(h0, size=10, image=None):
    return FastHistory(size, CENTER if image is None else image, h0)


def minimized(evaluate, start, steps, h0=None, **kwargs):
    minimizer = Minimizer(evaluate, **kwargs)
    history = history_of(h0 or InitialHessian())
    return minimizer.run(minimizer.start(start, history), steps)[0]


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


def test_a_search_may_stop_after_twenty_steps_and_not_sooner():
    minimizer = Minimizer(quadratic(CENTER, CURVATURE), tolerance=1.0)
    state, _ = minimizer.run(minimizer.start(START), 100)
    assert state.steps == STALL_STEPS == 20


def test_when_a_search_stops_does_not_depend_on_the_unit_of_the_loss():
    def stopped(scale):
        minimizer = Minimizer(quadratic(CENTER, CURVATURE, scale), tolerance=0.01)
        return minimizer.run(minimizer.start(START), 10_000)[0].steps

    assert stopped(2.0**-40) == stopped(1.0) == stopped(2.0**40) > STALL_STEPS


@pytest.mark.parametrize(("minimum", "then"), [(1 / 3, 1 / 3), (0.01, 0.1)])
def test_after_a_step_too_far_comes_the_parabolas_minimum_but_no_less_than_a_tenth(minimum, then):
    tried = []
    first = InitialHessian.scaling.first
    inner = quadratic(CENTER, torch.ones_like(CENTER))
    minimizer = Minimizer(lambda image: tried.append(image) or inner(image), bounds=None)
    start = CENTER + minimum * first
    state, _ = minimizer.run(minimizer.start(start), 1)
    assert_close(start - tried[1], torch.full_like(start, first))
    assert_close(start - tried[2], torch.full_like(start, then * first))
    assert state.losses[-1] < state.losses[0]


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
    evaluate = objective_of(
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
        max_evaluations=100,
        on_evaluation=lambda state, _: ours.append(state.loss),
    )
    history = history_of(Spectral(32, 48, image.device), image=image)
    minimizer.run(minimizer.start(image, history), 1000)
    theirs = scipy_losses(evaluate, image, bounds, 100)
    for evaluations in (50, 100):
        assert ours[evaluations - 1] <= 1.02 * theirs[evaluations - 1]


def test_the_preconditioner_changes_the_path_and_not_the_minimum():
    evaluate = quadratic(CENTER, CURVATURE)
    plain = minimized(evaluate, START, 400)
    smoothed = minimized(evaluate, START, 400, Spectral(10, 10, CENTER.device))
    assert_close(smoothed.image, plain.image, atol=1e-4, rtol=0)


# Negative curvature.

WIDTH = 0.4  # from the hill between two wells, at 0.5, to either of them


def wells(image):
    """Two wells for each value, and negative curvature between them."""
    place = (image - 0.5) / WIDTH
    loss = float((place.square() - 1).square().sum() / 4)
    return Evaluation(loss, {}, place * (place.square() - 1) / WIDTH)


def hillside(image):
    """As `wells`, but it falls ever more steeply until the bounds."""
    place = (image - 0.5) / WIDTH
    return Evaluation(float((2 - place.square()).sum()), {}, -2 * place / WIDTH)


# Near the top of the hill, where the slope is small and a step of the first length finds no bottom.
HILL = 0.5 + 0.02 * torch.randn(CENTER.shape, generator=torch.Generator().manual_seed(0)).double()


class Unhurried(Spectral):
    """Never goes farther than L-BFGS says."""

    scaling = replace(Spectral.scaling, growth=1.0)


@pytest.mark.parametrize("evaluate", [wells, hillside])
def test_negative_curvature_is_left_sooner_with_longer_steps(evaluate):
    bottom = evaluate((HILL - 0.5).sign() * WIDTH + 0.5).loss
    goal = bottom + 0.01 * (evaluate(HILL).loss - bottom)

    def evaluations(h0):
        reached, seen = [], []

        def watched(image):
            seen.append(image)
            return evaluate(image)

        minimizer = Minimizer(
            watched,
            on_evaluation=lambda state, _: reached.append(state.loss <= goal),
        )
        history = history_of(h0(10, 10, CENTER.device))
        minimizer.run(minimizer.start(HILL, history), 60)
        assert min(float(image.min()) for image in seen) >= 0
        assert max(float(image.max()) for image in seen) <= 1
        return reached.index(True)

    assert evaluations(Spectral) <= 0.6 * evaluations(Unhurried)


def steps_of(minimizer, h0, start, count):
    """(state, the direction there, the first point that was tried, the next state) of each step."""
    tried = []
    inner = minimizer.evaluate
    minimizer = replace(minimizer, evaluate=lambda image: tried.append(image) or inner(image))
    state = minimizer.start(start, history_of(h0))
    for _ in range(count):
        direction = state.history.direction(state.gradient, None)
        tried.clear()
        after, _ = minimizer.run(state, 1)
        yield state, direction, tried[0], after
        state = after


def bends_down(before, after):
    """Whether the slope along a step became steeper."""
    return ((after.image - before.image) * (after.gradient - before.gradient)).sum() < 0


def test_textbook_searches_begin_at_the_whole_direction_even_after_negative_curvature():
    minimizer = Minimizer(wells, bounds=None)
    bent = []
    for state, direction, first, after in steps_of(minimizer, InitialHessian(), HILL, 30):
        assert_close(first, state.image + direction)
        bent.append(bends_down(state, after))
    assert 5 < sum(bent) < 30


def test_after_negative_curvature_a_search_begins_twice_as_far_away_and_only_then():
    minimizer, h0 = Minimizer(wells, bounds=None), Spectral(10, 10, CENTER.device)
    expected, farthest = 1.0, []
    for state, direction, first, after in steps_of(minimizer, h0, HILL, 30):
        assert_close(first, state.image + expected * direction)
        went = float(((after.image - state.image) / direction).mean())  # it may be shortened
        expected = 2 * went if bends_down(state, after) else 1.0
        farthest.append(expected)
    assert max(farthest) >= 8  # three times in a row
    assert farthest[-1] == 1


@pytest.mark.parametrize("stop_after", range(1, 9))
def test_resuming_is_never_having_stopped_right_after_negative_curvature_too(stop_after):
    minimizer, h0 = Minimizer(wells), Spectral(10, 10, CENTER.device)
    whole, _ = minimizer.run(minimizer.start(HILL, history_of(h0)), 20)
    half, _ = minimizer.run(minimizer.start(HILL, history_of(h0)), stop_after)
    resumed, _ = minimizer.run(half, 20 - stop_after)
    assert torch.equal(resumed.image, whole.image)
    assert resumed.losses == whole.losses
    assert resumed.evaluations == whole.evaluations


def test_a_pair_of_negative_curvature_is_not_remembered():
    one, other = torch.randn(2, 1, 3, 10, 10, generator=torch.Generator().manual_seed(0))
    history = FastHistory(3, one, InitialHessian())
    assert history.update(one, 2 * one)
    direction = history.direction(other, None)
    assert not history.update(other, -other)
    assert len(history) == 1
    assert torch.equal(history.direction(other, None), direction)


@pytest.mark.parametrize(
    "h0", [InitialHessian(), Spectral(10, 10, CENTER.device)], ids=["I", "spectral"]
)
@pytest.mark.parametrize("bounded", [False, True])
def test_the_fast_history_is_the_two_loop_recursion(h0, bounded):
    generator = torch.Generator().manual_seed(0)

    def drawn():
        return torch.randn(CENTER.shape, dtype=torch.float64, generator=generator)

    book, fast = History(4, h0), FastHistory(4, CENTER, h0)
    for count in range(9):
        gradient, free = drawn(), drawn() > -1 if bounded else None
        expected = book.direction(gradient, free)
        assert_close(fast.direction(gradient, free), expected, rtol=1e-8, atol=1e-12)
        s = drawn()
        y = -CURVATURE * s if count == 5 else CURVATURE * s + 0.1 * drawn()
        assert book.update(s, y) == fast.update(s, y) == (count != 5)
        assert len(book) == len(fast)
