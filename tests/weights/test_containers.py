import pickle
import sys

import h5py
import pytest
import torch
from safetensors.torch import save_file
from vgg_files import save_legacy

from nst_core.errors import WeightsError
from nst_core.files.weights.containers import read_tensors


def cut(path, write):
    write(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


SMALL = {"conv1_1.weight": torch.ones(64, 3, 3, 3)}
DAMAGED = {
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "a web page": (lambda path: path.write_text("<!DOCTYPE html><html>"), "is a web page"),
    "a Git LFS pointer": (
        lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"),
        "Git LFS pointer",
    ),
    "random bytes": (lambda path: path.write_bytes(bytes(range(99, 250))), "no weights file"),
    "half a .pth": (lambda path: cut(path, lambda p: torch.save(SMALL, p)), "damaged"),
    "half an old .pth": (lambda path: cut(path, lambda p: save_legacy(p, SMALL)), "damaged"),
    "half a safetensors": (
        lambda path: cut(path, lambda p: save_file(SMALL, p)),
        "damaged safetensors",
    ),
    "half an .h5": (
        lambda path: cut(path, lambda p: write_small_keras(p)),
        "damaged Keras file",
    ),
    "the start of an .h5": (
        lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(60)),
        "damaged Keras file",
    ),
    "the start of a pickle": (lambda path: path.write_bytes(b"\x80\x02\x8a\x0a"), "damaged"),
    "another zip": (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(80)), "damaged"),
    "a list": (lambda path: torch.save([torch.zeros(1)], path), "holds a list"),
}


def write_small_keras(path):
    with h5py.File(path, "w") as file:
        file["block1_conv1/block1_conv1_W_1:0"] = torch.ones(3, 3, 3, 64).numpy()


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_told_with_its_path(kind, tmp_path):
    write, complaint = DAMAGED[kind]
    path = tmp_path / "weights.pth"
    write(path)
    with pytest.raises(WeightsError, match=complaint) as caught:
        read_tensors(path)
    assert str(path) in str(caught.value)


class Touch:
    """Unpickling this creates a file: a harmless stand-in for any code."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("container", ["bare pickle", ".pth", "old .pth"])
def test_code_in_a_pickle_is_refused_and_never_run(container, tmp_path):
    trap, path = tmp_path / "code_was_run", tmp_path / "weights.pth"
    content = {"conv1_1.weight": Touch(trap)}
    if container == "bare pickle":
        path.write_bytes(pickle.dumps(content))
    elif container == ".pth":
        torch.save(content, path)
    else:
        save_legacy(path, content)
    with pytest.raises(WeightsError, match="refused and nothing in it was run"):
        read_tensors(path)
    assert not trap.exists()


def test_a_keras_file_without_h5py_says_what_to_install(tmp_path, monkeypatch):
    write_small_keras(tmp_path / "vgg16.h5")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(WeightsError, match="pip install h5py"):
        read_tensors(tmp_path / "vgg16.h5")


def test_a_missing_file_is_told_with_its_path(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.pth cannot be read: No such file"):
        read_tensors(tmp_path / "nowhere.pth")
