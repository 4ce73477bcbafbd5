"""Colors and kept pixels around the search: pictures before it, and the result after it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..control.alpha import alpha_of
from ..control.color import grayed, match_colors
from ..control.losses import ContentLoss, Keep, Loss, StyleLoss
from ..control.pyramid import Scale, resize
from ..errors import SettingsError
from ..gatys.vgg import size_of
from ..settings import ColorSettings
from .staging import bounds_of

# Of a picture that are recolored at once, where pixels do not depend on each other.
_ROWS = 256


def recolored(losses: Sequence[Loss], settings: ColorSettings) -> list[Loss]:
    """The losses with pictures that already have the colors they shall have.

    Only if `settings` say "before": style pictures get the content's colors, or the content gets
    the style's. For "luminance", style pictures become gray.
    """
    whole, kind = _source(losses, settings), recolored_kind(settings)
    if whole is None or not kind:
        return list(losses)
    source = whole if _takes_the_styles(settings) else _shown(whole, alpha_of(losses))

    def of(image: Tensor) -> Tensor:
        if settings.colors == "luminance":
            return torch.lerp(image, grayed(image, source), settings.color_strength)
        return match_colors(image, source, settings.colors, settings.color_strength)

    return [loss.map(of) if isinstance(loss, kind) else loss for loss in losses]


@dataclass(frozen=True, eq=False)
class Finish:
    """From what the optimizer has found to the picture that is shown.

    Attributes:
        keeps: pixels that stay.
        source: whose colors the picture gets; None leaves them as they are.
        alpha: (h, w), how opaque the picture is; only what shows of it is matched. None is all.
        settings: how.
    """

    keeps: Sequence[Keep]
    source: Tensor | None
    alpha: Tensor | None
    settings: ColorSettings

    @classmethod
    def of(cls, losses: Sequence[Loss], settings: ColorSettings) -> "Finish":
        """As the settings say. Luminance is kept at the end even if it was matched before."""
        source = _source(losses, settings)
        if settings.color_when == "before" and settings.colors != "luminance":
            source = None
        keeps = [loss for loss in losses if isinstance(loss, Keep)]
        return cls(keeps, source, alpha_of(losses), settings)

    def __call__(self, image: Tensor) -> Tensor:
        """(1, 3, H, W) at any scale -> clipped, float32, on the CPU."""
        if self.source is None and not self.keeps:
            return image.to("cpu", torch.float32, copy=True).clamp_(0, 1)
        image = image.clamp(0, 1)
        if self.source is not None:
            image = self._recolored(image, self.source)
        if self.keeps:
            bounds = bounds_of(self.keeps, Scale(*size_of(image), 0), bounded=True)
            image = image.clamp(*bounds) if bounds else image
        return image.to("cpu", torch.float32)

    def _recolored(self, image: Tensor, source: Tensor) -> Tensor:
        colors, strength = self.settings.colors, self.settings.color_strength
        if colors == "luminance":  # of each pixel alone: row by row, for little memory
            resized = resize(source, *size_of(image))
            for top in range(0, image.shape[2], _ROWS):
                rows = ..., slice(top, top + _ROWS), slice(None)
                image[rows] = match_colors(image[rows], resized[rows], colors, strength)
            return image
        if self.alpha is None:
            return match_colors(image, source, colors, strength)
        if self.settings.color_source == "content":
            source = _shown(source, self.alpha)
        matched = match_colors(_shown(image, self.alpha), source, colors, strength)
        image = image.clone()
        image[..., _where(self.alpha, *size_of(image))] = matched[:, :, 0]
        return image


def _shown(image: Tensor, alpha: Tensor | None) -> Tensor:
    """The pixels that are not transparent, as a picture of one row: (1, 3, 1, N)."""
    return image if alpha is None else image[..., _where(alpha, *size_of(image))][:, :, None]


def _where(alpha: Tensor, height: int, width: int) -> Tensor:
    return resize(alpha[None, None], height, width)[0, 0] > 0


def recolored_kind(settings: ColorSettings) -> tuple[type[Loss], ...]:
    """Of which losses the pictures are recolored before the search; empty is of none."""
    if settings.color_when != "before" or settings.colors == "style" or not settings.color_strength:
        return ()
    return (ContentLoss,) if _takes_the_styles(settings) else (StyleLoss,)


def _takes_the_styles(settings: ColorSettings) -> bool:
    """Whether it is the style's colors that are kept; luminance keeps the content's in any case."""
    return settings.color_source == "style" and settings.colors != "luminance"


def _source(losses: Sequence[Loss], settings: ColorSettings) -> Tensor | None:
    """The picture whose colors are kept; None if none are."""
    if settings.colors == "style" or settings.color_strength == 0:
        return None
    if _takes_the_styles(settings):
        pictures = [loss.images[0] for loss in losses if isinstance(loss, StyleLoss)]
    else:
        pictures = [loss.image for loss in losses if isinstance(loss, ContentLoss)]
    if not pictures:
        raise SettingsError(
            f"There is no {settings.color_source} picture whose colors could be kept. "
            "Set colors to style."
        )
    return pictures[0]
