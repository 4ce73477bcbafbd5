import pytest
import torch
from torch.testing import assert_close

from nst_core.files.weights import load_vgg16
from nst_core.files.weights.untrained import BLOCK_SCALES, calibration_pictures, untrained_weights
from nst_core.gatys.vgg import LAYERS


@pytest.fixture(scope="module")
def weights():
    return untrained_weights()


def test_untrained_is_the_same_at_every_call_and_leaves_the_global_seed_alone(weights):
    before = torch.get_rng_state()
    vgg = load_vgg16("untrained", pooling="average")
    assert torch.equal(torch.get_rng_state(), before)
    assert vgg.pooling == "average"
    assert vgg.source.startswith("untrained")
    for name, tensor in vgg.convolutions.state_dict().items():
        assert torch.equal(tensor, weights[name]), name


@pytest.fixture(scope="module")
def vgg():
    return load_vgg16("untrained")


def test_untrained_channels_are_calibrated_to_their_block_scale(vgg):
    pictures = calibration_pictures(torch.Generator().manual_seed(99))  # not those it was made on
    for name, features in vgg(pictures, LAYERS).items():
        assert (features.amax(dim=(0, 2, 3)) > 0).all(), f"a channel of {name} is dead"
        # Half of a normal distribution: its mean square is half the variance.
        scale = (2 * features.square().mean()).sqrt()
        assert 0.7 < scale / BLOCK_SCALES[LAYERS[name].block] < 1.4, name


def test_a_default_dtype_changes_the_weights_by_nothing(weights):
    torch.set_default_dtype(torch.float64)
    try:
        found = load_vgg16("untrained").convolutions.state_dict()
    finally:
        torch.set_default_dtype(torch.float32)
    for name, tensor in found.items():
        assert_close(tensor, weights[name], rtol=0, atol=0)
