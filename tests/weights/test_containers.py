import argparse
import gzip
import os
import pickle
import sys
import tarfile
import warnings
import zipfile

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


def write_zip(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")


def write_tar(path):
    (path.parent / "vgg").write_bytes(b"x")
    with tarfile.open(path, "w") as archive:
        archive.add(path.parent / "vgg", "vgg")


SMALL = {"conv1_1.weight": torch.ones(64, 3, 3, 3)}
DAMAGED = {
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "a folder": (lambda path: path.mkdir(), "is a folder"),
    "a web page": (lambda path: path.write_text("<!DOCTYPE html><html>"), "is a web page"),
    "a web page with a mark of its encoding": (
        lambda path: path.write_text("\ufeff\n<html>", encoding="utf-8"),
        "is a web page",
    ),
    "a server's answer": (lambda path: path.write_text('{"error": "not found"}'), "a JSON text"),
    "an index of parts": (lambda path: path.write_text('{\n  "weight_map": {}}'), "a JSON text"),
    "a Git LFS pointer": (
        lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"),
        "Git LFS pointer",
    ),
    "a zip archive": (lambda path: write_zip(path, "vgg/vgg16.pth"), r"zip archive.*Unpack it"),
    "a tar archive": (write_tar, r"tar archive.*Unpack it"),
    "a gzip archive": (lambda path: path.write_bytes(gzip.compress(b"x")), "gzip archive"),
    "NumPy's archive": (lambda path: write_zip(path, "conv1_1_W.npy"), "NumPy archive.*Save"),
    "GGUF": (lambda path: path.write_bytes(b"GGUF\x03" + bytes(60)), r"GGUF file.*safetensors"),
    "ONNX": (
        lambda path: path.write_bytes(b"\x08\x08\x12\x07pytorch"),
        r"ONNX model.*as safetensors",
    ),
    "an exported program": (
        lambda path: write_zip(path, "vgg/archive_format", "vgg/data/weights/weight_0"),
        "exported program, not weights",
    ),
    "random bytes": (lambda path: path.write_bytes(bytes(range(99, 250))), "no weights file"),
    "half a .pth": (lambda path: cut(path, lambda p: torch.save(SMALL, p)), "damaged"),
    "half an old .pth": (lambda path: cut(path, lambda p: save_legacy(p, SMALL)), "damaged"),
    "half a safetensors": (
        lambda path: cut(path, lambda p: save_file(SMALL, p)),
        "damaged safetensors",
    ),
    "a safetensors header of deep lists": (
        lambda path: path.write_bytes(
            (200_000).to_bytes(8, "little") + b'{"a":' + b"[" * 199_995 + bytes(64)
        ),
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
    "the start of a zip": (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(80)), "damaged"),
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


def save_script(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer releases call TorchScript deprecated
        traced = torch.jit.trace(torch.nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8))
        torch.jit.save(traced, str(path))


PROGRAMS = {
    "TorchScript": (save_script, r"TorchScript program, not weights.*state_dict\(\)"),
    "a whole model": (
        lambda path: torch.save(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)), path),
        r"\(torch\.nn\.modules\.container\.Sequential\): a whole model.*state_dict\(\)",
    ),
    "a whole model, before PyTorch 1.6": (
        lambda path: save_legacy(path, torch.nn.Conv2d(3, 4, 3)),
        r"\(torch\.nn\.modules\.conv\.Conv2d\): a whole model",
    ),
    "the state of a training": (
        lambda path: torch.save({**SMALL, "arguments": argparse.Namespace(lr=1)}, path),
        r"\(argparse\.Namespace\): a whole model or the state of a training",
    ),
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_program_is_refused_as_one_and_not_as_damaged(kind, tmp_path):
    write, complaint = PROGRAMS[kind]
    write(tmp_path / "vgg16.pt")
    with pytest.raises(WeightsError, match=complaint) as caught:
        read_tensors(tmp_path / "vgg16.pt")
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("vgg16.pth", lambda path: save_file(SMALL, path)),
        ("vgg16.safetensors", lambda path: torch.save(SMALL, path)),
        ("vgg16.onnx", lambda path: torch.save(SMALL, path)),
        ("vgg16.keras", lambda path: write_small_keras(path)),
        ("vgg16.bin", lambda path: save_legacy(path, SMALL)),
    ],
)
def test_what_a_file_is_called_does_not_matter(name, write, tmp_path):
    write(tmp_path / name)
    (tensor,) = read_tensors(tmp_path / name).tensors.values()
    assert tensor.sum() == 64 * 27


def test_dicts_in_dicts_are_followed_once_and_not_for_ever(tmp_path):
    wide = dict(SMALL)
    for _ in range(30):  # 2 ** 30 ways to the tensor
        wide = {"a": wide, "b": wide}
    wide["itself"] = wide
    torch.save(wide, tmp_path / "wide.pth")
    assert read_tensors(tmp_path / "wide.pth").tensors == {}
    torch.save({"model": {"a": SMALL, "b": SMALL}}, tmp_path / "twice.pth")
    assert list(read_tensors(tmp_path / "twice.pth").tensors) == ["model.a.conv1_1.weight"]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.pth")
    with pytest.raises(WeightsError, match="no regular file"):
        read_tensors(tmp_path / "pipe.pth")


def test_a_keras_file_without_h5py_says_what_to_install(tmp_path, monkeypatch):
    write_small_keras(tmp_path / "vgg16.h5")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(WeightsError, match="pip install h5py"):
        read_tensors(tmp_path / "vgg16.h5")


def test_a_missing_file_is_told_with_its_path(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.pth cannot be read: No such file"):
        read_tensors(tmp_path / "nowhere.pth")
