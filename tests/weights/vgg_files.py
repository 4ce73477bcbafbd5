"""VGG-16 files in every layout that exists, with the names the real ones have."""

from pathlib import Path

import h5py
import torch
from torch import Tensor

from nst_core.gatys.vgg import BLOCKS

Weights = dict[str, Tensor]
CONVOLUTIONS = [
    (block, index)
    for block, widths in enumerate(BLOCKS, start=1)
    for index in range(1, len(widths) + 1)
]
# As printed by torchvision.models.vgg16().features; written out so that a slip in the package's
# own arithmetic shows.
TORCHVISION_INDICES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


def torchvision_dict(weights: Weights) -> Weights:
    """A state dict as torchvision's, with a (tiny) classifier whose values are missing."""
    named = {}
    for (block, index), number in zip(CONVOLUTIONS, TORCHVISION_INDICES, strict=True):
        for kind in ("weight", "bias"):
            named[f"features.{number}.{kind}"] = weights[f"conv{block}_{index}.{kind}"]
    return {**named, "classifier.0.weight": torch.full((4, 4), torch.nan)}


def save_legacy(path: Path, content: object) -> None:
    """As PyTorch did before 1.6, and as torchvision's published files are."""
    torch.save(content, path, _use_new_zipfile_serialization=False)


def _kernel(weights: Weights, block: int, index: int):
    return weights[f"conv{block}_{index}.weight"].permute(2, 3, 1, 0).numpy()  # H, W, in, out


def _bias(weights: Weights, block: int, index: int):
    return weights[f"conv{block}_{index}.bias"].numpy()


def write_keras_notop(path: Path, weights: Weights) -> None:
    """Keras 1's layout, still that of the published `notop` file."""
    names = [f"block{block}_conv{index}" for block, index in CONVOLUTIONS]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in ["input_1", *names, "block5_pool"]]
        file.create_group("block5_pool").attrs["weight_names"] = []
        for name, place in zip(names, CONVOLUTIONS, strict=True):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_W_1:0".encode(), f"{name}_b_1:0".encode()]
            group[f"{name}_W_1:0"] = _kernel(weights, *place)
            group[f"{name}_b_1:0"] = _bias(weights, *place)


def write_keras_2(path: Path, weights: Weights) -> None:
    """tf.keras's `model.save("x.h5")`: the weights under a group, an optimizer, a classifier."""
    with h5py.File(path, "w") as file:
        for block, index in CONVOLUTIONS:
            name = f"block{block}_conv{index}"
            file[f"model_weights/{name}/{name}/kernel:0"] = _kernel(weights, block, index)
            file[f"model_weights/{name}/{name}/bias:0"] = _bias(weights, block, index)
        file["model_weights/fc1/fc1/kernel:0"] = torch.zeros(4, 4).numpy()
        file["optimizer_weights/Adam/m/block1_conv1/kernel:0"] = torch.zeros(3, 3, 3, 64).numpy()


def write_keras_3(path: Path, weights: Weights) -> None:
    """`model.save_weights("x.weights.h5")` of Keras 3.15: layers by class, names as attributes."""
    with h5py.File(path, "w") as file:
        file.create_group("vars").attrs["name"] = "vgg16"
        for number, (block, index) in enumerate(CONVOLUTIONS):
            layer = "conv2d" if number == 0 else f"conv2d_{number}"
            variables = file.create_group(f"layers/{layer}/vars")
            variables.attrs["name"] = f"block{block}_conv{index}"
            variables["0"] = _kernel(weights, block, index)
            variables["1"] = _bias(weights, block, index)


def filled(shapes: dict[str, tuple[int, ...]]) -> Weights:
    """Tensors of full shape that take no room in a file of torch.save: tensor n is all n."""
    return {
        name: torch.tensor(float(number)).expand(shape)
        for number, (name, shape) in enumerate(shapes.items(), start=1)
    }


def layers(stems: list[str], widths: tuple[int, ...]) -> Weights:
    """A plain chain of 3x3 convolutions with biases, by the names of its layers."""
    shapes: dict[str, tuple[int, ...]] = {}
    for stem, channels, width in zip(stems, (3, *widths), widths, strict=False):
        shapes[f"{stem}.weight"] = (width, channels, 3, 3)
        shapes[f"{stem}.bias"] = (width,)
    return filled(shapes)


VGG16_WIDTHS = tuple(width for widths in BLOCKS for width in widths)


def vgg16_layers(stems: list[str]) -> Weights:
    """`layers` of VGG-16: whatever the 13 names, tensor n is all n."""
    return layers(stems, VGG16_WIDTHS)
