"""The temporal loss: the picture stays as the frame before was, carried along by the flow."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor

from ..gatys.vgg import size_of
from ..settings.layers import check_weight


@dataclass(frozen=True, eq=False, kw_only=True)
class TemporalLoss:
    """Where the mask counts, the picture stays what `image` is.

    Section 4.2 of Ruder et al. (arXiv:1604.08610).

    Attributes:
        image: (1, 3, H, W) RGB in [0, 1], an earlier result warped; resized to the result's size.
        mask: (h, w) in [0, 1], where the flow can be trusted.
        weight: per mean squared change, in [0, 1] units; the mean is over all pixels.
    """

    image: Tensor
    mask: Tensor
    weight: float

    def __post_init__(self) -> None:
        check_weight(self.weight, "temporal weight")

    @property
    def pictures(self) -> tuple[Tensor, ...]:
        """All pictures of the loss."""
        return (self.image,)

    def map(
        self,
        images: Callable[[Tensor], Tensor] = lambda image: image,
        masks: Callable[[Tensor], Tensor] = lambda mask: mask,
    ) -> "TemporalLoss":
        """The same loss with its picture and mask changed."""
        return replace(self, image=images(self.image), mask=masks(self.mask))


def temporal_mask(loss: TemporalLoss) -> Tensor:
    """Its mask over the picture, (H, W) on its device."""
    size = size_of(loss.image)
    mask = loss.mask[None, None].to(loss.image)
    return F.interpolate(mask, size, mode="area")[0, 0]


def changed(image: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean over all values of the squared change of a (1, 3, H, W) image, where the mask counts."""
    return (mask * (image - target).square()).mean()
