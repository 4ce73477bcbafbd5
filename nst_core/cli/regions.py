"""The pictures of a run, read: whole, and region by region with maps and masks."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from ..control.alpha import both
from ..control.color import luma_of
from ..control.regions import masks_of_map
from ..files.alpha import load_with_alpha
from ..files.read_image import load_image
from ..files.samples import sample
from ..run.recipes import Region
from ..run.staging import needed_size
from ..settings import Settings
from ..settings.loss import shares_in
from ..settings.samples import SAMPLE, drawn_size
from .words import Words


def read_picture(name: str, settings: Settings, factor: float = 1.0) -> Tensor:
    """(1, 3, H, W) of a file, or of a sample drawn for the size that is asked for.

    A very large file is shrunk to that size, times `factor`.
    """
    if name.startswith(SAMPLE):
        return sample(name.removeprefix(SAMPLE), drawn_size(settings.size))
    needed = needed_size(settings, factor)
    return load_image(name, max_pixels=settings.max_pixels, needed=needed)


def read_with_alpha(
    name: str, settings: Settings, factor: float = 1.0
) -> tuple[Tensor, Tensor | None]:
    """The same and its (H, W) alpha, unless it is laid over white or opaque."""
    if name.startswith(SAMPLE) or not settings.transparency:
        return read_picture(name, settings, factor), None
    needed = needed_size(settings, factor)
    return load_with_alpha(name, max_pixels=settings.max_pixels, needed=needed)


def _read_map(name: str, settings: Settings) -> Tensor:
    """As `read_picture`, but never shrunk: that would mix the colors of regions."""
    if name.startswith(SAMPLE):
        return read_picture(name, settings)
    return load_image(name, max_pixels=settings.max_pixels)


def regions_of(words: Words, settings: Settings) -> list[Region]:
    """The regions that were asked for, their pictures read.

    Raises:
        SettingsError, ImageError: a map without a color that was named, a picture that is none.
    """
    if not words.styles:
        return []
    shares = shares_in(settings.style_shares) or (1.0,) * len(words.styles)
    masks = _masks(words, settings)
    styles = [_style(words, index, settings) for index in range(len(words.styles))]
    return [
        Region(
            styles=tuple(styles[index][0] for index in chosen),
            mask=mask,
            shares=tuple(shares[index] for index in chosen),
            style_masks=tuple(styles[index][1] for index in chosen),
        )
        for color, mask in masks.items()
        if (chosen := [i for i, (of, _) in enumerate(words.pairs) if of == color])
    ]


def _masks(words: Words, settings: Settings) -> Mapping[str | None, Tensor | None]:
    """{color: where}; None stands for what no color claims."""
    if words.mask:
        return {None: mask_of(words.mask, settings)}
    if not words.regions:
        return {None: None}
    colors = list(dict.fromkeys(color for color, _ in words.pairs if color))
    found = _masks_in(words.regions, colors, settings)
    rest = 1 - sum(found[1:], found[0])
    return {**dict(zip(colors, found, strict=True)), None: rest}


def _style(words: Words, index: int, settings: Settings) -> tuple[Tensor, Tensor | None]:
    """A style picture, and which part of it counts: of its mask, what is opaque."""
    image, alpha = read_with_alpha(words.pairs[index][1], settings, settings.style_scale)
    return image, both(_style_mask(words, index, settings), alpha)


def _style_mask(words: Words, index: int, settings: Settings) -> Tensor | None:
    """Which part of a style picture counts."""
    maps = words.style_regions or words.style_masks
    if not maps:
        return None
    name = maps[0] if len(maps) == 1 else maps[index]
    if words.style_masks:
        return mask_of(name, settings)
    color = words.pairs[index][0]
    return None if color is None else _masks_in(name, [color], settings)[0]


def _masks_in(name: str, colors: Sequence[str], settings: Settings) -> list[Tensor]:
    return masks_of_map(_read_map(name, settings), colors, name=f"'{name}'")


def mask_of(name: str, settings: Settings) -> Tensor:
    """(H, W) in [0, 1]: how light a picture is."""
    return luma_of(read_picture(name, settings))[0, 0]
