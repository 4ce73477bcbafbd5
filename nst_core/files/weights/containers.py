"""Weights files to tensors under the names they have there. Nothing in a file is ever run."""

import pickle
import re
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ...errors import WeightsError

RETRY = "Download or copy the file again."

# What torch.load and h5py let through on damaged files, besides their own errors.
_DAMAGE = (RuntimeError, ValueError, EOFError, LookupError, AttributeError, TypeError, OSError,
           AssertionError, struct.error)  # fmt: skip
_KERAS_LAYER = re.compile(r"block[1-5]_conv[1-4]")


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(tensors by name, metadata) of a file; its kind is told by its first bytes.

    Raises:
        WeightsError: the file is missing, damaged, unsafe, or no weights file at all.
    """
    start = _first_bytes(path)
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return _read_keras(path), {}
    if start.startswith((b"PK\x03\x04", b"\x80")):
        return _read_torch(path, zipped=start.startswith(b"PK")), {}
    if start[8:9] == b"{":
        return _read_safetensors(path)
    raise WeightsError(
        f"{path} is no weights file (.safetensors, .pth or Keras .h5), or it is damaged. {RETRY}"
    )


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read: {error.strerror or error}. Check the path and its rights."
        ) from error
    if not start:
        raise WeightsError(f"{path} is empty. {RETRY}")
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise WeightsError(
            f"{path} is a web page: a server sent it in place of the weights. Open the address in "
            "a browser, then download the file itself."
        )
    if start.startswith(b"version https://git-lfs"):
        raise WeightsError(f"{path} is a Git LFS pointer, not the file. Run 'git lfs pull' there.")
    return start


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is a damaged safetensors file: {error}. {RETRY}") from error


def _read_torch(path: Path, zipped: bool) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            # A newer pickle either loads or is refused below; the doubt about it helps nobody.
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            # mmap: of a 528 MB file, only the 59 MB of convolutions are ever read.
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} is a pickle with code or other objects in it, or it is damaged. It was "
            "refused and nothing in it was run. Save the network's state_dict(), best as "
            "safetensors, and use that."
        ) from error
    except _DAMAGE as error:
        raise WeightsError(f"{path} is damaged, or no PyTorch file. {RETRY}") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        raise WeightsError(
            f"{path} holds a {type(content).__name__}, not a state dict of tensors by name. "
            "Save the network's state_dict() and use that."
        )
    return {str(key): value for key, value in content.items() if isinstance(value, Tensor)}


def _read_keras(path: Path) -> dict[str, Tensor]:
    """`block1_conv1.weight` and `.bias`, in PyTorch's axis order."""
    try:
        import h5py
    except ImportError as error:
        raise WeightsError(f"{path} is a Keras file. To read it: pip install h5py") from error
    tensors: dict[str, Tensor] = {}

    def visit(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or name.startswith("optimizer"):
            return
        # Keras 2 has the layer's name in the path; Keras 3 (layers/conv2d_7/vars/0) beside it.
        layer = _KERAS_LAYER.search(f"{item.parent.attrs.get('name', '')}/{name}")
        if layer is None:
            return
        values = torch.from_numpy(item[()].astype("float32"))
        if values.ndim == 4:
            tensors[f"{layer[0]}.weight"] = values.permute(3, 2, 0, 1)  # H, W, in, out -> ours
        else:
            tensors[f"{layer[0]}.bias"] = values

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except _DAMAGE as error:
        raise WeightsError(f"{path} is a damaged Keras file: {error}. {RETRY}") from error
    return tensors
