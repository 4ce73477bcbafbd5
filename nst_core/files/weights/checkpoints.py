"""The names other programs give to VGG-16's convolutions, and whether all 13 are in a file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ...errors import WeightsError
from ...gatys.vgg import LAYERS
from ..atomic import written_whole
from .containers import read_tensors
from .quantized import quantized, restored

FORMAT = "nst-vgg16"
FORMAT_VERSION = "1"

# {"conv1_1.weight": (64, 3, 3, 3), "conv1_1.bias": (64,), ...}
SHAPES: dict[str, tuple[int, ...]] = {}
# torchvision counts modules: a convolution and its ReLU are two, the pooling after a block one.
_BY_INDEX: dict[int, str] = {}
for _count, _layer in enumerate(LAYERS.values()):
    _name = f"conv{_layer.block}_{_layer.index}"
    SHAPES[f"{_name}.weight"] = (_layer.channels, _layer.in_channels, 3, 3)
    SHAPES[f"{_name}.bias"] = (_layer.channels,)
    _BY_INDEX[2 * _count + _layer.block - 1] = _name

_INDEXED = re.compile(r"(?:^|\.)features\.(\d+)\.(weight|bias)$")
_CAFFE = re.compile(r"(?:^|\.)conv([1-5]_[1-4])\.(weight|bias)$")
_KERAS = re.compile(r"^block([1-5])_conv([1-4])\.(weight|bias)$")
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by our names (`conv1_1.weight`).

    `layout` is that of the file: "nst" (our own), "torchvision", "caffe" or "keras".
    """

    path: Path
    layout: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]

    def problems(self) -> dict[str, str]:
        """What is wrong, by tensor; empty if all 13 convolutions are there, whole and finite."""
        found = {}
        for name, shape in SHAPES.items():
            tensor = self.tensors.get(name)
            if tensor is None:
                found[name] = "is missing"
            elif tuple(tensor.shape) != shape:
                found[name] = f"has shape {tuple(tensor.shape)} where VGG-16 has {shape}"
            elif tensor.dtype not in _FLOATS or tensor.layout != torch.strided:
                found[name] = f"is {tensor.dtype}, {tensor.layout}: not plain floating point"
            elif not tensor.isfinite().all():
                found[name] = "has values that are not finite"
        return found


def read_checkpoint(path: Path) -> Checkpoint:
    """The VGG-16 convolutions of a file; `problems` says whether they are complete.

    Raises:
        WeightsError: the file is missing, damaged, unsafe, or of a network that is not VGG-16.
    """
    tensors, metadata = read_tensors(path)
    if other := _other_network(tensors):
        raise WeightsError(f"{path} is {other}, not VGG-16. Use a file of VGG-16.")
    layout, named = "", {}
    for key, tensor in restored(tensors).items():
        if name := _our_name(key):
            layout = name[0]
            named[name[1]] = tensor.detach()
    if not named:
        keys = ", ".join(list(tensors)[:3]) or "none"
        raise WeightsError(
            f"{path} has no layer of VGG-16 (expected features.0.weight, conv1_1.weight or "
            f"block1_conv1; its first tensors: {keys}). Use a file of VGG-16."
        )
    if metadata.get("format") == FORMAT:
        layout = "nst"
    return Checkpoint(path, layout, named, metadata)


def read_vgg16(path: Path) -> Checkpoint:
    """A checkpoint without problems, or WeightsError that lists them."""
    checkpoint = read_checkpoint(path)
    problems = checkpoint.problems()
    if problems:
        shown = [f"{key_in(checkpoint.layout, n)} {text}" for n, text in problems.items()]
        more = f"; and {len(shown) - 4} more" if len(shown) > 4 else ""
        raise WeightsError(
            f"{path} is not a whole VGG-16: {'; '.join(shown[:4])}{more}. "
            "Use a complete file of VGG-16, or download it again."
        )
    return checkpoint


def save_convolutions(
    checkpoint: Checkpoint,
    path: Path,
    metadata: Mapping[str, str],
    *,
    eight_bits: bool = False,
) -> None:
    """Write the 13 convolutions as safetensors, whole or not at all.

    Args:
        checkpoint: has them.
        path: of the file.
        metadata: strings to keep in it.
        eight_bits: a quarter of the size, weights rounded.
    """
    tensors = {name: checkpoint.tensors[name].float().contiguous() for name in SHAPES}
    stored = quantized(tensors) if eight_bits else tensors
    ours = {"format": FORMAT, "format_version": FORMAT_VERSION}
    with written_whole(path) as part:
        save_file(stored, part, metadata={**metadata, **ours})


def key_in(layout: str, name: str) -> str:
    """What a layout calls our `conv1_1.weight`."""
    convolution, kind = name.split(".")
    if layout == "torchvision":
        index = next(index for index, known in _BY_INDEX.items() if known == convolution)
        return f"features.{index}.{kind}"
    if layout == "keras":
        block, index_in_block = convolution.removeprefix("conv").split("_")
        return f"block{block}_conv{index_in_block} {'kernel' if kind == 'weight' else 'bias'}"
    return name


def _our_name(key: str) -> tuple[str, str] | None:
    """(layout, our name) of a key, or None for a classifier's and any other."""
    if match := _INDEXED.search(key):
        name = _BY_INDEX.get(int(match[1]))
        return ("torchvision", f"{name}.{match[2]}") if name else None
    if match := _CAFFE.search(key):
        return "caffe", f"conv{match[1]}.{match[2]}"
    if match := _KERAS.search(key):
        return "keras", f"conv{match[1]}_{match[2]}.{match[3]}"
    return None


def _other_network(keys: Iterable[str]) -> str | None:
    """A close relative of VGG-16, which would otherwise be reported as a damaged one."""
    keys = list(keys)
    if any(key.endswith("running_mean") for key in keys) and any(map(_our_name, keys)):
        return "a network with batch normalization"
    if any(re.search(r"(^|\.)(conv5_4|block5_conv4|features\.34)\.weight$", key) for key in keys):
        return "VGG-19"
    return None
