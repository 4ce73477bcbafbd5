"""Networks that look like VGG-16 and are not: a true name for each, instead of "damaged"."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from .names import CONVOLUTIONS, SHAPES, is_of_vgg19, our_name
from .parts import Part, Shape, normalization_in

# The seven first convolutions of VGG-19 are VGG-16's too.
_FEWEST = 8


def _kernels(widths: tuple[int, ...]) -> list[Shape]:
    inputs = (3, *widths)
    return [(width, inputs[i], 3, 3) for i, width in enumerate(widths)]


# Simonyan and Zisserman, arXiv:1409.1556, table 1: A, B, D and E.
_NETWORKS = {
    "VGG-11": _kernels((64, 128, 256, 256, 512, 512, 512, 512)),
    "VGG-13": _kernels((64, 64, 128, 128, 256, 256, 512, 512, 512, 512)),
    "VGG-16": [SHAPES[f"{name}.weight"] for name in CONVOLUTIONS],
    "VGG-19": _kernels((64,) * 2 + (128,) * 2 + (256,) * 4 + (512,) * 8),
}


def relative(tensors: Mapping[str, Tensor], parts: Iterable[Part]) -> str:
    """What a file without a VGG-16 of ours holds instead, as a noun; "" if it cannot be known."""
    for part in parts:
        named = sum(our_name(layer) is not None for layer in part.kernels)
        if named >= _FEWEST and any(map(is_of_vgg19, part.kernels)):
            return "VGG-19" + _with(normalization_in(tensors, part))
        shapes = [shape for shape in part.shapes.values() if shape[2:] == (3, 3)]
        name = _name(shapes)
        normalization = normalization_in(tensors, part) if name else ""
        if name and (name != "VGG-16" or normalization):
            return name + _with(normalization)
        if name:
            return f"VGG-16 with other convolutions among its own ({_strange(part)})"
        if transposed := _name([(shape[1], shape[0], *shape[2:]) for shape in shapes]):
            return f"{transposed} with transposed kernels (in, out, height, width)"
    return ""


def _name(shapes: list[Shape]) -> str:
    """The network with just these convolutions; VGG-19 also if it ends early."""
    for name, kernels in _NETWORKS.items():
        if shapes == kernels:
            return name
    if len(shapes) >= _FEWEST and shapes == _NETWORKS["VGG-19"][: len(shapes)]:
        return "a part of VGG-19"
    return ""


def _with(normalization: str) -> str:
    return f" with {normalization}" if normalization else ""


def _strange(part: Part) -> str:
    return next(
        f"{part.kernels[layer]} is {shape[2]}x{shape[3]}"
        for layer, shape in part.shapes.items()
        if shape[2:] != (3, 3)
    )
