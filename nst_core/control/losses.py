"""Losses as values: pictures, layers, weights, masks. Frozen, so safe to cache and reuse.

`targets` computes from them what an evaluation needs, at each scale.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from ..errors import SettingsError
from ..gatys.functions import NORMALIZATIONS
from ..settings import LossSettings
from ..settings.layers import CONTENT_LAYERS, STYLE_LAYERS, LayerNames, check_weight, layer_weights
from .temporal import TemporalLoss

_DEFAULTS = LossSettings()
Change = Callable[[Tensor], Tensor]


def keep(tensor: Tensor) -> Tensor:
    """The tensor itself."""
    return tensor


def _map(change: Change, tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else change(tensor)


@dataclass(frozen=True, eq=False, kw_only=True)
class _LayerLoss:
    weight: float
    layers: LayerNames
    normalization: str = _DEFAULTS.normalization
    mask: Tensor | None = None
    layer_weights: Mapping[str, float] = field(init=False)

    def _resolve(self, named: Mapping[str, Sequence[str]], what: str) -> None:
        check_weight(self.weight, f"{what} weight")
        LossSettings(normalization=self.normalization)  # refuses what is no such
        averaged = NORMALIZATIONS[self.normalization].averaged
        weights = layer_weights(self.layers, named, averaged=averaged)
        object.__setattr__(self, "layer_weights", weights)


class _OfOneImage:
    image: Tensor

    @property
    def pictures(self) -> tuple[Tensor, ...]:
        """All pictures of the loss."""
        return (self.image,)


@dataclass(frozen=True, eq=False, kw_only=True)
class ContentLoss(_LayerLoss, _OfOneImage):
    """The picture shall show what `image` shows.

    Attributes:
        image: (1, 3, H, W) RGB in [0, 1]; resized to the result's size.
        weight: of the whole loss; 0 is the same as leaving it out.
        layers: low, high, all, "relu3_2=0.5,relu4_2", a list, or {layer: weight}.
        normalization: relative, gatys or mean.
        mask: (h, w) in [0, 1], where in the picture this loss counts; None is all of it.
        alpha: (h, w) in [0, 1], how opaque `image` is; None is all of it. Neither this loss nor any
            other counts where the first content is transparent.
    """

    image: Tensor
    weight: float = _DEFAULTS.content_weight
    layers: LayerNames = _DEFAULTS.content_layers
    alpha: Tensor | None = None

    def __post_init__(self) -> None:
        self._resolve(CONTENT_LAYERS, "content")

    def map(self, images: Change = keep, masks: Change = keep) -> "ContentLoss":
        """The same loss with every picture and every mask changed."""
        mask, alpha = _map(masks, self.mask), _map(masks, self.alpha)
        return replace(self, image=images(self.image), mask=mask, alpha=alpha)


@dataclass(frozen=True, eq=False, kw_only=True)
class StyleLoss(_LayerLoss):
    """The picture shall be painted as `images` are: one style, from one or more pictures.

    Attributes:
        images: each (1, 3, h, w) RGB in [0, 1], of any size. The target is the weighted mean of
            what their statistics are.
        shares: of each picture in the target; None is equal shares. Only ratios count: (2, 0) is
            the first picture alone, (0.7, 0.3) lies between two styles.
        statistics: a name in `STATISTICS`: what of the features is compared.
        scale: longer side of the style pictures, in longer sides of the result: 2 paints with
            strokes twice as large.
        image_masks: for each picture, (h, w) in [0, 1]: which part of it counts; None is all.
        weight, layers, normalization, mask: as in ContentLoss.
    """

    images: tuple[Tensor, ...]
    shares: tuple[float, ...] | None = None
    weight: float = _DEFAULTS.style_weight
    layers: LayerNames = _DEFAULTS.style_layers
    statistics: str = _DEFAULTS.statistics
    scale: float = _DEFAULTS.style_scale
    image_masks: tuple[Tensor | None, ...] | None = None

    def __post_init__(self) -> None:
        self._resolve(STYLE_LAYERS, "style")
        LossSettings(statistics=self.statistics, style_scale=self.scale)  # refuses what is no such
        if not self.images:
            raise SettingsError("A style needs at least one picture.")
        self._check_count(self.shares, "shares", "share")
        self._check_count(self.image_masks, "masks", "mask")
        shares = self.normalized_shares
        if not sum(shares):
            raise SettingsError("All shares of the style pictures are 0. Raise one.")

    def _check_count(self, values: Sequence[object] | None, many: str, one: str) -> None:
        if values is not None and len(values) != len(self.images):
            raise SettingsError(
                f"There are {len(self.images)} style pictures but {len(values)} {many}. "
                f"Give one {one} for each."
            )

    @property
    def pictures(self) -> tuple[Tensor, ...]:
        """All pictures of the loss."""
        return self.images

    def map(self, images: Change = keep, masks: Change = keep) -> "StyleLoss":
        """The same loss with every picture and every mask changed."""
        own = self.image_masks
        return replace(
            self,
            images=tuple(map(images, self.images)),
            mask=_map(masks, self.mask),
            image_masks=None if own is None else tuple(_map(masks, one) for one in own),
        )

    @property
    def normalized_shares(self) -> tuple[float, ...]:
        """The shares, adding up to 1."""
        shares = (1.0,) * len(self.images) if self.shares is None else self.shares
        total = sum(check_weight(share, "share of a style") for share in shares)
        return tuple(share / total for share in shares) if total else shares

    @property
    def counting(self) -> list[tuple[Tensor, Tensor | None, float]]:
        """The pictures with a share, each with its mask and share."""
        masks = (None,) * len(self.images) if self.image_masks is None else self.image_masks
        rows = zip(self.images, masks, self.normalized_shares, strict=True)
        return [(image, mask, share) for image, mask, share in rows if share > 0]


@dataclass(frozen=True, kw_only=True)
class TotalVariationLoss:
    """Neighboring pixels shall be alike. `weight` is per mean squared step, in [0, 1] units."""

    weight: float

    def __post_init__(self) -> None:
        check_weight(self.weight, "total variation weight")

    @property
    def pictures(self) -> tuple[Tensor, ...]:
        """None."""
        return ()

    def map(self, images: Change = keep, masks: Change = keep) -> "TotalVariationLoss":
        """Itself."""
        return self


@dataclass(frozen=True, eq=False, kw_only=True)
class LaplacianLoss(_OfOneImage):
    """Edges and details shall stay where `image` has them.

    Attributes:
        image: (1, 3, H, W) RGB in [0, 1]; resized to the result's size.
        weight: per mean squared change of the Laplacian, in [0, 1] units.
    """

    image: Tensor
    weight: float

    def __post_init__(self) -> None:
        check_weight(self.weight, "Laplacian weight")

    def map(self, images: Change = keep, masks: Change = keep) -> "LaplacianLoss":
        """The same loss with its picture changed."""
        return replace(self, image=images(self.image))


@dataclass(frozen=True, eq=False, kw_only=True)
class Keep(_OfOneImage):
    """Pixels that shall stay as they are in `image`: no loss but a bound, held at every step.

    Attributes:
        image: (1, 3, H, W) RGB in [0, 1]; resized to the result's size.
        mask: (h, w) in [0, 1]: 1 keeps a pixel as it is, 0 leaves it free, and in between it may
            go a part of the way to black and white: soft edges.
    """

    image: Tensor
    mask: Tensor

    def map(self, images: Change = keep, masks: Change = keep) -> "Keep":
        """The same with its picture and mask changed."""
        return replace(self, image=images(self.image), mask=masks(self.mask))


Weighed = ContentLoss | StyleLoss | TotalVariationLoss | LaplacianLoss | TemporalLoss
Loss = Weighed | Keep


def styles_in(losses: Sequence[Loss]) -> list[StyleLoss]:
    """The styles that count."""
    return [loss for loss in losses if isinstance(loss, StyleLoss) and loss.weight > 0]
