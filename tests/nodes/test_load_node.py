"""The weights: which can be chosen, which are refused, and when they are loaded anew."""

import os

import pytest
import torch

from nst_core.files.weights.vgg_file import VGGFile, save_convolutions


def options(modules):
    part = modules.nodes["NST_LoadVGG16"].define_schema().inputs[0]
    return part.facts["options"]


def test_files_in_the_hosts_folder_can_be_chosen_beside_the_names(modules, vgg_folder):
    (vgg_folder / "mine.safetensors").write_bytes(b"")
    (vgg_folder / "readme.txt").write_bytes(b"")
    assert options(modules)[:2] == ["auto", "keras"]
    assert options(modules)[-1] == "mine.safetensors"


@pytest.mark.parametrize("ending", ["pth", "pt", "bin", "ckpt", "safetensors", "keras", "h5"])
def test_every_usual_ending_of_weights_is_in_the_menu(ending, modules, vgg_folder):
    (vgg_folder / f"mine.{ending}").write_bytes(b"")
    assert options(modules)[-1] == f"mine.{ending}"


def test_loading_says_on_the_node_which_weights_they_are(run, host):
    run("NST_LoadVGG16", weights="builtin", pooling="average")
    assert host.notes == [
        "Weights: builtin (ours, trained on pictures drawn by code; not the ImageNet network)."
    ]


def test_a_file_of_the_hosts_folder_is_loaded(run, vgg, vgg_folder):
    tensors = {k.removeprefix("convolutions."): v for k, v in vgg.state_dict().items()}
    path = vgg_folder / "mine.safetensors"
    metadata = {"source": "mine", "preprocessing": "caffe"}
    save_convolutions(VGGFile(path, "nst", tensors, {}), path, metadata)
    loaded = run("NST_LoadVGG16", weights="mine.safetensors", pooling="max")
    assert loaded.source == "mine"
    assert torch.equal(
        loaded.state_dict()["convolutions.conv1_1.weight"], tensors["conv1_1.weight"]
    )


@pytest.mark.skipif(os.name == "nt", reason="there, both are right")
def test_a_workflow_from_windows_finds_its_file_in_a_subfolder(modules, vgg_folder):
    (vgg_folder / "sub").mkdir(exist_ok=True)
    file = vgg_folder / "sub/vgg.pth"
    file.write_bytes(b"")
    try:
        assert modules.nodes["NST_LoadVGG16"].validate_inputs(weights="sub\\vgg.pth") is True
        assert modules.host.weights_path("sub\\vgg.pth") == file
    finally:
        file.unlink()
        file.parent.rmdir()


def test_a_file_that_is_gone_is_refused_with_what_to_do(run, modules, engine, host):
    said = modules.nodes["NST_LoadVGG16"].validate_inputs(weights="gone.pth")
    assert "Put the file into" in said
    assert str(host.models / "vgg") in said
    with pytest.raises(engine.NSTError, match=r"gone\.pth"):
        run("NST_LoadVGG16", weights="gone.pth", pooling="max")


def test_names_and_weights_from_another_node_are_fine(modules, host):
    validate = modules.nodes["NST_LoadVGG16"].validate_inputs
    assert validate(weights="builtin") is True
    assert validate(weights=None) is True


@pytest.mark.parametrize("name", ["broken.safetensors", "broken.pt", "broken.keras", "broken.h5"])
def test_a_corrupt_file_is_refused_in_a_sentence(run, engine, vgg_folder, name):
    (vgg_folder / name).write_bytes(b"not weights")
    with pytest.raises(engine.NSTError, match="broken"):
        run("NST_LoadVGG16", weights=name, pooling="max")


def test_weights_that_cannot_be_downloaded_are_refused_with_what_to_do(run, engine):
    with pytest.raises(engine.NSTError, match="no web address"):
        run("NST_LoadVGG16", weights="torchvision", pooling="max")


def test_a_changed_file_is_noticed_and_an_unchanged_one_cached(modules, vgg_folder):
    fingerprint = modules.nodes["NST_LoadVGG16"].fingerprint_inputs
    path = vgg_folder / "mine.pth"
    path.write_bytes(b"one")
    before = fingerprint(weights="mine.pth", pooling="max")
    assert fingerprint(weights="mine.pth", pooling="max") == before
    path.write_bytes(b"three")
    assert fingerprint(weights="mine.pth", pooling="max") != before
    os.utime(path, ns=(1, 1))
    later = fingerprint(weights="mine.pth", pooling="max")
    path.unlink()
    assert fingerprint(weights="mine.pth", pooling="max") != later


def test_a_download_does_not_make_the_same_prompt_another_one(
    run, modules, vgg, vgg_folder, monkeypatch
):
    fingerprint = modules.nodes["NST_LoadVGG16"].fingerprint_inputs
    path = vgg_folder / "vgg16-397923af.pth"

    def downloading(*_, **__):
        path.write_bytes(b"what was downloaded")
        return vgg

    monkeypatch.setattr(modules.load, "load_vgg16", downloading)
    before = fingerprint(weights="torchvision")
    run("NST_LoadVGG16", weights="torchvision", pooling="max")
    assert fingerprint(weights="torchvision") == before
    path.write_bytes(b"put there by the user")
    assert fingerprint(weights="torchvision") != before


def test_the_one_box_notices_new_weights_unless_a_network_is_wired(modules, vgg_folder):
    fingerprint = modules.nodes["NST_NeuralStyleTransfer"].fingerprint_inputs
    # The host gives inputs from other nodes as None here, and leaves out what is not wired.
    wires = {"content": None, "style": None, "steps": 10}
    before = fingerprint(**wires), fingerprint(**wires, vgg=None)
    (vgg_folder / "vgg16-397923af.pth").write_bytes(b"")
    assert fingerprint(**wires) != before[0]
    assert fingerprint(**wires, vgg=None) == before[1]


def test_a_named_file_that_appears_is_noticed_by_auto(modules, vgg_folder):
    fingerprint = modules.nodes["NST_LoadVGG16"].fingerprint_inputs
    before = fingerprint(weights="auto"), fingerprint(weights="builtin")
    (vgg_folder / "vgg16-397923af.pth").write_bytes(b"")
    assert fingerprint(weights="auto") != before[0]
    assert fingerprint(weights="builtin") == before[1]
