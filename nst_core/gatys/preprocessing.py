"""RGB in [0, 1] to the range a VGG-16 checkpoint was trained on."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import SettingsError


@dataclass(frozen=True)
class Preprocessing:
    """`(image[order] - mean) * scale`, with mean in [0, 1] units and in the image's RGB order."""

    name: str
    order: tuple[int, int, int]
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]

    def __call__(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) RGB in [0, 1] -> (B, 3, H, W) as the checkpoint expects it."""
        # Channel by channel with plain numbers: small tensors would have to be brought to the
        # device each time, and it waited for.
        colors = [(image[:, c] - self.mean[c]) * self.scale[c] for c in self.order]
        return torch.stack(colors, dim=1)

    def backward(self, gradient: Tensor) -> Tensor:
        """A gradient by the prepared picture, (B, 3, H, W) -> the gradient by the image."""
        colors = [gradient[:, self.order.index(c)] * self.scale[c] for c in range(3)]
        return torch.stack(colors, dim=1)


# Caffe's VGG, and Keras's `vgg16.preprocess_input`: BGR, 0..255, minus the ImageNet mean.
CAFFE = Preprocessing(
    "caffe", (2, 1, 0), (123.68 / 255, 116.779 / 255, 103.939 / 255), (255.0, 255.0, 255.0)
)
# torchvision VGG16_Weights.IMAGENET1K_V1: RGB, ImageNet mean and standard deviation.
TORCHVISION = Preprocessing(
    "torchvision", (0, 1, 2), (0.485, 0.456, 0.406), (1 / 0.229, 1 / 0.224, 1 / 0.225)
)
# torchvision VGG16_Weights.IMAGENET1K_FEATURES: Caffe's filters in RGB order, mean (123, 117, 104).
CAFFE_RGB = Preprocessing(
    "caffe-rgb", (0, 1, 2), (0.48235, 0.45882, 0.40784), (255.0, 255.0, 255.0)
)

PREPROCESSINGS = {p.name: p for p in (CAFFE, TORCHVISION, CAFFE_RGB)}


def preprocessing_named(name: str) -> Preprocessing:
    """The preprocessing called `name`; SettingsError names the known ones otherwise."""
    if name not in PREPROCESSINGS:
        known = ", ".join(PREPROCESSINGS)
        raise SettingsError(f"Preprocessing '{name}' is unknown. Use one of: {known}.")
    return PREPROCESSINGS[name]
