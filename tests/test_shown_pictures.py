"""The pictures of README, help pages and examples: each says which network made it."""

import re
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from nst_core import load_vgg16

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
from job import Job
from make_examples import with_network
from make_pictures import NETWORKS, main, makers
from networks import KERAS, Network, found, names_in, ours, save

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
OURS = {network.name: network for network in ours()}


def shown_in(text):
    return re.findall(r"docs/images/[\w-]+\.jpg", text)


def shown():
    yield from shown_in(README)
    for page in (ROOT / "web/docs").glob("*.md"):
        yield from (f"web/docs/{name}" for name in re.findall(r"\((\w+\.jpg)\)", page.read_text()))
    yield from (f"example_workflows/{f.stem}.jpg" for f in ROOT.glob("example_workflows/*.json"))
    yield "web/icon.png"


def weights_file(path, tensors):
    save_file({name: tensor.half().contiguous() for name, tensor in tensors.items()}, path)
    return str(path)


def test_the_scripts_make_every_picture_that_is_shown_and_no_other():
    assert sorted(shown()) == sorted(NETWORKS)


@pytest.mark.parametrize("path", NETWORKS)
def test_a_picture_says_which_network_made_it(path):
    assert names_in(ROOT / path) == makers(path, "keras")


def test_the_readme_names_the_network_of_a_picture_in_its_section():
    for section in README.split("\n## "):
        for path in shown_in(section):
            for name in names_in(ROOT / path):
                assert f"`{name}`" in section, path


@pytest.mark.parametrize("ending", ["jpg", "png"])
@pytest.mark.parametrize("names", [(), ("keras",), ("untrained", "keras")])
def test_a_picture_keeps_the_names_of_its_networks(tmp_path, names, ending):
    path = tmp_path / f"a.{ending}"
    picture = Image.new("RGB", (8, 8))
    picture.save(path)
    assert names_in(path) is None
    save(picture, path, [Network(name, "0123456789ab") for name in names])
    assert names_in(path) == names


def test_another_networks_picture_is_kept_unless_it_is_to_be_replaced(tmp_path):
    path = tmp_path / "web/docs/NST_ContentLoss.jpg"
    save(Image.new("RGB", (8, 8)), path, [OURS["builtin"]])
    first = path.read_bytes()
    asked = ["--weights", "untrained", "--draft", str(tmp_path), "ContentLoss"]
    with pytest.raises(SystemExit, match=r"ContentLoss.jpg: builtin, not untrained"):
        main(asked)
    assert path.read_bytes() == first
    main([*asked, "--replace"])
    assert names_in(path) == ("untrained",)


def test_a_network_is_known_by_its_values_and_not_by_its_file(tmp_path):
    file = weights_file(tmp_path / "keras.safetensors", load_vgg16("builtin").weights())
    assert found(file, tmp_path) == OURS["builtin"]


def test_keras_in_half_precision_is_keras_and_is_found_by_that_name(tmp_path):
    tensors = load_vgg16("untrained").weights()
    for (name, index), bias in KERAS.items():
        tensors[name][index] = bias
    cache = tmp_path / "cache"
    cache.mkdir()
    assert found(weights_file(tmp_path / "any.safetensors", tensors), cache).name == "keras"
    by_name = load_vgg16("keras").weights()
    assert all(
        torch.equal(by_name[name], tensor.half().float()) for name, tensor in tensors.items()
    )


def test_a_network_that_nobody_knows_makes_no_picture(tmp_path):
    tensors = load_vgg16("builtin").weights()
    tensors["conv5_3.bias"] += 1
    with pytest.raises(SystemExit, match="is not ImageNet's VGG-16 as Keras has it, nor builtin"):
        found(weights_file(tmp_path / "any.safetensors", tensors), tmp_path)


def test_an_example_is_photographed_with_the_network_that_was_asked_for(tmp_path):
    prompt = {
        "1": {"class_type": "NST_LoadVGG16", "inputs": {"weights": "auto", "pooling": "average"}},
        "2": {"class_type": "NST_NeuralStyleTransfer", "inputs": {"size": 256}},
    }
    asked = with_network(prompt, Job("keras", tmp_path))
    assert asked["1"]["inputs"] == {"weights": "keras", "pooling": "average"}
    assert asked["2"]["inputs"] == {"size": 256, "vgg": ["network", 0]}
    assert asked["network"]["inputs"]["weights"] == "keras"
