"""What the network is asked while it learns. Each objective keeps something that painting needs.

classes: which texture is the ground; labels come free with drawn pictures (the FractalDB line:
Kataoka et al., ACCV 2020).

pairs: two pictures of one style have like Gram matrices, others have not; instance discrimination
(van den Oord et al., arXiv:1807.03748) on just what a style loss sees.

rebuild: color, brightness and place survive; a linear map gives back the picture.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core.settings.layers import STYLE_LAYERS

from .network import POOLED, REBUILT, Heads
from .scenes import Batch

_SMOOTHING = 0.1
_GRAM_LAYERS = STYLE_LAYERS["all"]


def losses_of(features: Mapping[str, Tensor], heads: Heads, batch: Batch) -> dict[str, Tensor]:
    """{objective: loss} of a batch.

    Args:
        features: of the batch's pictures, by layer.
        heads: what asks.
        batch: pictures in pairs, with the textures on them.
    """
    return {
        "classes": _classes(features, heads, batch),
        "pairs": _pairs(features, heads.sharpness),
        "rebuild": _rebuild(features, heads, batch.images),
    }


def _pooled(features: Mapping[str, Tensor], name: str) -> Tensor:
    return features[name].mean(dim=(2, 3), dtype=torch.float32)


def _classes(features: Mapping[str, Tensor], heads: Heads, batch: Batch) -> Tensor:
    """Each picture counts by how much of its ground is to be seen."""
    losses = []
    for name in POOLED:
        logits = heads.classes[name](_pooled(features, name)).float()
        each = F.cross_entropy(logits, batch.ground, label_smoothing=_SMOOTHING, reduction="none")
        losses.append((each * batch.ground_share).sum() / batch.ground_share.sum())
    return torch.stack(losses).mean()


def gram_products(features: Tensor) -> Tensor:
    """(B, C, h, w) -> (B, B) float32 inner products of all Gram matrices.

    <F Fᵀ, E Eᵀ> is also the sum of (Fᵀ E)²: with few positions, that is less than all the Grams.
    """
    count, channels, height, width = features.shape
    rows = features.movedim(1, -1).reshape(count, height * width, channels)
    if count * (height * width) ** 2 < channels**2:
        flat = rows.flatten(0, 1)  # (B·M, C)
        squares = (flat @ flat.mT).float().square()  # (B·M, B·M)
        return squares.view(count, height * width, count, height * width).sum(dim=(1, 3))
    grams = torch.bmm(rows.mT, rows).float().flatten(1)
    with torch.autocast(features.device.type, enabled=False):
        return grams @ grams.mT


def _pairs(features: Mapping[str, Tensor], sharpness: Tensor) -> Tensor:
    """Cross entropy of finding each picture's partner by its Gram matrices."""
    distances = []
    for name in _GRAM_LAYERS:
        products = gram_products(features[name])
        lengths = products.diagonal().sqrt().clamp(min=1e-6)
        distances.append(2 - 2 * products / (lengths[:, None] * lengths))  # squared, (B, B)
    distances.append(torch.stack(distances).mean(dim=0))
    count = distances[0].shape[0]
    partner = torch.arange(count, device=distances[0].device) ^ 1
    oneself = torch.eye(count, dtype=torch.bool, device=distances[0].device)
    losses = [
        F.cross_entropy((-scale.exp() * distance).masked_fill(oneself, -1e9), partner)
        for scale, distance in zip(sharpness, distances, strict=True)
    ]
    return torch.stack(losses).mean()


def _rebuild(features: Mapping[str, Tensor], heads: Heads, images: Tensor) -> Tensor:
    """Squared error in shares of what a gray picture would have, about."""
    losses = []
    for name, picture in heads.rebuilt(features).items():
        shrink = REBUILT[name]
        wanted = F.avg_pool2d(images, shrink) if shrink > 1 else images
        wanted = wanted[..., : picture.shape[2], : picture.shape[3]]
        losses.append(F.mse_loss(picture.float() + 0.5, wanted) / 0.08)
    return torch.stack(losses).mean()
