"""VGG-16's convolutions among a file's tensors: by the usual names, else by order and shape."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import WeightsError
from .names import CONVOLUTIONS, SHAPES, bias_key, has_index_of, is_of_vgg19, our_name
from .parts import Part

_KERNELS = [SHAPES[f"{name}.weight"] for name in CONVOLUTIONS]
# Fewer convolutions than these are not called a part of VGG-16: other networks begin so too.
_FEWEST = 4
_AVERAGE = re.compile(r"(^|[._])(ema|swa|averaged?)([._]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """Convolutions in a part of a file.

    Attributes:
        part: where they are.
        layout: "torchvision", "caffe", "keras", or "unnamed" if only order and shape tell them.
        keys: the file's by ours (`conv1_1.weight`), also for biases that are not there.
    """

    part: Part
    layout: str
    keys: Mapping[str, str]


def whole_networks(parts: Iterable[Part]) -> list[Found]:
    """Every VGG-16 with all its kernels, once: in the smallest part that has it."""
    found: list[Found] = []
    for part in parts:
        network = _by_name(part) or _by_order(part)
        taken = {key for earlier in found for key in earlier.keys.values()}
        if network and not taken & set(network.keys.values()):
            found.append(network)
    return found


def incomplete_network(parts: Iterable[Part]) -> Found | None:
    """The most of a VGG-16 that is there: by names, else the beginning by order and shape."""
    best: Found | None = None
    for part in parts:
        names = _named(part)
        if not names and _FEWEST <= len(part.shapes) < len(_KERNELS):
            shapes = list(part.shapes.values())
            if shapes == _KERNELS[: len(shapes)]:
                names = dict(zip(CONVOLUTIONS, part.kernels, strict=False))
        if names and (best is None or len(names) * 2 > len(best.keys)):
            best = _found(part, names)
    return best


def the_plain_one(found: list[Found], tensors: Mapping[str, Tensor]) -> tuple[Found, str]:
    """(the network to take, what has to be said about that), of one or more.

    Raises:
        WeightsError: they differ, and nothing tells which of them is meant.
    """
    different = [found[0]]
    for network in found[1:]:
        if not any(_equal(network, other, tensors) for other in different):
            different.append(network)
    if len(different) == 1:
        return found[0], ""
    plain = [network for network in different if not _AVERAGE.search(network.part.prefix)]
    names = ", ".join(f"'{network.part.prefix}'" for network in different)
    if len(plain) != 1:
        raise WeightsError(
            f"holds {len(different)} different VGG-16 networks ({names}). Save the one that you "
            "mean in a file of its own."
        )
    return plain[0], (
        f"It holds {len(different)} different VGG-16 networks ({names}): "
        f"'{plain[0].part.prefix}' is used, which is not an average over a training (EMA)."
    )


def _named(part: Part) -> dict[str, str]:
    """Layers of the part by our names, as far as it uses the usual ones."""
    names: dict[str, str] = {}
    for layer in part.kernels:
        if known := our_name(layer):
            names.setdefault(known[1], layer)
    return names


def _by_name(part: Part) -> Found | None:
    names = _named(part)
    if any(map(is_of_vgg19, part.kernels)) or len(names) < len(CONVOLUTIONS):
        return None
    if any(part.shapes[layer] != SHAPES[f"{name}.weight"] for name, layer in names.items()):
        return None
    return _found(part, names)


def _by_order(part: Part) -> Found | None:
    # The names of some programs have no numbers; then the order in the file is that of the layers.
    for layers in (tuple(part.kernels), part.in_file):
        shapes = [part.shapes[layer] for layer in layers]
        # What follows may be a head of another shape, but not one more convolution of block 5.
        if shapes[:13] == _KERNELS and shapes[13:14] != _KERNELS[-1:]:
            return _found(part, dict(zip(CONVOLUTIONS, layers, strict=False)))
    return None


def _found(part: Part, names: Mapping[str, str]) -> Found:
    layouts = {known[0] for layer in names.values() if (known := our_name(layer))}
    if len(layouts) == 1:
        layout = layouts.pop()
    elif all(has_index_of(layer, name) for name, layer in names.items()):
        layout = "torchvision"  # other prefixes, its count of modules
    else:
        layout = "unnamed"
    keys = {}
    for name, layer in names.items():
        keys[f"{name}.weight"] = part.kernels[layer]
        keys[f"{name}.bias"] = bias_key(part.kernels[layer])
    return Found(part, layout, keys)


def _equal(one: Found, other: Found, tensors: Mapping[str, Tensor]) -> bool:
    return all(
        torch.equal(tensors[one.keys[key]], tensors[other.keys[key]])
        for key in SHAPES
        if key.endswith("weight")
    )
