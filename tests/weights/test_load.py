import logging
from dataclasses import replace

import pytest
import torch
import torchvision
from torch.testing import assert_close
from vgg_files import TORCHVISION_INDICES, torchvision_dict

from nst_core.control.tiles import reach_of
from nst_core.errors import SettingsError
from nst_core.files.weights import load_vgg16
from nst_core.files.weights.preprocessings import TORCHVISION
from nst_core.files.weights.sources import SOURCES, file_digest
from nst_core.gatys.preprocessing import CAFFE
from nst_core.gatys.vgg import LAYERS


def random_image(size=48, seed=0):
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("layout", ["keras", "torchvision", "caffe"])
def test_a_file_gives_the_network_it_holds(layout, files, weights):
    vgg = load_vgg16(files[layout], preprocessing="caffe")
    for name, tensor in vgg.convolutions.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
    assert layout in vgg.source


def test_weights_are_plain_frozen_float32_on_the_cpu_even_in_inference_mode(files):
    with torch.inference_mode():
        networks = [load_vgg16("builtin"), load_vgg16(files["caffe"])]
    for vgg in networks:
        assert not vgg.training
        for parameter in vgg.parameters():
            assert parameter.dtype == torch.float32
            assert parameter.device.type == "cpu"
            assert not parameter.requires_grad
            assert not parameter.is_inference()
        image = random_image(16).requires_grad_()
        vgg(image, ["relu2_1"])["relu2_1"].sum().backward()
        assert image.grad.abs().sum() > 0


def test_features_are_those_of_torchvision(files):
    state = torch.load(files["torchvision"], weights_only=True)
    with torch.device("meta"):  # its classifier alone is 500 MB
        reference = torchvision.models.vgg16(weights=None, init_weights=False).features
    reference = reference.to_empty(device="cpu").eval()
    reference.load_state_dict(
        {k.removeprefix("features."): v for k, v in state.items() if k.startswith("features.")}
    )
    image = random_image()
    found = load_vgg16(files["torchvision"], preprocessing="torchvision")(image, LAYERS)
    features = TORCHVISION(image)
    with torch.no_grad():
        for index, module in enumerate(reference):
            features = module(features)
            if index - 1 in TORCHVISION_INDICES:  # the ReLU after a convolution
                name = list(LAYERS)[TORCHVISION_INDICES.index(index - 1)]
                scale = features.abs().max().item()
                assert_close(found[name], features, rtol=0, atol=1e-5 * scale)


def to_torchvision_convention(weights):
    """The same network for torchvision's input: only the first convolution sees the difference.

    Caffe's input is 255 (rgb - mean_caffe) in BGR; torchvision's t = (rgb - mean) * scale, so
    rgb = t / scale + mean.
    """
    mean, scale = torch.tensor(TORCHVISION.mean), torch.tensor(TORCHVISION.scale)
    filters = weights["conv1_1.weight"].flip(1) * 255  # BGR -> RGB, for rgb - mean_caffe
    shift = (filters.sum(dim=(2, 3)) * (mean - torch.tensor(CAFFE.mean))).sum(dim=1)
    return {
        **weights,
        "conv1_1.weight": filters / scale.view(1, 3, 1, 1),
        "conv1_1.bias": weights["conv1_1.bias"] + shift,
    }


def test_caffe_bgr_and_torchvision_rgb_conventions_agree(files, weights, tmp_path):
    path = tmp_path / "rgb.pth"
    torch.save(torchvision_dict(to_torchvision_convention(weights)), path)
    image, names = random_image(64), ("relu1_1", "relu2_2", "relu3_2")
    caffe = load_vgg16(files["keras"])(image, names)
    rgb = load_vgg16(path, preprocessing="torchvision")(image, names)
    path.unlink()
    for name in names:
        # Zero padding stands for each convention's own mean color, and these differ a little; so
        # features that see the border may differ too.
        layer = LAYERS[name]
        edge = -(-reach_of(name) // layer.stride)
        inside = (..., slice(edge, -edge), slice(edge, -edge))
        scale = caffe[name].max().item()
        assert_close(caffe[name][inside], rgb[name][inside], rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("layout", ["keras", "caffe"])
def test_layouts_from_caffe_want_caffe_input(layout, files, messages):
    vgg = load_vgg16(files[layout], on_message=messages.append)
    assert vgg.preprocessing is CAFFE
    assert messages == []


def test_an_unknown_torchvision_layout_is_assumed_aloud(files, messages):
    vgg = load_vgg16(files["torchvision"], on_message=messages.append)
    assert vgg.preprocessing is TORCHVISION
    assert len(messages) == 1
    assert "assumed" in messages[0]
    assert "'caffe'" in messages[0]


def test_a_known_hash_tells_the_preprocessing(files, monkeypatch, messages):
    known = SOURCES["neural-style-pt"]
    digest = file_digest(files["torchvision"], "sha256")[:8]
    size = files["torchvision"].stat().st_size
    monkeypatch.setitem(SOURCES, known.name, replace(known, digest=digest, size=size))
    vgg = load_vgg16(files["torchvision"], on_message=messages.append)
    assert vgg.preprocessing is CAFFE
    assert vgg.source.startswith("neural-style-pt")
    assert messages == []


def test_an_explicit_preprocessing_wins_and_a_contradiction_is_told(files, messages):
    vgg = load_vgg16(files["keras"], preprocessing="torchvision", on_message=messages.append)
    assert vgg.preprocessing is TORCHVISION
    assert "wants 'caffe'" in messages[0]
    load_vgg16(files["torchvision"], preprocessing="torchvision", on_message=messages.append)
    assert len(messages) == 1


def test_an_unknown_preprocessing_is_told_before_any_work(files):
    with pytest.raises(SettingsError, match="'bgr' is unknown"):
        load_vgg16("keras", preprocessing="bgr")


def test_messages_go_to_the_log_unless_somebody_takes_them(files, caplog):
    with caplog.at_level(logging.WARNING):
        load_vgg16(files["torchvision"])
    assert "assumed" in caplog.text
