"""VGG-16 as it is trained: batch norm after every convolution, and heads that ask it questions."""

import math
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst_core.gatys.preprocessing import CAFFE
from nst_core.gatys.vgg import LAYERS

# The classic input range, made small: batch norm takes the factor back.
INPUT_SCALE = 1 / 64
# Where averages over the whole picture are asked.
POOLED = ("relu4_3", "relu5_3")
# Where the picture is rebuilt from, and how much smaller than the picture.
REBUILT = {"relu4_2": 1, "relu5_2": 4}


class TrainingVGG(nn.Module):
    """The 13 convolutions of `nst_core.VGG16`, each with batch norm instead of a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleDict()
        self.norms = nn.ModuleDict()
        for layer in LAYERS.values():
            convolution = nn.Conv2d(layer.in_channels, layer.channels, 3, padding=1, bias=False)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            self.convolutions[layer.name] = convolution
            self.norms[layer.name] = nn.BatchNorm2d(layer.channels)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """(B, 3, S, S) RGB in [0, 1] -> {layer: (B, channels, S // stride, S // stride)}."""
        features = (CAFFE(images) * INPUT_SCALE).contiguous(memory_format=torch.channels_last)
        collected = {}
        for layer in LAYERS.values():
            if layer.index == 1 and layer.block > 1:
                features = F.max_pool2d(features, kernel_size=2)
            features = self.norms[layer.name](self.convolutions[layer.name](features))
            features = F.relu(features, inplace=True)
            collected[layer.name] = features
        return collected

    def folded(self) -> dict[str, Tensor]:
        """Weights and biases that do without batch norm: {"conv1_1.weight": ...}, on the CPU."""
        weights = {}
        for layer in LAYERS.values():
            norm = self.norms[layer.name]
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            weight = self.convolutions[layer.name].weight * gain.view(-1, 1, 1, 1)
            if layer.in_channels == 3:
                weight = weight * INPUT_SCALE
            name = layer.name.replace("relu", "conv")
            weights[f"{name}.weight"] = weight.detach().float().cpu().contiguous()
            bias = norm.bias - norm.running_mean * gain
            weights[f"{name}.bias"] = bias.detach().float().cpu()
        return weights


@torch.no_grad()
def taken_up(weights: Mapping[str, Tensor], pictures: Tensor) -> TrainingVGG:
    """A network whose features are those of plain convolutions, times one number for each layer.

    Filters get the length that they have at the start of a training, so that a step of the
    optimizer turns them as far, and batch norm the rest.

    Args:
        weights: {"conv1_1.weight": ...}, as of `VGG16.weights`.
        pictures: (B, 3, S, S) RGB in [0, 1], whose statistics batch norm starts from.
    """
    network, scale = TrainingVGG(), INPUT_SCALE
    features = CAFFE(pictures).contiguous(memory_format=torch.channels_last)
    for layer in LAYERS.values():
        if layer.index == 1 and layer.block > 1:
            features = F.max_pool2d(features, kernel_size=2)
        name = layer.name.replace("relu", "conv")
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        values = F.conv2d(features, weight, padding=1)
        deviation, mean = torch.std_mean(values, dim=(0, 2, 3))
        values += bias.view(-1, 1, 1)
        size = values.std()
        lengths = math.sqrt(2) / weight.flatten(1).norm(dim=1).clamp(min=1e-12)
        network.convolutions[layer.name].weight.copy_(weight * lengths.view(-1, 1, 1, 1))
        norm = network.norms[layer.name]
        norm.running_mean.copy_(mean * lengths * scale)
        norm.running_var.copy_((deviation * lengths * scale).square())
        norm.weight.copy_(deviation / size)
        norm.bias.copy_((mean + bias) / size)
        features, scale = values.relu_(), 1 / float(size)
    return network


class Heads(nn.Module):
    """Linear questions to the features: which texture, and what picture."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = nn.ModuleDict(
            {name: nn.Linear(LAYERS[name].channels, classes) for name in POOLED}
        )
        self.decoders = nn.ModuleDict()
        for name, shrink in REBUILT.items():
            values = 3 * (LAYERS[name].stride // shrink) ** 2
            self.decoders[name] = nn.Conv2d(LAYERS[name].channels, values, 3, padding=1)
        # How sharply Gram distances tell pairs apart, one for each layer and one for all together.
        self.sharpness = nn.Parameter(torch.full((6,), 3.0))

    def rebuilt(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{layer: (B, 3, s, s)} pictures, by one linear map of the layer's neighborhoods."""
        pictures = {}
        for name, shrink in REBUILT.items():
            values = self.decoders[name](features[name])
            pictures[name] = F.pixel_shuffle(values, LAYERS[name].stride // shrink)
        return pictures


def folded(checkpoint: Path) -> dict[str, Tensor]:
    """The plain convolutions of a checkpoint of the training."""
    network = TrainingVGG()
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    network.load_state_dict(state["network"])
    return network.folded()
