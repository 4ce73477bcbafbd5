"""The presets of papers have the papers' losses: the formulas again, in float64 and by autograd.

With random weights, and with those of the file that NST_TEST_WEIGHTS names.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from small import objective_of, picture

from nst_core import Runtime, load_vgg16, losses_of, preset_named, stylize

NETWORKS = ["untrained", *filter(None, [os.environ.get("NST_TEST_WEIGHTS")])]
CPU = torch.device("cpu")
# Relative. Content is a thousandth of some of these losses: 1e-6 of them is 1e-3 of it.
EXACT = 1e-10
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda name: Path(name).stem)
def network(request):
    return load_vgg16(request.param)


def features(network, image):
    """{layer: (N, M)} after each ReLU, of an RGB image in [0, 1]."""
    weights = {name: weight.double() for name, weight in network.weights().items()}
    mean = torch.tensor([103.939, 116.779, 123.68], dtype=torch.float64).view(3, 1, 1)
    x, found = image.double().flip(1) * 255 - mean, {}  # BGR, as Keras prepares it
    for block, convolutions in enumerate((2, 2, 3, 3, 1), start=1):
        x = F.max_pool2d(x, 2) if block > 1 else x
        for index in range(1, convolutions + 1):
            name = f"conv{block}_{index}"
            x = F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1).relu()
            found[name] = x[0].flatten(1)
    return found


def gatys(image, content, style):
    """Equation 7 of arXiv:1508.06576, with 1, 4 and 5 in it: alpha 1, beta 1000, w_l 1/5."""
    loss = 1 / 2 * (image["conv4_2"] - content["conv4_2"]).square().sum()
    for layer in STYLE_LAYERS:
        f, s = image[layer], style[layer]
        n, m = f.shape
        loss = loss + 1e3 / 5 * (f @ f.T - s @ s.T).square().sum() / (4 * n**2 * m**2)
    return loss


def johnson(image, content, style):
    """neural_style.lua: MSECriterion of features and of Gram matrices over their nElement()."""
    loss = 5 * F.mse_loss(image["conv4_2"], content["conv4_2"])
    for layer in STYLE_LAYERS:
        f, s = image[layer], style[layer]
        loss = loss + 100 * F.mse_loss(f @ f.T / f.numel(), s @ s.T / s.numel())
    return loss


def expected(formula, network, image, *pictures):
    """Loss and gradient of an image, of a formula and its content and style."""
    leaf = image.double().requires_grad_()
    with torch.no_grad():
        targets = [features(network, one) for one in pictures]
    loss = formula(features(network, leaf), *targets)
    return float(loss.detach()), torch.autograd.grad(loss, leaf)[0]


def measured(preset, network, image, content, style):
    """The same of our own objective, in the image's dtype."""
    height, width = image.shape[-2:]
    losses = losses_of(content, [style], preset_named(preset).settings)
    vgg = Runtime(CPU, image.dtype).place(network)
    objective = objective_of(losses, vgg=vgg, height=height, width=width)
    evaluation = objective.evaluate(image)
    return evaluation.loss * objective.unit, evaluation.gradient.double() * objective.unit


def error(found, right):
    return float((found - right).norm() / right.norm())


# The paper's formulas want one size; neural-style's divide by it, so a style may have another.
PAPERS = {"gatys-vgg16": (gatys, (48, 64)), "neural-style": (johnson, (64, 40))}


def pictures_for(style_size):
    """An image, content and style."""
    return [picture(*size, seed=seed) for seed, size in enumerate([(48, 64), (48, 64), style_size])]


@pytest.mark.parametrize("preset", PAPERS)
def test_a_presets_loss_and_gradient_are_its_papers(preset, network):
    formula, style_size = PAPERS[preset]
    pictures = [one.double() for one in pictures_for(style_size)]
    loss, gradient = expected(formula, network, *pictures)
    found = measured(preset, network, *pictures)
    assert found[0] == pytest.approx(loss, rel=EXACT)
    assert error(found[1], gradient) < EXACT


@pytest.mark.parametrize("preset", PAPERS)
def test_in_float32_they_are_the_papers_but_for_rounding(preset, network):
    formula, style_size = PAPERS[preset]
    pictures = pictures_for(style_size)
    loss, gradient = expected(formula, network, *pictures)
    found = measured(preset, network, *pictures)
    assert found[0] == pytest.approx(loss, rel=1e-6)
    # Of two nearly equal values in a pooling, rounding may make the other one the larger, and the
    # gradient goes there. A single pair can be 0.3 % of a gradient of this size.
    assert error(found[1], gradient) < 1e-2


@pytest.mark.slow
def test_at_the_size_and_start_of_the_seed_they_are_the_papers(network):
    noise, content, style = (picture(224, 224, seed=seed).double() for seed in (1, 2, 3))
    # Where a picture is flat, poolings choose among equal values by their last digit, and no two
    # programs have the same gradient. Noise of a tenth of a shade decides.
    start = 0.5 + 0.1 / 255 * (noise - 0.5)
    loss, gradient = expected(gatys, network, start, content, style)
    found = measured("gatys-vgg16", network, start, content, style)
    assert found[0] == pytest.approx(loss, rel=EXACT)
    assert error(found[1], gradient) < EXACT


def test_from_gray_the_sum_of_the_gradient_is_the_papers(network):
    gray, content, style = (picture(64, 64, seed=seed).double() for seed in (1, 2, 3))
    gray = torch.full_like(gray, 0.5)
    _, gradient = expected(gatys, network, gray, content, style)
    _, found = measured("gatys-vgg16", network, gray, content, style)
    # Equal values change alike with a color: whichever a pooling takes, the sum stays.
    assert error(found.sum((2, 3)), gradient.sum((2, 3))) < EXACT


@pytest.mark.slow
def test_a_run_of_the_seed_preset_begins_with_the_papers_loss_of_a_gray_square(network):
    content, style = (picture(224, 224, seed=seed) for seed in (1, 2))
    settings = replace(preset_named("gatys-vgg16").settings, steps=0)
    losses = losses_of(content, [style], settings)
    result = stylize(losses, vgg=network, settings=settings, runtime=Runtime(CPU))
    gray = torch.full((1, 3, 224, 224), 0.5)
    with torch.no_grad():
        loss = gatys(*(features(network, one) for one in (gray, content, style)))
    assert result.records[0].loss == pytest.approx(float(loss), rel=1e-6)


def test_at_gray_the_gradient_of_a_color_is_the_papers(network):
    content, style = (picture(64, 64, seed=seed).double() for seed in (1, 2))
    gray = torch.full_like(content, 0.5)
    _, gradient = expected(gatys, network, gray, content, style)
    _, found = measured("gatys-vgg16", network, gray, content, style)
    # Equal values that move together: whichever a pooling takes, the sum over pixels is the same.
    assert error(found.sum((2, 3)), gradient.sum((2, 3))) < 1e-5


@pytest.mark.parametrize("preset", PAPERS)
def test_the_loss_a_preset_tells_is_that_of_the_picture_it_gives(preset, network):
    content, style = (picture(64, 64, seed=seed) for seed in (1, 2))
    settings = replace(preset_named(preset).settings, size=64, steps=10)
    losses = losses_of(content, [style], settings)
    result = stylize(losses, vgg=network, settings=settings, runtime=Runtime(CPU))
    loss, _ = measured(preset, network, result.image, content, style)
    assert loss == pytest.approx(min(record.loss for record in result.records), rel=1e-5)
