"""State dicts of torch.save. Only tensors and plain containers are restored from a pickle."""

import io
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import WeightsError
from .contents import DAMAGE, RETRY, SAVE_WEIGHTS, Contents
from .pickle_check import check_pickle

_DEEPEST = 8  # dicts in dicts: training programs wrap a state dict two or three times
_PICKLE = b"\x80"  # a pickle begins with its protocol
# Before PyTorch 1.6: a magic number, a version, a machine, the content, and its keys.
_PARTS = 5
_WANTED = re.compile(r"GLOBAL ([\w.]+)")


def read_torch(path: Path, zipped: bool) -> Contents:
    """The tensors of a state dict, whatever dicts it is wrapped in.

    Raises:
        WeightsError: the file is damaged, holds no state dict, or needs code to be restored.
    """
    try:
        with warnings.catch_warnings():
            # A newer pickle either loads or is refused below; the doubt about it helps nobody.
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            content = _loaded(path, zipped)
        tensors = dict(_tensors_in(content, "", set())) if isinstance(content, Mapping) else None
    except pickle.UnpicklingError as error:
        raise WeightsError(_refusal(path, str(error))) from error
    except DAMAGE as error:
        raise WeightsError(f"{path} is damaged, or no PyTorch file ({error}). {RETRY}") from error
    if tensors is None:
        raise WeightsError(
            f"{path} holds a {type(content).__name__}, not a state dict of tensors by name. "
            f"{SAVE_WEIGHTS}"
        )
    return Contents("torch", tensors)


def _loaded(path: Path, zipped: bool) -> Any:
    with path.open("rb") as file:
        if zipped:
            with zipfile.ZipFile(file) as archive:
                name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
                check_pickle(io.BytesIO(archive.read(name)))
        else:
            for _ in range(_PARTS):
                if file.peek(1)[:1] == _PICKLE:  # a bare pickle is the content alone
                    check_pickle(file)
    if path.suffix == ".safetensors":  # torch.load goes by that name, and not by the content
        with path.open("rb") as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    # mmap: of a 528 MB file, only the 59 MB of convolutions are ever read.
    return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)


def _refusal(path: Path, reason: str) -> str:
    if wanted := _WANTED.search(reason):
        return (
            f"{path} is a pickle with code or other objects in it ({wanted[1]}): a whole model or "
            "the state of a training, not weights alone. It was refused and nothing in it was run. "
            f"{SAVE_WEIGHTS}"
        )
    return (
        f"{path} is a pickle with code or other objects in it, or it is damaged. It was refused "
        f"and nothing in it was run. {SAVE_WEIGHTS}"
    )


def _tensors_in(
    content: Mapping[Any, Any], prefix: str, seen: set[int], depth: int = 0
) -> Iterator[tuple[str, Tensor]]:
    """Tensors by their path of names; a dict that is met again is not followed."""
    seen.add(id(content))
    for key, value in content.items():
        if not isinstance(key, str | int):  # others are no names, and may take years to be written
            continue
        if isinstance(value, Tensor):
            yield f"{prefix}{key}", value
        elif isinstance(value, Mapping) and id(value) not in seen and depth < _DEEPEST:
            yield from _tensors_in(value, f"{prefix}{key}.", seen, depth + 1)
