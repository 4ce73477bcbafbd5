"""VGG-16 under the names that other programs give to its convolutions."""

import pytest
import torch
from safetensors.torch import save_file
from vgg_files import CONVOLUTIONS, TORCHVISION_INDICES, vgg16_layers

from nst_core.errors import WeightsError
from nst_core.files.weights import check_weights, load_vgg16
from nst_core.files.weights.vgg_file import read_vgg16

INDEXED = [f"features.{index}" for index in TORCHVISION_INDICES]
PLAIN = vgg16_layers([f"conv{block}_{index}" for block, index in CONVOLUTIONS])


def prefixed(prefix):
    return vgg16_layers([prefix + layer for layer in INDEXED])


LPIPS = {
    # richzhang/PerceptualSimilarity: pretrained_networks.vgg16 and the heads beside it.
    **vgg16_layers(
        [
            f"net.slice{block}.{index}"
            for (block, _), index in zip(CONVOLUTIONS, TORCHVISION_INDICES, strict=True)
        ]
    ),
    **{f"lin{i}.model.1.weight": torch.ones(1, 64, 1, 1) for i in range(5)},
    "scaling_layer.shift": torch.zeros(1, 3, 1, 1),
}
SSD_EXTRAS = {
    # SSD's vgg16_reducedfc.pth goes on with its head under the same numbering.
    "31.weight": torch.ones(1).expand(1024, 512, 3, 3),
    "31.bias": torch.ones(1024),
    "33.weight": torch.ones(1).expand(1024, 1024, 1, 1),
}
NUMBERS = "one two three four five six seven eight nine ten eleven twelve thirteen".split()
NAMED = {
    "bare indices": vgg16_layers([str(index) for index in TORCHVISION_INDICES]),
    "bare indices with SSD's head": vgg16_layers([str(i) for i in TORCHVISION_INDICES])
    | SSD_EXTRAS,
    "slices of LPIPS": LPIPS,
    "features.module.N": vgg16_layers([f"features.module.{i}" for i in TORCHVISION_INDICES]),
    "DataParallel": prefixed("module."),
    "torch.compile": prefixed("_orig_mod."),
    "torch.compile of each layer": vgg16_layers([f"{layer}._orig_mod" for layer in INDEXED]),
    "a perceptual loss inside": prefixed("loss.vgg.")
    | {"decoder.0.weight": torch.ones(64, 3, 3, 3), "decoder.0.bias": torch.ones(64)},
    "'model'": {"model": prefixed(""), "epoch": 3},
    "'model_state_dict' beside an optimizer": {
        "model_state_dict": prefixed(""),
        "optimizer_state_dict": {"state": {0: {"exp_avg": torch.ones(64, 3, 3, 3)}}},
    },
    "'state_dict' in 'model'": {"model": {"state_dict": prefixed("backbone.")}},
    "counted convolutions": vgg16_layers([f"conv_{n}" for n in range(1, 14)]),
    "counted and last first": dict(
        reversed(vgg16_layers([f"conv_{n}" for n in range(1, 14)]).items())
    ),
    "words in the order of the file": vgg16_layers(NUMBERS),
    "slashes": {key.replace(".", "/"): value for key, value in prefixed("vgg.").items()},
    "underscores": {key.replace(".", "_"): value for key, value in prefixed("").items()},
    "conv1_1_W and conv1_1_b": {
        key.replace(".weight", "_W").replace(".bias", "_b"): value for key, value in PLAIN.items()
    },
}


@pytest.mark.parametrize("kind", NAMED)
def test_the_convolutions_are_found_by_order_and_shape(kind, tmp_path):
    torch.save(NAMED[kind], tmp_path / "vgg.pth")
    found = read_vgg16(tmp_path / "vgg.pth")
    assert found.tensors.keys() == PLAIN.keys()
    for name, tensor in found.tensors.items():
        assert torch.equal(tensor, PLAIN[name]), name


def test_safetensors_sorted_by_their_letters_are_in_the_right_order(tmp_path, weights):
    path = tmp_path / "bare.safetensors"
    layers = [f"conv{block}_{index}" for block, index in CONVOLUTIONS]
    save_file(
        {
            f"{index}.{kind}": weights[f"{layer}.{kind}"]
            for layer, index in zip(layers, TORCHVISION_INDICES, strict=True)
            for kind in ("weight", "bias")
        },
        path,
    )
    found = read_vgg16(path).tensors
    path.unlink()
    assert all(torch.equal(found[name], weights[name]) for name in weights)


def test_a_network_known_by_order_alone_loads_and_its_input_is_assumed_aloud(tmp_path, messages):
    torch.save(NAMED["counted convolutions"], tmp_path / "vgg.pth")
    load_vgg16(tmp_path / "vgg.pth", on_message=messages.append)
    assert [message for message in messages if "'torchvision' is assumed" in message]
    report = check_weights(tmp_path / "vgg.pth")
    assert (report.ok, report.layout) == (True, "unnamed")


def shifted(tensors):
    return {key: (v.select(0, 0).mean() + 100).expand(v.shape) for key, v in tensors.items()}


@pytest.mark.parametrize("average", ["model_ema", "state_dict_ema", "swa_model", "averaged"])
def test_of_a_network_and_its_average_the_plain_one_is_taken_aloud(average, tmp_path, messages):
    content = {average: shifted(prefixed("")), "model": prefixed("")}
    torch.save(content, tmp_path / "vgg.pth")
    vgg = load_vgg16(tmp_path / "vgg.pth", on_message=messages.append)
    assert vgg.convolutions["conv1_1"].weight.mean() == 1
    assert "'model.features' is used, which is not an average" in messages[0]
    assert messages[0] in [f"vgg.pth: {m}" for m in check_weights(tmp_path / "vgg.pth").messages]


def test_two_networks_that_differ_are_refused_with_their_names(tmp_path):
    torch.save({"a": prefixed(""), "b": shifted(prefixed(""))}, tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match=r"2 different VGG-16 networks \('a.features', 'b.fea"):
        read_vgg16(tmp_path / "vgg.pth")


def test_names_of_thousands_of_digits_or_words_are_names(tmp_path):
    long = {
        f"{'9' * 5000}.weight": torch.ones(1, 1, 3, 3),
        "a." * 10_000 + "weight": torch.ones(1, 1, 3, 3),
    }
    torch.save(long | NAMED["DataParallel"], tmp_path / "vgg.pth")
    assert read_vgg16(tmp_path / "vgg.pth").layout == "torchvision"


def test_the_same_network_twice_is_one(tmp_path):
    torch.save({"a": prefixed(""), "b": prefixed("")}, tmp_path / "vgg.pth")
    assert read_vgg16(tmp_path / "vgg.pth").notes == ()


def test_missing_biases_are_named_as_the_file_would(tmp_path):
    kernels = {key: value for key, value in NAMED["bare indices"].items() if "weight" in key}
    torch.save(kernels, tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match=r"not a whole VGG-16: 0\.bias is missing; 2\.bias"):
        read_vgg16(tmp_path / "vgg.pth")


def test_slices_that_end_early_are_an_incomplete_vgg16(tmp_path):
    short = {key: value for key, value in LPIPS.items() if "slice5" not in key}
    torch.save(short, tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match=r"not a whole VGG-16: features\.24\.weight is missing"):
        read_vgg16(tmp_path / "vgg.pth")
