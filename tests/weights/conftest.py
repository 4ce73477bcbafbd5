"""One network in several files, and a machine that has nothing and reaches nothing."""

import hashlib
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from vgg_files import torchvision_dict, write_keras_notop

from nst_core.files.weights.builtin import builtin_weights
from nst_core.files.weights.sources import SOURCES

KERAS = SOURCES["keras"]


@pytest.fixture(scope="session")
def weights():
    return builtin_weights()


@pytest.fixture(scope="session")
def files(weights):
    """{layout: a file of it}, all of one network. Not tmp_path, which outlives the session."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_keras_notop(folder / KERAS.file_name, weights)
        torch.save(torchvision_dict(weights), folder / "rgb.pth")
        torch.save(weights, folder / "bgr.pth")
        yield {
            "keras": folder / KERAS.file_name,
            "torchvision": folder / "rgb.pth",
            "caffe": folder / "bgr.pth",
        }


@pytest.fixture(autouse=True)
def home(monkeypatch):
    """An empty home, and a network where every address refuses."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # never listens
        for variable in ("HOME", "USERPROFILE"):
            monkeypatch.setenv(variable, name)
        for variable in ("XDG_CACHE_HOME", "TORCH_HOME", "KERAS_HOME", "NST_CACHE"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("NST_MIRROR", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "*")
        yield Path(name)


@pytest.fixture
def published(monkeypatch, files):
    """Takes our own Keras file for the published one: its hash is then the known one."""
    digest = hashlib.md5(files["keras"].read_bytes()).hexdigest()
    monkeypatch.setitem(SOURCES, "keras", replace(KERAS, digest=digest))


@pytest.fixture
def messages():
    return []
