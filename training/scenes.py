"""Colored pictures from gray textures: palettes, lit relief, and things in front of a ground.

A style is what two pictures have in common that show different things: texture and palette of the
ground, those of the things, and how edges are drawn. Every batch has pictures of a style in pairs.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .kinds import KINDS
from .noise import noise
from .parameters import Parameters, draw_parameters, join, neighbors
from .textures import draw_textures

_COLORS = 4  # of a palette, from the texture's darkest value to its lightest
_THINGS = 5  # at most, in a picture
_LOBES = 6  # waves of a thing's outline around its middle
_PLAIN = 0.5  # share of the styles that are nothing but their ground
_OWN_PALETTE = 0.5  # share of the pictures whose class decides their colors


@dataclass(frozen=True)
class Classes:
    """A fixed set of textures with palettes: tables of K rows."""

    parameters: Parameters
    palettes: Tensor  # (K, 4, 3) RGB in [0, 1]

    @classmethod
    def drawn(cls, count: int, seed: int, device: torch.device) -> "Classes":
        """`count` classes, the same for the same seed and device."""
        generator = torch.Generator(device).manual_seed(seed)
        parameters = draw_parameters(count, len(KINDS), generator)
        return cls(parameters, random_palettes(count, generator))


@dataclass(frozen=True)
class Batch:
    """Pictures 2i and 2i+1 share a style.

    Attributes:
        images: (B, 3, S, S) RGB in [0, 1].
        ground: (B,) class of the ground.
        ground_share: (B,) how much of the picture it is; 0 where the ground is of no class.
    """

    images: Tensor
    ground: Tensor
    ground_share: Tensor


def random_palettes(count: int, generator: torch.Generator) -> Tensor:
    """(count, 4, 3): around one color or all over the cube, often from dark to light."""
    device = generator.device
    middle = torch.rand(count, 1, 3, generator=generator, device=device)
    spread = 0.06 + 0.5 * torch.rand(count, 1, 1, generator=generator, device=device)
    colors = middle + spread * torch.randn(count, _COLORS, 3, generator=generator, device=device)
    # Most things are less colorful than a random color.
    vivid = torch.rand(count, 1, 1, generator=generator, device=device)
    gray = colors.mean(dim=2, keepdim=True)
    colors = (gray + (colors - gray) * vivid).clamp(0, 1)
    order = colors.sum(dim=2).argsort(dim=1)[..., None].expand_as(colors)
    ordered = torch.rand(count, 1, 1, generator=generator, device=device) < 0.7
    return torch.where(ordered, colors.gather(1, order), colors)


def draw_batch(
    classes: Classes, pairs: int, size: int, generator: torch.Generator, free: float = 0.0
) -> Batch:
    """`pairs` styles, two pictures of each.

    Args:
        classes: what grounds and things are of.
        pairs: of pictures.
        size: S, the pictures' side.
        generator: of chance, on the device that draws.
        free: share of the styles, the batch's first, whose ground is of no class: textures seen
            once in a training, and each next to another that is hard to tell from it.
    """
    device, count = generator.device, len(classes.palettes)
    both = torch.randint(count, (2, pairs), generator=generator, device=device)
    ground, thing = (kind.repeat_interleave(2) for kind in both)
    palettes = [_palettes(classes, kind, generator) for kind in both]
    textures = classes.parameters[torch.cat([ground, thing])]
    new = 4 * round(free * pairs / 2)  # pictures: two neighbors, two of each
    if new:
        own = neighbors(draw_parameters(new // 4, len(KINDS), generator), generator)
        textures = join(own[torch.arange(new, device=device) // 2], textures[new:])
    fields = draw_textures(textures, size, generator)  # (2B, S, S)
    painted = _painted(fields, torch.cat(palettes), textures.relief, generator)  # (2B, 3, S, S)
    images, textured = painted[: 2 * pairs], painted[2 * pairs :]
    edges = torch.rand(3, pairs, generator=generator, device=device).repeat_interleave(2, dim=1)
    counts = torch.randint(1, _THINGS + 1, (pairs,), generator=generator, device=device)
    plain = torch.rand(pairs, generator=generator, device=device) < _PLAIN
    counts = torch.where(plain, 0, counts).repeat_interleave(2)
    images, covered = _with_things(images, textured, palettes[1], counts, edges, generator)
    share = torch.where(torch.arange(2 * pairs, device=device) < new, 0.0, 1 - covered)
    return Batch(_lit(images, generator), ground, share)


def _palettes(classes: Classes, kinds: Tensor, generator: torch.Generator) -> Tensor:
    """(2 x pairs, 4, 3): the classes' own or random ones, the same for both pictures of a style."""
    own, free = classes.palettes[kinds], random_palettes(len(kinds), generator)
    chosen = torch.rand(len(kinds), 1, 1, generator=generator, device=kinds.device) < _OWN_PALETTE
    palettes = torch.where(chosen, own, free).repeat_interleave(2, dim=0)
    jitter = 0.04 * torch.randn(palettes.shape, generator=generator, device=kinds.device)
    return (palettes + jitter).clamp(0, 1)


def _painted(
    fields: Tensor, palettes: Tensor, relief: Tensor, generator: torch.Generator
) -> Tensor:
    """(n, S, S) in [0, 1] through (n, 4, 3) palettes, lit from one side: (n, 3, S, S)."""
    place = fields * (_COLORS - 1)
    low = place.floor().clamp(0, _COLORS - 2)
    part = (place - low).unsqueeze(1)
    flat = low.long().flatten(1)[..., None].expand(-1, -1, 3)
    below, above = palettes.gather(1, flat), palettes.gather(1, flat + 1)
    shape = (*fields.shape, 3)
    below, above = (colors.view(shape).movedim(-1, 1) for colors in (below, above))
    angle = 2 * math.pi * torch.rand(len(fields), 1, 1, generator=generator, device=fields.device)
    slope = F.pad(fields.diff(dim=2), (0, 1)) * angle.cos()
    slope = slope + F.pad(fields.diff(dim=1), (0, 0, 0, 1)) * angle.sin()
    light = (slope * relief.view(-1, 1, 1) * 1.5).clamp(-0.5, 0.5).unsqueeze(1)
    return (below + (above - below) * part + light).clamp(0, 1)


def _with_things(
    images: Tensor,
    textured: Tensor,
    palettes: Tensor,
    counts: Tensor,
    edges: Tensor,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Things laid over each picture; with the share that they cover, (B,).

    Args:
        images, textured: (B, 3, S, S), the ground and what things are made of.
        palettes: (B, 4, 3) of the things.
        counts: (B,) of things.
        edges: (3, B) in [0, 1]: outline or not, its width, how dark it is.
        generator: of chance.
    """
    covered = torch.zeros_like(images[:, :1])
    for index in range(_THINGS):
        there = (counts > index).view(-1, 1, 1, 1)
        inside, mask, rim = (
            part * there for part in _outline(images.shape[0], images.shape[-1], edges, generator)
        )
        paint = _fill(textured, palettes, inside, generator)
        dark = 1 - rim * (0.4 + 0.6 * edges[2].view(-1, 1, 1, 1))
        images = (images + (paint - images) * mask) * dark
        covered = covered + (1 - covered) * mask
    return images, covered.mean(dim=(1, 2, 3))


def _outline(
    count: int, size: int, edges: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """One thing in each picture: depth inside it in [0, 1], its mask, its outline; (B, 1, S, S).

    A closed curve around a middle, with waves of falling amplitude: discs, eggs, leaves, stars;
    or a box, which many man-made things are.
    """
    device = generator.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        values = torch.rand(count, *shape, generator=generator, device=device)
        return low + (high - low) * values

    steps = torch.linspace(-1, 1, size, device=device)
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    down, right = rows - uniform(-0.9, 0.9, 1, 1), columns - uniform(-0.9, 0.9, 1, 1)
    turn = uniform(0, math.pi, 1, 1)
    along = (right * turn.cos() + down * turn.sin()) * uniform(0.6, 1.7, 1, 1)
    across = down * turn.cos() - right * turn.sin()
    radius, angle = torch.hypot(along, across), torch.atan2(across, along)
    waves = torch.zeros_like(radius)
    for lobe in range(2, _LOBES + 1):
        amplitude = uniform(0, 0.5, 1, 1) ** 2 * 2 / lobe
        waves = waves + amplitude * (lobe * angle + uniform(0, 2 * math.pi, 1, 1)).cos()
    box = torch.maximum(along.abs(), across.abs())
    boxed = uniform(0, 1, 1, 1) < 0.3
    reach = uniform(0.15, 0.8, 1, 1)
    depth = torch.where(boxed, reach - box, reach * (1 + waves) - radius)  # in half pictures
    pixels = depth * size / 2
    mask = (pixels + 0.5).clamp(0, 1)
    width = 0.5 + 2 * edges[1].view(-1, 1, 1)
    rim = ((width - pixels.abs()) + 0.5).clamp(0, 1) * (edges[0].view(-1, 1, 1) < 0.5)
    inside = (depth / reach).clamp(0, 1)
    return inside.unsqueeze(1), mask.unsqueeze(1), rim.unsqueeze(1)


def _fill(textured: Tensor, palettes: Tensor, inside: Tensor, generator: torch.Generator) -> Tensor:
    """What a thing is painted with: texture, flat color or a slope of two; rounded by shading."""
    count, device = len(textured), textured.device
    pick = torch.randint(_COLORS, (2, count), generator=generator, device=device)
    rows = torch.arange(count, device=device)
    first, second = (palettes[rows, p].view(-1, 3, 1, 1) for p in pick)
    steps = torch.linspace(0, 1, textured.shape[-1], device=device).view(1, 1, -1, 1)
    slope = first + (second - first) * steps
    choice = torch.rand(count, 1, 1, 1, generator=generator, device=device)
    paint = torch.where(choice < 0.5, textured, torch.where(choice < 0.75, first, slope))
    round_ = torch.rand(count, 1, 1, 1, generator=generator, device=device)
    shade = 1 - 0.6 * round_ * (1 - inside).square()
    return (paint * shade).clamp(0, 1)


def _lit(images: Tensor, generator: torch.Generator) -> Tensor:
    """Uneven light over a whole picture, and grain; at least the bit that every camera has."""
    count, _, size, _ = images.shape
    wide = torch.full((count,), 0.7 / size, device=images.device)
    light = noise(wide, torch.full_like(wide, 0.7), size, generator).unsqueeze(1)
    strength = torch.rand(count, 1, 1, 1, generator=generator, device=images.device).square()
    return (images * (1 + 0.3 * strength * light) + grain(count, size, generator)).clamp(0, 1)


def grain(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Noise as both pictures of a style have it, gray to colored, fine to coarse, (B, 3, S, S).

    Whoever looks for a picture by its features fills with noise what they do not see. Here they are
    asked for it.
    """
    device = generator.device
    chance = torch.rand(4, count // 2, generator=generator, device=device).repeat_interleave(2, 1)
    amplitude, fineness, octaves, colored = chance
    frequency = (0.05 * 10**fineness).repeat_interleave(4)  # to Nyquist's
    bandwidth = (0.5 + 2 * octaves).repeat_interleave(4)
    fields = noise(frequency, bandwidth, size, generator).view(count, 4, size, size)
    share = colored.view(-1, 1, 1, 1)
    mixed = share.sqrt() * fields[:, :3] + (1 - share).sqrt() * fields[:, 3:]
    return (0.015 + 0.2 * amplitude.square().view(-1, 1, 1, 1)) * mixed


def without_color(images: Tensor) -> Tensor:
    """Gray pictures with flat histograms, so that only texture is left: (B, 3, S, S) likewise."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=images.device)  # ITU-R BT.601
    gray = (images * weights.view(1, 3, 1, 1)).sum(dim=1).flatten(1)
    order = gray.argsort(dim=1).argsort(dim=1).to(images.dtype)
    flat = order / (gray.shape[1] - 1)
    shape = (images.shape[0], 1, *images.shape[2:])
    return flat.view(shape).expand_as(images)
