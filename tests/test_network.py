"""The fast network is held to autograd's."""

import pytest
import torch
from small import picture, seeded_vgg
from torch.testing import assert_close

from nst_core.gatys.vgg import autograd_network
from nst_core.kernels.network import fast_network

IMAGE = picture(37, 53, seed=3, dtype=torch.float64)
LISTS = [
    ("relu1_1",),
    ("relu1_2", "relu2_2"),
    ("relu1_2", "relu2_1", "relu3_1", "relu5_1"),
    ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"),
    ("relu3_3", "relu4_3", "relu5_3"),
]


def gradients_for(features):
    generator = torch.Generator().manual_seed(0)
    return {
        layer: torch.randn(values.shape, dtype=torch.float64, generator=generator).to(values)
        for layer, values in features.items()
    }


@pytest.mark.parametrize("size", [(37, 53), (32, 48), (16, 19)], ids=str)
@pytest.mark.parametrize("layers", LISTS, ids="+".join)
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_features_and_gradient_are_those_of_autograd(pooling, layers, size):
    image, vgg = IMAGE[..., : size[0], : size[1]], seeded_vgg(torch.float64, pooling)
    expected, reference = autograd_network(vgg)(image, layers)
    found, backward = fast_network(vgg)(image, layers)
    assert list(found) == list(expected)
    for layer, values in found.items():
        assert torch.equal(values, expected[layer])
    gradients, asked = gradients_for(expected), []
    gradient = backward(lambda layer: asked.append(layer) or gradients[layer].clone())
    assert asked == sorted(layers, reverse=True)
    wanted = reference(gradients.__getitem__)
    assert_close(gradient, wanted, rtol=1e-9, atol=1e-12 * float(wanted.abs().max()))


# Rims of one feature, as a tile inside a picture has them; of one at some edges, as others have; of
# several, before a layer whose convolution reads less.
CROPS = {
    "inside": dict.fromkeys(("relu1_1", "relu2_2", "relu3_1", "relu4_1"), (1, 1, 1, 1))
    | {"relu1_2": (1, 1, 2, 2)},
    "at edges": {"relu1_1": (0, 1, 1, 0), "relu1_2": (0, 1, 1, 1), "relu3_1": (1, 0, 0, 1)},
    "wide": {"relu1_2": (4, 2, 2, 6), "relu2_1": (3, 0, 2, 1), "relu3_3": (0, 2, 0, 0)},
}


@pytest.mark.parametrize("crops", CROPS.values(), ids=CROPS)
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_cropped_features_and_their_gradient_are_those_of_autograd(pooling, crops):
    vgg, layers = seeded_vgg(torch.float64, pooling), LISTS[3]
    image = picture(69, 86, seed=3, dtype=torch.float64)
    expected, reference = autograd_network(vgg)(image, layers, crops)
    found, backward = fast_network(vgg)(image, layers, crops)
    for layer, values in found.items():
        assert_close(values, expected[layer], rtol=1e-9, atol=1e-12)
    gradients = gradients_for(expected)
    gradient = backward(lambda layer: gradients[layer].clone())
    wanted = reference(gradients.__getitem__)
    assert_close(gradient, wanted, rtol=1e-9, atol=1e-12 * float(wanted.abs().max()))


def test_a_crop_is_a_part_of_the_features_and_deeper_layers_see_no_more(vgg64):
    whole = vgg64(IMAGE, ["relu1_1"])["relu1_1"]
    part = vgg64(IMAGE, ["relu1_1", "relu1_2"], {"relu1_1": (1, 2, 3, 4)})
    assert torch.equal(part["relu1_1"], whole[..., 3:-4, 1:-2])
    assert part["relu1_2"].shape[-2:] == part["relu1_1"].shape[-2:]


@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 1e-5), (torch.bfloat16, 0.2)])
def test_narrower_types_are_within_their_rounding(dtype, within):
    layers = LISTS[3]
    exact = autograd_network(seeded_vgg(torch.float64))
    features, reference = exact(IMAGE, layers)
    gradients = gradients_for(features)
    wanted = reference(gradients.__getitem__)
    _, backward = fast_network(seeded_vgg(dtype))(IMAGE.float(), layers)
    gradient = backward(lambda layer: gradients[layer].to(dtype))
    assert gradient.dtype == torch.float32
    assert (gradient - wanted).norm() < within * wanted.norm()


def test_equal_values_in_a_pooling_window_share_no_gradient_twice():
    # All four values of a flat picture tie; one of them must get the gradient, as autograd has it.
    vgg = seeded_vgg(torch.float64)
    flat = torch.full((1, 3, 16, 16), 0.5, dtype=torch.float64)
    features, reference = autograd_network(vgg)(flat, ["relu2_1"])
    _, backward = fast_network(vgg)(flat, ["relu2_1"])
    ones = torch.ones_like(features["relu2_1"])
    assert_close(backward(lambda layer: ones.clone()), reference(lambda layer: ones))


def test_a_cancel_in_the_backward_pass_comes_through(vgg):
    class Stop(Exception):
        pass

    def stop():
        raise Stop

    _, backward = fast_network(vgg, stop)(IMAGE.float(), ["relu1_2"])
    with pytest.raises(Stop):
        backward(lambda layer: torch.ones(1, 64, 37, 53))
