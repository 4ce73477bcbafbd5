"""A map with one color per region, painted in any program, to masks; and soft edges."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from PIL import ImageColor
from torch import Tensor

from ..errors import SettingsError
from .color_names import is_color

# Two colors this near are one: what JPEG and a screen's color management do to flat areas.
_SAME = 0.25
# A color of the map that nobody named is a region of its own if it covers this share of it; less
# is the mixture along an edge.
_A_REGION = 0.01
# Levels of each channel among which such colors are looked for.
_LEVELS = 8


def colors_in(map_: Tensor, colors: Sequence[str]) -> list[str]:
    """Those of the colors that a (1, 3, H, W) map has."""
    apart = torch.cdist(map_[0].flatten(1).T, _named(colors).to(map_))  # (H·W, K)
    there = (apart < _SAME).any(0).tolist()
    return [color for color, is_there in zip(colors, there, strict=True) if is_there]


def masks_of_map(map_: Tensor, colors: Sequence[str]) -> list[Tensor]:
    """Where in a map each color is.

    Colors of the map that nobody names are regions too, but nobody's. Mixtures, as editors make
    along edges, go to the region beside them.

    Args:
        map_: (1, 3, H, W) RGB in [0, 1].
        colors: by name or #rrggbb.

    Returns:
        For each color, (H, W) of 0 and 1.

    Raises:
        SettingsError: an unknown color, the same color twice, or one that the map does not have.
    """
    named = _named(colors).to(map_)  # (K, 3)
    pixels = map_[0].flatten(1).T  # (H·W, 3)
    palette = torch.cat([named, _others(pixels, named)])
    apart = torch.cdist(pixels, palette)  # (H·W, K)
    near = apart < _SAME
    for index, color in enumerate(colors):
        if not bool(near[:, index].any()):
            raise SettingsError(
                f"The map has no {color}. Its colors are {_words(pixels)}. Name one of these."
            )
    sure = near & (apart == apart.amin(1, keepdim=True))
    masks = _spread(sure.T.view(-1, *map_.shape[-2:]).to(map_))
    return list(masks[: len(colors)])


def _spread(masks: Tensor) -> Tensor:
    """(K, H, W) of 0 and 1, grown until every pixel belongs to one of them."""
    while bool((free := masks.sum(0) == 0).any()):
        beside = F.avg_pool2d(masks[None], 3, stride=1, padding=1)[0]
        chosen = F.one_hot(beside.argmax(0), len(masks)).movedim(-1, 0).to(masks)  # (K, H, W)
        masks = masks + chosen * (free & (beside.amax(0) > 0))
    return masks


def feathered(mask: Tensor, width: float) -> Tensor:
    """A (h, w) mask whose edges rise over `width` longer sides.

    Masks that add up to 1 still do. The mean over a square, taken twice.
    """
    reach = round(width * max(mask.shape) / 4)
    if reach < 1:
        return mask
    soft = mask[None, None]
    for _ in range(2):
        around = F.pad(soft, (reach, reach, reach, reach), mode="replicate")
        soft = F.avg_pool2d(around, 2 * reach + 1, stride=1)
    return soft[0, 0].clamp(0, 1)


def _named(colors: Sequence[str]) -> Tensor:
    values: list[tuple[int, ...]] = []
    for color in colors:
        if not is_color(color):
            raise SettingsError(f"'{color}' is no color. Use a name such as red, or #ff0000.")
        values.append(ImageColor.getrgb(color)[:3])
        if values.count(values[-1]) > 1:
            raise SettingsError(f"The color {color} is named twice. Give each region one color.")
    return torch.tensor(values).float() / 255


def _others(pixels: Tensor, named: Tensor) -> Tensor:
    """(K, 3) colors of the map that cover a good part of it and are none of the named."""
    means, shares = _bins(pixels)
    far = (torch.cdist(means, named) >= _SAME).all(1) if len(named) else torch.ones_like(shares) > 0
    return means[far & (shares >= _A_REGION)]


def _bins(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean color and share of each group of like pixels, the largest first."""
    levels = (pixels * (_LEVELS - 1)).round().long()
    key = (levels * torch.tensor([_LEVELS**2, _LEVELS, 1], device=pixels.device)).sum(1)
    _, where, counts = torch.unique(key, return_inverse=True, return_counts=True)
    sums = pixels.new_zeros(len(counts), 3).index_add_(0, where, pixels)
    order = counts.argsort(descending=True)
    return (sums / counts[:, None])[order], (counts / len(pixels))[order]


def _words(pixels: Tensor) -> str:
    """The colors of a map for people: "#ff0000 (52 %), #0000ff (48 %)"."""
    means, shares = _bins(pixels)
    shown = [
        "#" + "".join(f"{round(float(value) * 255):02x}" for value in mean) + f" ({share:.0%})"
        for mean, share in zip(means[:6], shares[:6].tolist(), strict=True)
        if share >= _A_REGION
    ]
    return ", ".join(shown)
