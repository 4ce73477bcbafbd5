"""RGB in [0, 1] to the range that a VGG-16 was trained on."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Preprocessing:
    """`(image[order] - mean) * scale`, with mean in [0, 1] units and in the image's RGB order."""

    name: str
    order: tuple[int, int, int]
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]

    def __call__(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) RGB in [0, 1] -> (B, 3, H, W) as the network expects it."""
        # Channel by channel with plain numbers: small tensors would have to be brought to the
        # device each time, and it waited for.
        colors = [(image[:, c] - self.mean[c]) * self.scale[c] for c in self.order]
        return torch.stack(colors, dim=1)


# Caffe's VGG, and Keras's `vgg16.preprocess_input`: BGR, 0..255, minus the ImageNet mean.
CAFFE = Preprocessing(
    "caffe", (2, 1, 0), (123.68 / 255, 116.779 / 255, 103.939 / 255), (255.0, 255.0, 255.0)
)
