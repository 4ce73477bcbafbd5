"""The loss of a finished 8-bit picture, in plain float32, that no contender uses.

neural-style's objective (jcjohnson, 2015): mean squared errors of G / (N M) at five layers and of
F at relu4_2, with max pooling.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
CONTENT_LAYER = "conv4_2"
CONTENT_WEIGHT, STYLE_WEIGHT = 5.0, 100.0


class Evaluator:
    """Losses against one content and one style.

    Args:
        weights: `conv1_1.weight` and so on, as a VGG-16 of the engine has them.
        preprocessing: (1, 3, H, W) RGB in [0, 1] -> what the weights were trained on.
        content, style: (H, W, 3) uint8 pictures.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        preprocessing: "torch.nn.Module",
        content: np.ndarray,
        style: np.ndarray,
    ) -> None:
        self._weights, self._preprocessing = weights, preprocessing
        with torch.inference_mode():
            self._content = dict(self._features(content))[CONTENT_LAYER]
            self._grams = {
                name: _gram(features)
                for name, features in self._features(style)
                if name in STYLE_LAYERS
            }

    def score(self, picture: np.ndarray) -> float:
        """The loss of an (H, W, 3) uint8 picture of the content's size."""
        loss = 0.0
        with torch.inference_mode():
            for name, features in self._features(picture):
                if name == CONTENT_LAYER:
                    loss += CONTENT_WEIGHT * float(F.mse_loss(features, self._content))
                if name in STYLE_LAYERS:
                    loss += STYLE_WEIGHT * float(F.mse_loss(_gram(features), self._grams[name]))
        return loss

    def _features(self, picture: np.ndarray) -> Iterator[tuple[str, Tensor]]:
        image = torch.from_numpy(picture).permute(2, 0, 1).unsqueeze(0).float() / 255
        features, block = self._preprocessing(image), "1"
        for key in [key for key in self._weights if key.endswith(".weight")]:
            name = key.removesuffix(".weight")
            if name[4] != block:
                features, block = F.max_pool2d(features, 2), name[4]
            weight, bias = self._weights[key], self._weights[f"{name}.bias"]
            features = F.conv2d(features, weight, bias, padding=1).relu()
            yield name, features
            if name == STYLE_LAYERS[-1]:
                return


def _gram(features: Tensor) -> Tensor:
    rows = features.flatten(2)[0]  # (N, M)
    return rows @ rows.T / rows.numel()
