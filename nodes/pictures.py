"""The host's pictures and masks to the engine's, and which of a batch belong together."""

from collections.abc import Sequence
from typing import TypeVar

from torch import Tensor

from ..nst_core.control.regions import feathered
from ..nst_core.errors import ImageError, SettingsError
from ..nst_core.files.alpha import kept_apart
from . import _host as host

# Images without transparency have a mask that is black, or 1/255 where an encoder rounded.
_BLACK = 1.5 / 255

_T = TypeVar("_T")


def pictures_of(image: Tensor, what: str) -> tuple[Tensor, ...]:
    """Each picture of an IMAGE batch as (1, 3, H, W), as `with_alpha_of` describes."""
    return tuple(picture for picture, _ in with_alpha_of(image, what))


def with_alpha_of(image: Tensor, what: str) -> tuple[tuple[Tensor, Tensor | None], ...]:
    """Each picture of an IMAGE batch, and its alpha as (H, W); None is opaque.

    A picture is (1, 3, H, W) float32 RGB in [0, 1], on its device. Of a batch with 4 channels, the
    opaque colors are carried on beneath what is transparent, as the engine does with files.

    Args:
        image: (B, H, W, C) of any floating type, with 1, 3 or 4 channels.
        what: names the picture in error messages: "content", "style".
    """
    if image.ndim != 4 or image.shape[-1] not in (1, 3, 4) or 0 in image.shape:
        raise ImageError(
            f"The {what} picture has the shape {tuple(image.shape)}. Connect an image with 1, 3 or "
            "4 channels: (batch, height, width, channels)."
        )
    pixels = image.detach().movedim(-1, 1).float()  # (B, C, H, W)
    if not pixels.isfinite().all():
        raise ImageError(
            f"The {what} picture has pixels that are not numbers (NaN or infinite). The node "
            "before made a broken picture: change its settings, or load the picture again."
        )
    pixels = pixels.clamp(0, 1)
    if pixels.shape[1] != 4:
        return tuple((one, None) for one in pixels.expand(-1, 3, -1, -1).contiguous().split(1))
    apart = (kept_apart(one[:, :3], one[:, 3:], f"The {what} picture") for one in pixels.split(1))
    return tuple((colors.contiguous(), alpha) for colors, alpha in apart)


def masks_of(
    mask: Tensor | None, what: str, *, black: str, feather: float = 0.0
) -> tuple[Tensor | None, ...]:
    """Each mask of a batch as (h, w) in [0, 1]; a single None if there is nothing to mask.

    The host gives pictures without transparency a mask that is all black, so a black mask cannot
    mean "nowhere": it counts as no mask, and a note on the node says so.

    Args:
        mask: (B, h, w) or (h, w).
        what: names the mask in messages: "content", "style".
        black: says what becomes of a black one, and what to do about it.
        feather: width of its soft edges, in its longer sides; 0 leaves them as they are.
    """
    if mask is None:
        return (None,)
    if mask.ndim not in (2, 3) or 0 in mask.shape:
        raise ImageError(
            f"The {what} mask has the shape {tuple(mask.shape)}. Connect a mask: (batch, height, "
            "width)."
        )
    masks = mask.detach().float().reshape(-1, *mask.shape[-2:])
    if not masks.isfinite().all():
        raise ImageError(
            f"The {what} mask has values that are not numbers (NaN or infinite). Draw it again."
        )
    masks = masks.clamp(0, 1)
    kept = [feathered(single, feather) if single.max() > _BLACK else None for single in masks]
    if any(single is None for single in kept):
        host.show(f"The {what} mask is empty (all black), so {black}")
    return tuple(kept)


def together(what: str, *batches: Sequence[_T]) -> list[tuple[_T, ...]]:
    """Items of several batches that belong together; a batch of one is shared by all."""
    size = max((len(batch) for batch in batches), default=0)
    for batch in batches:
        if len(batch) not in (1, size):
            raise SettingsError(
                f"{what} come in batches of {len(batch)} and {size}. Use batches of the same size, "
                "or a single one that is shared by all."
            )
    full = [batch if len(batch) == size else [batch[0]] * size for batch in batches]
    return list(zip(*full, strict=True))
