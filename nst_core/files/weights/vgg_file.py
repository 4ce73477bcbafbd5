"""VGG-16's convolutions out of a file and into one, and whether all 13 are there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ...errors import WeightsError
from ..atomic import written_whole
from .containers import read_tensors
from .contents import RETRY, Contents
from .finding import Found, incomplete_network, the_plain_one, whole_networks
from .names import SHAPES, key_in
from .parts import normalization_in, our_axes, parts_of
from .quantized import quantized, restored
from .relatives import relative

FORMAT = "nst-vgg16"
FORMAT_VERSION = "1"

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class VGGFile:
    """Tensors by our names (`conv1_1.weight`).

    Attributes:
        layout: of the file: "nst" (our own), "torchvision", "caffe", "keras", or "unnamed" if only
            order and shape told which convolution is which.
        keys: the file's own names by ours.
        notes: what was chosen or assumed in reading, each a sentence.
    """

    path: Path
    layout: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]
    keys: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def problems(self) -> dict[str, str]:
        """What is wrong, by tensor; empty if all 13 convolutions are there, whole and finite."""
        found = {}
        for name, shape in SHAPES.items():
            tensor = self.tensors.get(name)
            if tensor is None:
                found[name] = "is missing"
            elif tuple(tensor.shape) != shape:
                found[name] = f"has shape {tuple(tensor.shape)} where VGG-16 has {shape}"
            elif tensor.is_meta:
                found[name] = "has no values"
            elif tensor.dtype not in _FLOATS or tensor.layout != torch.strided:
                found[name] = f"is {tensor.dtype}, {tensor.layout}: not plain floating point"
            elif not tensor.isfinite().all():
                found[name] = "has values that are not finite"
        return found

    def key_of(self, name: str) -> str:
        """What the file calls our `conv1_1.weight`, or would if it had it."""
        known = None if self.layout == "keras" else self.keys.get(name)
        return known or key_in(self.layout, name)


def read_vgg_file(path: Path) -> VGGFile:
    """The VGG-16 convolutions of a file; `problems` says whether they are complete.

    Raises:
        WeightsError: the file is missing, damaged, unsafe, or of a network that is not VGG-16.
    """
    contents = read_tensors(path)
    found, note = _found(path, contents.tensors)
    notes = [note] if note else []
    tensors = {}
    in_our_order = False
    for name, key in found.keys.items():
        if key in contents.tensors:
            tensor = _in_full(path, name, key, contents.tensors)
            in_our_order |= name.endswith("weight") and tuple(tensor.shape) == SHAPES[name]
            tensors[name] = our_axes(tensor).detach()
    layout = found.layout
    if contents.container == "keras":
        layout = "keras"
        if note := _theano(contents, tensors, in_our_order):
            notes.append(note)
    if contents.metadata.get("format") == FORMAT:
        layout = "nst"
    return VGGFile(path, layout, tensors, contents.metadata, found.keys, tuple(notes))


def read_vgg16(path: Path) -> VGGFile:
    """A file without problems, or WeightsError that lists them."""
    vgg_file = read_vgg_file(path)
    problems = vgg_file.problems()
    if problems:
        shown = [f"{vgg_file.key_of(name)} {text}" for name, text in problems.items()]
        more = f"; and {len(shown) - 4} more" if len(shown) > 4 else ""
        raise WeightsError(
            f"{path} is not a whole VGG-16: {'; '.join(shown[:4])}{more}. "
            "Use a complete file of VGG-16, or download it again."
        )
    return vgg_file


def save_convolutions(
    vgg_file: VGGFile,
    path: Path,
    metadata: Mapping[str, str],
    *,
    eight_bits: bool = False,
) -> None:
    """Write the 13 convolutions as safetensors, whole or not at all.

    Args:
        vgg_file: has them.
        path: of the file.
        metadata: strings to keep in it.
        eight_bits: a quarter of the size, weights rounded.
    """
    tensors = {name: vgg_file.tensors[name].float().contiguous() for name in SHAPES}
    stored = quantized(tensors) if eight_bits else tensors
    ours = {"format": FORMAT, "format_version": FORMAT_VERSION}
    with written_whole(path) as part:
        save_file(stored, part, metadata={**metadata, **ours})


def _found(path: Path, tensors: Mapping[str, Tensor]) -> tuple[Found, str]:
    """(where the convolutions are, what has to be said about the choice)."""
    parts = parts_of(tensors)
    networks = whole_networks(parts)
    plain = [network for network in networks if not normalization_in(tensors, network.part)]
    if plain:
        try:
            return the_plain_one(plain, tensors)
        except WeightsError as error:
            raise WeightsError(f"{path} {error}") from error
    if networks:
        raise _another(path, f"VGG-16 with {normalization_in(tensors, networks[0].part)}")
    if other := relative(tensors, parts):
        raise _another(path, other)
    if incomplete := incomplete_network(parts):
        if normalization := normalization_in(tensors, incomplete.part):
            raise _another(path, f"a network with {normalization}")
        return incomplete, ""
    keys = ", ".join(list(tensors)[:3]) or "none"
    raise WeightsError(
        f"{path} has no VGG-16 in it: neither its usual names (features.0.weight, conv1_1.weight, "
        "block1_conv1) nor 13 convolutions of its shapes in their order. Its first tensors: "
        f"{keys}. Use a file of VGG-16."
    )


def _another(path: Path, network: str) -> WeightsError:
    return WeightsError(f"{path} is {network}, not the plain VGG-16. Use a file of VGG-16.")


def _in_full(path: Path, name: str, key: str, tensors: Mapping[str, Tensor]) -> Tensor:
    """A tensor, in float32 if it was stored in 8 bits."""
    tensor = tensors[key]
    if tuple(tensor.shape) != SHAPES[name]:
        return tensor  # `problems` says so
    try:
        return restored({k: tensors[k] for k in tensors if k.startswith(key)})[key]
    except ValueError as error:
        raise WeightsError(f"{path} is damaged: {error}. {RETRY}") from error


def _theano(contents: Contents, tensors: dict[str, Tensor], in_our_order: bool) -> str:
    """Rotate the kernels of Keras files that were computed with in Theano.

    Theano's convolution rotates each kernel by 180 degrees; others, and ours, do not. Keras 2 tells
    what computed with a file (`backend`). Keras 1 does not, but Theano was what kept kernels as
    (out, in, h, w). To see with kernels that are rotated wrongly is to see pictures upside down.
    """
    backend = contents.metadata.get("backend")
    if backend != "theano" and (backend is not None or not in_our_order):
        return ""
    for name, tensor in tensors.items():
        if tensor.ndim == 4:
            tensors[name] = tensor.flip(2, 3)
    if backend:
        return "The kernels are Theano's: rotated by 180 degrees."
    return (
        "The kernels are stored as (out, in, height, width), as Theano has them, and nothing tells "
        "what computed with them: Theano is assumed, so they are rotated by 180 degrees."
    )
