"""The weights that come with the package: what they are, and that they have learned something."""

import pytest
import torch
from safetensors import safe_open

from nst_core import ContentLoss, RunSettings, sample, stylize
from nst_core.files.samples import STYLES
from nst_core.files.weights import check_weights, load_vgg16
from nst_core.files.weights.builtin import FILE
from nst_core.files.weights.untrained import BLOCK_SCALES
from nst_core.gatys.vgg import LAYERS
from training.figures import linear_probe, peak_signal_to_noise, style_retrieval


@pytest.fixture(scope="module")
def networks():
    return {name: load_vgg16(name) for name in ("builtin", "untrained")}


def test_the_file_is_small_and_says_how_it_was_made():
    assert FILE.stat().st_size < 16e6
    with safe_open(FILE, framework="pt") as file:
        metadata = file.metadata()
    assert metadata["recipe"].startswith("python -m training train")
    assert metadata["license"] == "MIT"
    assert {"commit", "date", "steps"} <= set(metadata)


def test_the_file_can_be_checked_like_any_other():
    report = check_weights(FILE)
    assert report.ok
    assert report.preprocessing == "caffe"
    assert "not the ImageNet network" in report.source


def test_builtin_is_the_same_at_every_call_and_leaves_the_global_seed_alone(networks):
    before = torch.get_rng_state()
    again = load_vgg16("builtin", pooling="average").state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    for name, tensor in networks["builtin"].state_dict().items():
        assert torch.equal(tensor, again[name]), name


def test_features_are_about_as_large_as_the_classic_networks(networks):
    image = sample("harbor", 128)  # drawn by other code than what the weights were scaled on
    for name, features in networks["builtin"](image, LAYERS).items():
        # Half of a normal distribution: its mean square is half the variance.
        scale = (2 * features.square().mean()).sqrt()
        assert 0.3 < scale / BLOCK_SCALES[LAYERS[name].block] < 3, name


def test_builtin_tells_the_styles_of_pictures_apart_better_than_untrained(networks):
    pictures = [sample(name, 208) for name in STYLES]
    found = {name: style_retrieval(vgg, pictures) for name, vgg in networks.items()}
    assert found["builtin"]["relu4_1"] > found["untrained"]["relu4_1"]


def test_builtin_knows_textures_it_has_never_seen_better_than_untrained(networks):
    found = {name: linear_probe(vgg, 10) for name, vgg in networks.items()}
    assert found["builtin"]["relu5_3"] > found["untrained"]["relu5_3"] + 0.1


@pytest.mark.slow
def test_builtin_keeps_more_of_a_picture_at_relu4_2_than_untrained(networks):
    original = sample("harbor", 64)
    settings = RunSettings(size=64, init="gray", steps=40, scales=1)
    loss = ContentLoss(image=original, layers="relu4_2")
    found = {
        name: peak_signal_to_noise(stylize([loss], vgg=vgg, settings=settings).image, original)
        for name, vgg in networks.items()
    }
    assert found["builtin"] > found["untrained"]
