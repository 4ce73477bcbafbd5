import tempfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close
from vgg_files import save_legacy, torchvision_dict, write_keras_2, write_keras_3, write_keras_notop

from nst_core.errors import WeightsError
from nst_core.files.weights.names import SHAPES
from nst_core.files.weights.vgg_file import read_vgg16, save_convolutions


@pytest.fixture
def folder():
    # Not tmp_path: pytest keeps that for three sessions, and these files are 59 MB each.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        yield Path(name)


LAYOUTS = {
    "torchvision .pth": (
        "torchvision",
        lambda path, weights: torch.save(torchvision_dict(weights), path),
    ),
    "torchvision .pth before PyTorch 1.6": (
        "torchvision",
        lambda path, weights: save_legacy(path, torchvision_dict(weights)),
    ),
    "torchvision inside a training checkpoint": (
        "torchvision",
        lambda path, weights: torch.save(
            {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in weights_of(weights)}}, path
        ),
    ),
    "torchvision .safetensors": (
        "torchvision",
        lambda path, weights: save_file(torchvision_dict(weights), path),
    ),
    "Caffe names .pth": ("caffe", lambda path, weights: torch.save(weights, path)),
    "Keras notop": ("keras", write_keras_notop),
    "Keras 2 with top": ("keras", write_keras_2),
    "Keras 3": ("keras", write_keras_3),
}


def weights_of(weights):
    return torchvision_dict(weights).items()


@pytest.mark.parametrize("kind", LAYOUTS)
def test_every_layout_gives_the_same_convolutions(kind, folder, weights):
    layout, write = LAYOUTS[kind]
    path = folder / "weights.bin"  # the name says nothing: layouts are told by content
    write(path, weights)
    vgg_file = read_vgg16(path)
    assert vgg_file.layout == layout
    assert vgg_file.tensors.keys() == SHAPES.keys()
    for name, tensor in vgg_file.tensors.items():
        assert_close(tensor, weights[name], rtol=0, atol=0)


def test_what_we_store_reads_back_with_its_metadata(folder, weights):
    torch.save(weights, folder / "a.pth")
    save_convolutions(
        read_vgg16(folder / "a.pth"), folder / "b.safetensors", {"preprocessing": "caffe"}
    )
    stored = read_vgg16(folder / "b.safetensors")
    assert stored.layout == "nst"
    assert stored.metadata["preprocessing"] == "caffe"
    assert torch.equal(stored.tensors["conv5_3.weight"], weights["conv5_3.weight"])
    assert [path.name for path in folder.iterdir() if path.suffix == ".part"] == []


def test_another_network_is_refused_with_its_own_names(tmp_path):
    torch.save({"layer1.0.conv1.weight": torch.zeros(4)}, tmp_path / "resnet.pth")
    with pytest.raises(WeightsError, match=r"has no VGG-16 in it.*layer1\.0\.conv1\.weight"):
        read_vgg16(tmp_path / "resnet.pth")


def test_missing_layers_are_named_as_in_the_file(tmp_path, weights):
    part = {k: v for k, v in torchvision_dict(weights).items() if k.startswith("features.0.")}
    torch.save(part, tmp_path / "part.pth")
    with pytest.raises(WeightsError, match=r"features\.2\.weight is missing.*and 20 more"):
        read_vgg16(tmp_path / "part.pth")


@pytest.mark.parametrize(
    ("tensor", "complaint"),
    [
        (torch.zeros(64, 3, 5, 5), r"has shape \(64, 3, 5, 5\) where VGG-16 has \(64, 3, 3, 3\)"),
        (torch.full((64, 3, 3, 3), torch.inf), "has values that are not finite"),
        (torch.zeros(64, 3, 3, 3, dtype=torch.int8), "is torch.int8.*not plain floating point"),
    ],
)
def test_a_damaged_layer_is_named(tensor, complaint, tmp_path):
    torch.save({"conv1_1.weight": tensor}, tmp_path / "bad.pth")
    with pytest.raises(WeightsError, match=f"conv1_1.weight {complaint}"):
        read_vgg16(tmp_path / "bad.pth")
