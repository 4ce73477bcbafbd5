import hashlib

import torch

from nst_core.files.weights import check_weights
from nst_core.gatys.vgg import LAYERS


def test_a_check_of_a_good_file(files):
    report = check_weights(files["torchvision"])
    assert report.ok
    assert (report.layout, report.preprocessing) == ("torchvision", "torchvision")
    assert report.known_by == "assumed"
    assert list(report.layers) == [name.replace("relu", "conv") for name in LAYERS]
    assert all(report.layers.values())
    assert report.sha256 == hashlib.sha256(files["torchvision"].read_bytes()).hexdigest()
    assert check_weights(files["torchvision"], "caffe").known_by == "argument"
    assert check_weights(files["keras"]).known_by == "layout"


def test_a_check_names_the_layers_that_are_not_whole(files, tmp_path):
    weights = torch.load(files["caffe"], weights_only=True)
    weights["conv1_2.bias"][3] = torch.nan
    del weights["conv5_3.weight"], weights["conv5_3.bias"]
    torch.save({k: v for k, v in weights.items() if v.numel() < 10**6}, tmp_path / "part.pth")
    report = check_weights(tmp_path / "part.pth")
    assert not report.ok
    assert report.layers["conv1_1"]
    assert not report.layers["conv1_2"]
    assert report.problems["conv1_2.bias"] == "has values that are not finite"
    assert report.problems["conv5_3.weight"] == "is missing"
