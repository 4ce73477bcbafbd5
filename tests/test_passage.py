import pytest
import torch
from small import picture, seeded_vgg
from torch.testing import assert_close

from nst_core.passage import Passage

LAYERS = ("relu1_2", "relu2_1", "relu3_1", "relu5_1")
IMAGE = picture(37, 53, seed=3, dtype=torch.float64)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_the_gradient_by_hand_is_autograds(pooling):
    vgg = seeded_vgg(torch.float64, pooling)
    leaf = IMAGE.clone().requires_grad_()
    features = vgg(leaf, LAYERS)
    generator = torch.Generator().manual_seed(0)
    pulls = {
        layer: torch.randn(part.shape, dtype=part.dtype, generator=generator)
        for layer, part in features.items()
    }
    expected = torch.autograd.grad(list(features.values()), leaf, list(pulls.values()))[0]
    passage = Passage(vgg, IMAGE, LAYERS)
    for layer, part in passage.features.items():
        assert_close(part, features[layer])
    asked = []
    gradient = passage.gradient(lambda layer: asked.append(layer) or pulls[layer].clone())
    assert asked == sorted(LAYERS, reverse=True)
    assert_close(gradient, expected, rtol=1e-9, atol=1e-12 * float(expected.abs().max()))


def test_equal_values_in_a_pooling_window_share_no_gradient_twice():
    # Flat pictures tie everywhere; one of four must get the gradient, as autograd has it.
    vgg = seeded_vgg(torch.float64)
    flat = torch.full((1, 3, 16, 16), 0.5, dtype=torch.float64)
    leaf = flat.clone().requires_grad_()
    expected = torch.autograd.grad(vgg(leaf, ["relu2_1"])["relu2_1"].sum(), leaf)[0]
    passage = Passage(vgg, flat, ["relu2_1"])
    gradient = passage.gradient(lambda layer: torch.ones_like(passage.features[layer]))
    assert_close(gradient, expected)


def test_a_cancel_on_the_way_back_comes_through(vgg):
    class Stop(Exception):
        pass

    def stop():
        raise Stop

    passage = Passage(vgg, IMAGE.float(), ["relu1_2"])
    with pytest.raises(Stop):
        passage.gradient(lambda layer: torch.ones(1, 64, 37, 53), stop)
