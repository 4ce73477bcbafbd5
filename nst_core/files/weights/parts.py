"""The parts of a file that may each be a network: the layers whose names begin alike."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from .names import layer_of, natural_order, plain

Shape = tuple[int, ...]
_LONGEST = 16  # words of a prefix that are looked at; real ones have a handful


@dataclass(frozen=True)
class Part:
    """The convolutions under a prefix.

    Attributes:
        prefix: words with dots; "" is the whole file.
        kernels: the file's keys by the names of the layers, in natural order.
        shapes: of these kernels, (out, in, h, w).
        in_file: the names of the layers in the order of the file.
    """

    prefix: str
    kernels: Mapping[str, str]
    shapes: Mapping[str, Shape]
    in_file: tuple[str, ...]


def parts_of(tensors: Mapping[str, Tensor]) -> list[Part]:
    """Every part with a convolution, those with the longest prefix first."""
    kernels: dict[str, str] = {}
    for key, tensor in tensors.items():
        layer = layer_of(plain(key))
        if layer is not None and tensor.ndim == 4:
            kernels.setdefault(layer, key)
    members: dict[str, list[str]] = {}
    for layer in kernels:
        words = layer.split(".")
        for length in range(min(len(words), _LONGEST)):
            members.setdefault(".".join(words[:length]), []).append(layer)
    parts = []
    for prefix, layers in members.items():
        ordered = {layer: kernels[layer] for layer in sorted(layers, key=natural_order)}
        shapes = {layer: tuple(our_axes(tensors[key]).shape) for layer, key in ordered.items()}
        parts.append(Part(prefix, ordered, shapes, tuple(layers)))
    return sorted(parts, key=lambda part: _depth(part.prefix), reverse=True)


def our_axes(kernel: Tensor) -> Tensor:
    """(out, in, h, w) of a kernel that may also be (h, w, in, out), as TensorFlow has them."""
    # No layer of VGG-16 has fewer than 64 channels, and no kernel is as wide.
    swapped = kernel.ndim == 4 and kernel.shape[:2] == (3, 3) and kernel.shape[3] >= 64
    return kernel.permute(3, 2, 0, 1) if swapped else kernel


def normalization_in(tensors: Mapping[str, Tensor], part: Part) -> str:
    """What normalizes the features of a part: "batch normalization", "normalization" or ""."""
    means, scales = {}, {}
    for key, tensor in tensors.items():
        name = plain(key)
        if tensor.ndim != 1:
            continue
        if name.endswith("running_mean"):
            means[name] = len(tensor)
        elif layer_of(name) is not None:
            scales[name] = len(tensor)
    widths = [shape[0] for shape in part.shapes.values()]
    parent = part.prefix.rpartition(".")[0]
    for sizes, words in ((means, "batch normalization"), (scales, "normalization")):
        if any(_is_under(name, part.prefix) for name in sizes):
            return words
        beside = [name for name in sorted(sizes, key=natural_order) if _is_under(name, parent)]
        if [sizes[name] for name in beside] == widths:
            return words
    return ""


def _is_under(name: str, prefix: str) -> bool:
    return not prefix or name.startswith(f"{prefix}.")


def _depth(prefix: str) -> int:
    return len(prefix.split(".")) if prefix else 0
