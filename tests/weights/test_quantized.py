"""Weights in 8 bits."""

import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close

from nst_core.errors import WeightsError
from nst_core.files.weights.builtin import FILE
from nst_core.files.weights.containers import read_tensors
from nst_core.files.weights.quantized import quantized, restored
from nst_core.files.weights.vgg_file import read_vgg16


def test_a_weight_moves_by_half_a_step_of_its_filter_at_most_however_loud_its_input_is():
    loud = torch.logspace(-3, 3, 4).view(1, -1, 1, 1)
    filters = torch.randn(6, 4, 3, 3) * torch.logspace(-3, 3, 6).view(-1, 1, 1, 1) * loud
    found = restored(quantized({"conv.weight": filters}))["conv.weight"]
    inputs = filters.abs().amax(dim=(0, 2, 3), keepdim=True)
    step = (filters / inputs).abs().amax(dim=(1, 2, 3), keepdim=True) * inputs / 127
    assert ((found - filters).abs() <= step * 0.501).all()


def test_a_filter_of_zeros_stays_one():
    filters = torch.zeros(2, 3, 3, 3)
    filters[1] = 1
    assert_close(restored(quantized({"conv.weight": filters}))["conv.weight"], filters)


def test_biases_keep_all_their_bits():
    bias = torch.randn(7)
    assert torch.equal(restored(quantized({"conv.bias": bias}))["conv.bias"], bias)


def test_tensors_that_were_never_quantized_pass_as_they_are():
    tensors = {"a.weight": torch.randn(2, 3, 3, 3), "a.bias": torch.randn(2)}
    found = restored(tensors)
    assert set(found) == set(tensors)
    assert all(found[name] is tensors[name] for name in tensors)


@pytest.mark.parametrize(
    ("key", "factors"),
    [
        ("conv1_2.weight.scale", torch.ones(3)),
        ("conv1_2.weight.scale", torch.ones(64, 1)),
        ("conv1_2.weight.input_scale", torch.ones(1)),
        ("conv1_2.weight.scale", torch.ones(64, dtype=torch.int8)),
        ("conv1_2.weight.scale", None),
        ("conv1_2.weight.scale", torch.full((64,), torch.nan)),
    ],
)
def test_factors_that_do_not_fit_are_refused_by_the_name_of_their_layer(key, factors, tmp_path):
    contents = read_tensors(FILE)
    tensors = {**contents.tensors, key: factors}
    if factors is None:
        del tensors[key]
    save_file(tensors, tmp_path / "eight.safetensors", metadata=dict(contents.metadata))
    with pytest.raises(WeightsError, match=r"eight\.safetensors is .*conv1_2\.weight"):
        read_vgg16(tmp_path / "eight.safetensors")
