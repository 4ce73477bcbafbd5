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
# In a map, most pixels have the very color of their area; in a photograph, shades around it. JPEG
# changes a flat color by less than this.
_FLAT, _FLAT_SHARE = 0.025, 0.45
# Pixels whose distances to all colors are in memory at once.
_AT_ONCE = 2**20


def colors_in(map_: Tensor, colors: Sequence[str]) -> list[str]:
    """Those of the colors that a (1, 3, H, W) map has."""
    named, there = _named(colors).to(map_), torch.zeros(len(colors), dtype=torch.bool)
    for some in torch.split(map_[0].flatten(1).T, _AT_ONCE):
        there |= (torch.cdist(some, named) < _SAME).any(0).cpu()
    return [color for color, is_there in zip(colors, there.tolist(), strict=True) if is_there]


def masks_of_map(map_: Tensor, colors: Sequence[str], *, name: str = "The map") -> list[Tensor]:
    """Where in a map each color is.

    Colors of the map that nobody names are regions too, but nobody's. Mixtures, as editors make
    along edges, go to the region beside them.

    Args:
        map_: (1, 3, H, W) RGB in [0, 1].
        colors: by name or #rrggbb.
        name: of the map, for messages.

    Returns:
        For each color, (H, W) of 0 and 1.

    Raises:
        SettingsError: an unknown color, the same color twice, one that the map does not have, or a
            picture that is no map.
    """
    named = _named(colors).to(map_)  # (K, 3)
    pixels = map_[0].flatten(1).T  # (H·W, 3)
    means, shares, flat = _bins(pixels)
    if flat < _FLAT_SHARE:
        raise SettingsError(
            f"{name} has shades all over. A map of regions has a few flat colors, one for each "
            "region: paint one in any program."
        )
    palette = torch.cat([named, _others(means, shares, named)])
    labels = torch.cat([_labels(some, palette) for some in torch.split(pixels, _AT_ONCE)])
    for index, color in enumerate(colors):
        if not bool((labels == index).any()):
            raise SettingsError(
                f"{name} has no {color}. Its colors are {_words(means, shares)}. Name one of these."
            )
    grown = _spread(labels.view(map_.shape[-2:]))
    return [(grown == index).to(map_) for index in range(len(colors))]


def _labels(pixels: Tensor, palette: Tensor) -> Tensor:
    """(N,) which color of the palette each pixel has; -1 is none of them."""
    distance, nearest = torch.cdist(pixels, palette).min(1)
    return nearest.where(distance < _SAME, -1)


def _spread(labels: Tensor) -> Tensor:
    """(H, W) labels, grown until no pixel is -1, which is none: a ring of pixels at a time.

    A pixel gets the label that most of the eight around it have, and the lowest of equals. Only
    pixels beside those that came last are looked at, so the time is that of all pixels once.
    """
    height, width = labels.shape
    # A border, so that every pixel has eight around it: it is no pixel and has no label.
    grown = F.pad(labels, (1, 1, 1, 1), value=-1).flatten()
    inside = F.pad(torch.ones_like(labels, dtype=torch.bool), (1, 1, 1, 1)).flatten()
    rows = torch.tensor([-1, 0, 1], device=labels.device) * (width + 2)
    around = (rows[:, None] + torch.tensor([-1, 0, 1], device=labels.device)).flatten()
    free = inside & (grown < 0)
    ring = (grown >= 0).nonzero()[:, 0]
    while len(ring) and bool(free.any()):
        beside = torch.cat([(ring + step)[free[ring + step]] for step in around])
        ring = torch.unique(beside)
        grown[ring] = _most_frequent(grown[ring[:, None] + around])
        free[ring] = False
    return grown.view(height + 2, width + 2)[1:-1, 1:-1]


def _most_frequent(labels: Tensor) -> Tensor:
    """(N,) the most frequent of each row of (N, 9) labels but -1, and the lowest of equals."""
    count = (labels[:, :, None] == labels[:, None, :]).sum(2)
    count = count.where(labels >= 0, 0)
    best = count == count.amax(1, keepdim=True)
    return labels.where(best, labels.max() + 1).amin(1)


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


def _others(means: Tensor, shares: Tensor, named: Tensor) -> Tensor:
    """(K, 3) of the colors of a map those that cover a good part and are none of the named."""
    far = (torch.cdist(means, named) >= _SAME).all(1) if len(named) else torch.ones_like(shares) > 0
    return means[far & (shares >= _A_REGION)]


def _bins(pixels: Tensor) -> tuple[Tensor, Tensor, float]:
    """Mean color and share of each group of like pixels, the largest first.

    And the share of all pixels that have the mean color of their group, as flat areas do.
    """
    levels = (pixels * (_LEVELS - 1)).round().long()
    key = (levels * torch.tensor([_LEVELS**2, _LEVELS, 1], device=pixels.device)).sum(1)
    _, where, counts = torch.unique(key, return_inverse=True, return_counts=True)
    means = pixels.new_zeros(len(counts), 3).index_add_(0, where, pixels) / counts[:, None]
    flat = ((pixels - means[where]).norm(dim=1) < _FLAT).float().mean().item()
    order = counts.argsort(descending=True)
    return means[order], (counts / len(pixels))[order], flat


def _words(means: Tensor, shares: Tensor) -> str:
    """The colors of a map for people: "#ff0000 (52 %), #0000ff (48 %)"."""
    shown = [
        "#" + "".join(f"{round(float(value) * 255):02x}" for value in mean) + f" ({share:.0%})"
        for mean, share in zip(means[:6], shares[:6].tolist(), strict=True)
        if share >= _A_REGION
    ]
    return ", ".join(shown)
