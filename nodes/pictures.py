"""The host's pictures and masks to the engine's, and which of a batch belong together."""

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
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

    A picture is (1, 3, H, W) RGB in [0, 1], at most float32. It lies where the host has it: a
    video's frames would fill the memory if they were copied, and the engine copies each when its
    turn comes. Only frames with 4 channels, and those with values outside of [0, 1], are new ones:
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
    broken = (
        f"The {what} picture has pixels that are not numbers (NaN or infinite). The node "
        "before made a broken picture: change its settings, or load the picture again."
    )
    frames = image.detach().movedim(-1, 1).split(1)
    return tuple(_with_alpha(_in_range(frame, broken), what) for frame in frames)


def _with_alpha(pixels: Tensor, what: str) -> tuple[Tensor, Tensor | None]:
    """(1, C, H, W) -> (1, 3, H, W) and (H, W)."""
    if pixels.shape[1] != 4:
        return pixels.expand(-1, 3, -1, -1), None
    colors, alpha = kept_apart(pixels[:, :3].float(), pixels[:, 3:].float(), f"The {what} picture")
    return colors.contiguous(), alpha


def _in_range(values: Tensor, broken: str) -> Tensor:
    """The same tensor if all is in [0, 1], else a clamped one; ImageError if `broken`."""
    values = values.float() if values.dtype == torch.float64 else values
    low, high = (float(limit) for limit in values.aminmax())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError(broken)
    return values if low >= 0 and high <= 1 else values.clamp(0, 1)


def masks_of(
    mask: Tensor | None, what: str, *, black: str, feather: float = 0.0, each: bool = False
) -> tuple[Tensor | None, ...]:
    """Each mask of a batch as (h, w) in [0, 1]; None if there is nothing to mask.

    The host gives pictures without transparency a mask that is all black, so a black mask cannot
    mean "nowhere": it counts as no mask, and a note on the node says so. A black one beside others
    that are not is meant, unless each is looked at by itself: something has left the picture for
    some frames of a video.

    Args:
        mask: (B, h, w) or (h, w), and with one channel (B, 1, h, w) or (B, h, w, 1).
        what: names the mask in messages: "content", "style".
        black: says what becomes of a black one, and what to do about it.
        feather: width of its soft edges, in its longer sides; 0 leaves them as they are.
        each: whether a black one is no mask beside others too.
    """
    if mask is None:
        return (None,)
    if mask.ndim == 4 and 1 in (mask.shape[1], mask.shape[3]):
        mask = mask.squeeze(1 if mask.shape[1] == 1 else 3)
    if mask.ndim not in (2, 3) or 0 in mask.shape:
        raise ImageError(
            f"The {what} mask has the shape {tuple(mask.shape)}. Connect a mask: (batch, height, "
            "width)."
        )
    broken = f"The {what} mask has values that are not numbers (NaN or infinite). Draw it again."
    whole = mask.detach().float().reshape(-1, *mask.shape[-2:])
    masks = [_in_range(single, broken) for single in whole]
    empty = [not single.max() > _BLACK for single in masks]
    ignored = empty if each or all(empty) else [False] * len(masks)
    if any(ignored):
        host.show(f"The {what} mask is empty (all black), so {black}")
    return tuple(
        None if no_mask else feathered(single, feather)
        for single, no_mask in zip(masks, ignored, strict=True)
    )


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
