"""State dicts of torch.save. Only tensors and plain containers are restored from a pickle."""

import pickle
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import WeightsError
from .contents import DAMAGE, RETRY, SAVE_WEIGHTS, Contents

_DEEPEST = 8  # dicts in dicts: training programs wrap a state dict two or three times
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
    except pickle.UnpicklingError as error:
        raise WeightsError(_refusal(path, str(error))) from error
    except DAMAGE as error:
        raise WeightsError(f"{path} is damaged, or no PyTorch file. {RETRY}") from error
    if not isinstance(content, Mapping):
        raise WeightsError(
            f"{path} holds a {type(content).__name__}, not a state dict of tensors by name. "
            f"{SAVE_WEIGHTS}"
        )
    return Contents("torch", dict(_tensors_in(content, "", set())))


def _loaded(path: Path, zipped: bool) -> Any:
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
        if isinstance(value, Tensor):
            yield f"{prefix}{key}", value
        elif isinstance(value, Mapping) and id(value) not in seen and depth < _DEEPEST:
            yield from _tensors_in(value, f"{prefix}{key}.", seen, depth + 1)
