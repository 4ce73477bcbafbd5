"""VGG-16 without its classifier: an image in, the features of the layers you name out, and back.

Simonyan and Zisserman, "Very Deep Convolutional Networks" (arXiv:1409.1556), configuration D.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SettingsError
from ..settings.layers import canonical_layer
from ..settings.network import POOLINGS
from .preprocessing import Preprocessing

# Output channels of every convolution, block by block; a 2x2 pooling stands between blocks.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))

# Columns that are dropped of features on the left and right, rows above and below; by layer.
Crop = tuple[int, int, int, int]
Crops = Mapping[str, Crop]
NO_CROP, NO_CROPS = (0, 0, 0, 0), dict[str, Crop]()
# Name of a layer -> gradient by its features.
GradientOf = Callable[[str], Tensor]
Backward = Callable[[GradientOf], Tensor]
Network = Callable[..., tuple[dict[str, Tensor], Backward]]  # see `autograd_network`


@dataclass(frozen=True)
class Layer:
    """One ReLU output: its name, its place and its channels."""

    name: str
    block: int
    index: int
    in_channels: int
    channels: int

    @property
    def stride(self) -> int:
        """Pixels per feature."""
        return int(2 ** (self.block - 1))


def _layers() -> Iterator[Layer]:
    in_channels = 3
    for block, widths in enumerate(BLOCKS, start=1):
        for index, channels in enumerate(widths, start=1):
            yield Layer(f"relu{block}_{index}", block, index, in_channels, channels)
            in_channels = channels


LAYERS: Mapping[str, Layer] = {layer.name: layer for layer in _layers()}


class Convolution(nn.Conv2d):
    """3x3 over a margin of zeros, and the ReLU; features keep their size."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__(in_channels, channels, kernel_size=3, padding=1)

    def forward(self, features: Tensor, crop: Crop = NO_CROP) -> Tensor:
        """(B, in_channels, h, w) -> (B, channels, h, w), cropped."""
        features = super().forward(features).relu_()
        return features if crop == NO_CROP else F.pad(features, [-dropped for dropped in crop])


class VGG16(nn.Module):
    """The 13 convolutions, the pooling between them, and the input range they were trained on.

    Args:
        preprocessing: what the weights want their input to be.
        pooling: "max", or "average" (smoother gradients; section 2 of the paper prefers it).
        source: one line that says which weights these are, for reports and messages.
        convolution: makes them, of channels in and out.
    """

    def __init__(
        self,
        preprocessing: Preprocessing,
        pooling: str = "max",
        source: str = "",
        convolution: Callable[[int, int], Convolution] = Convolution,
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise SettingsError(
                f"Pooling '{pooling}' is unknown. Use one of: {', '.join(POOLINGS)}."
            )
        self.preprocessing = preprocessing
        self.pooling = pooling
        self.source = source
        self.convolutions = nn.ModuleDict(
            {
                f"conv{layer.block}_{layer.index}": convolution(layer.in_channels, layer.channels)
                for layer in LAYERS.values()
            }
        )
        self.requires_grad_(False)  # the picture is optimized, never the network

    def weights(self) -> dict[str, Tensor]:
        """`conv1_1.weight` and so on, as they lie in memory; `state_dict` is for keeping them."""
        return {name: weight.detach() for name, weight in self.convolutions.named_parameters()}

    def forward(
        self, image: Tensor, layers: Iterable[str], crops: Crops = NO_CROPS
    ) -> dict[str, Tensor]:
        """Features of the named layers, and nothing computed beyond the deepest of them.

        (B, 3, H, W) RGB in [0, 1], and names in any dialect, to {canonical name: (B, channels,
        H // stride, W // stride)} in the weights' dtype. Each layer sees the one before it cropped.
        """
        wanted = {canonical_layer(name) for name in layers}
        each = self.each_layer(image, wanted, crops)
        return {layer.name: features for layer, features in each if layer.name in wanted}

    def each_layer(
        self,
        image: Tensor,
        layers: Collection[str],
        crops: Crops = NO_CROPS,
        pool: Callable[[Tensor], Tensor] | None = None,
    ) -> Iterator[tuple[Layer, Tensor]]:
        """Every layer with its features, down to the deepest of the named ones.

        `pool` stands in for the method of that name.
        """
        features = self.preprocessing(image).to(next(self.parameters()).dtype)
        # Channels-last is what CPU and tensor-core convolutions are fastest in.
        features = features.contiguous(memory_format=torch.channels_last)
        depth = max((list(LAYERS).index(name) + 1 for name in layers), default=0)
        each = zip(LAYERS.values(), self.convolutions.values(), strict=True)
        for layer, convolution in list(each)[:depth]:
            if layer.index == 1 and layer.block > 1:
                features = (pool or self.pool)(features)
            features = convolution(features, crops.get(layer.name, NO_CROP))
            yield layer, features

    def pool(self, features: Tensor) -> Tensor:
        """(B, N, h, w) -> (B, N, h // 2, w // 2)."""
        if self.pooling == "average":
            return F.avg_pool2d(features, kernel_size=2)
        return F.max_pool2d(features, kernel_size=2)


def autograd_network(vgg: VGG16) -> Network:
    """`network(image, layers, crops) -> features, backward`: what the method needs of a VGG-16.

    `features` is {layer: (1, channels, h, w)} without a graph. `backward(gradient_of)` takes the
    gradient by each layer's features to the gradient by the image, (1, 3, H, W); call it once.
    `kernels.network` has the same with less memory and work, and is held to this.
    """

    def network(
        image: Tensor, layers: Collection[str], crops: Crops = NO_CROPS
    ) -> tuple[dict[str, Tensor], Backward]:
        leaf = image.detach().requires_grad_()
        with torch.enable_grad():
            features = vgg(leaf, layers, crops)

        def backward(gradient_of: GradientOf) -> Tensor:
            gradients = [gradient_of(layer) for layer in features]
            return torch.autograd.grad(list(features.values()), leaf, gradients)[0]

        return {layer: values.detach() for layer, values in features.items()}, backward

    return network


def size_of(image: Tensor) -> tuple[int, int]:
    """(height, width) of a (..., H, W) image, in pixels."""
    return image.shape[-2], image.shape[-1]
