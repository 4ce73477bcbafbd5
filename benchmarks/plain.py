"""The usual PyTorch program for the usual objective: what people write, no worse and no better."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst_core.gatys.preprocessing import Preprocessing


class GramLoss(nn.Module):
    """Mean squared error of G / (N M), kept aside while the features pass through."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight, self.target, self.loss = weight, None, torch.zeros(())

    def forward(self, features: Tensor) -> Tensor:
        """(1, N, h, w) -> the same."""
        rows = features.flatten(2)[0]
        gram = rows @ rows.T / rows.numel()
        if self.target is None:
            self.target = gram.detach()
        self.loss = self.weight * F.mse_loss(gram, self.target)
        return features


class FeatureLoss(nn.Module):
    """Mean squared error of the features, kept aside likewise."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight, self.target, self.loss = weight, None, torch.zeros(())

    def forward(self, features: Tensor) -> Tensor:
        """(1, N, h, w) -> the same."""
        if self.target is None:
            self.target = features.detach().clone()
        self.loss = self.weight * F.mse_loss(features, self.target)
        return features


class PlainObjective:
    """Content 5 at relu4_2, style 100 at relu1_1 … relu5_1, in float32, NCHW, max pooling.

    Args:
        weights: `conv1_1.weight` and so on.
        content, style: (1, 3, H, W) as the network was trained on them.
    """

    def __init__(self, weights: Mapping[str, Tensor], content: Tensor, style: Tensor) -> None:
        styles, contents = [], []
        network = nn.Sequential()
        block = "1"
        for key in [key for key in weights if key.endswith(".weight")]:
            name = key.removesuffix(".weight")
            if name[4] != block:
                network.append(nn.MaxPool2d(2))
                block = name[4]
            convolution = nn.Conv2d(weights[key].shape[1], weights[key].shape[0], 3, padding=1)
            with torch.no_grad():
                convolution.weight.copy_(weights[key])
                convolution.bias.copy_(weights[f"{name}.bias"])
            network.append(convolution).append(nn.ReLU(inplace=True))
            if name == "conv4_2":
                contents.append(FeatureLoss(5.0))
                network.append(contents[-1])
            if name.endswith("_1"):
                styles.append(GramLoss(100.0))
                network.append(styles[-1])
            if name == "conv5_1":
                break
        self._network = network.requires_grad_(False).to(content.device)
        self._losses = [*styles, *contents]
        with torch.no_grad():
            network(style)  # every loss takes the first features it sees for its target …
            contents[0].target = None
            network(content)  # … and the content's takes its own here

    def __call__(self, image: Tensor) -> Tensor:
        """The loss of a (1, 3, H, W) picture in the network's own range."""
        self._network(image)
        total: Tensor = sum(loss.loss for loss in self._losses)  # type: ignore[assignment]
        return total


def unprepared(image: Tensor, preprocessing: Preprocessing) -> Tensor:
    """The network's own range -> (1, 3, H, W) RGB in [0, 1], clipped: what a user is given."""
    order = [preprocessing.order.index(channel) for channel in range(3)]
    shape, device = (1, 3, 1, 1), image.device
    scale = torch.tensor(preprocessing.scale, device=device).view(shape)
    mean = torch.tensor(preprocessing.mean, device=device).view(shape)
    return (image[:, order] / scale + mean).clamp(0, 1)  # the order was changed last
