"""Gray textures, thousands of parametric kinds, drawn in batches on the training device.

A class fixes what is characteristic of a texture; everything else is chance, so that no two
pictures of a class share pixels. Frequencies are in cycles per pixel: a class looks the same at
every picture size.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .kinds import KINDS, clouds
from .noise import noise, standard
from .parameters import Parameters


def draw_textures(parameters: Parameters, size: int, generator: torch.Generator) -> Tensor:
    """(n, size, size) gray textures in [0, 1], a new sample of each class."""
    count = len(parameters.kind)
    field = torch.empty(count, size, size, device=generator.device)
    # The one wait for the device in a drawing: how many there are of each kind.
    counts = parameters.kind.bincount(minlength=len(KINDS)).tolist()
    by_kind = parameters.kind.argsort(stable=True).split(counts)
    for chosen, draw in zip(by_kind, KINDS.values(), strict=True):
        if len(chosen):
            field[chosen] = draw(parameters[chosen], size, generator)
    cloudiness = parameters.cloudiness.view(-1, 1, 1)
    slow = clouds(parameters, size, generator)
    field = standard(_warped(field, parameters, generator)) * (1 - cloudiness)
    field = standard(field + slow * cloudiness)
    contrast = parameters.sharpness.view(-1, 1, 1)
    level = parameters.level.view(-1, 1, 1)
    return torch.sigmoid(contrast * (field - level))


def _warped(field: Tensor, parameters: Parameters, generator: torch.Generator) -> Tensor:
    """The field bent by slow noise."""
    count, size, _ = field.shape
    slow = (parameters.frequency / 3).repeat(2)
    bend = noise(slow, torch.full_like(slow, 0.5), size, generator).view(2, count, size, size)
    amount = 2 * parameters.warp * 0.5 / parameters.frequency / size  # in grid_sample's units
    steps = torch.linspace(-1, 1, size, device=field.device)
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    grid = torch.stack([columns, rows], dim=-1) + bend.movedim(0, -1) * amount.view(-1, 1, 1, 1)
    bent = F.grid_sample(field[:, None], grid, padding_mode="reflection", align_corners=True)
    return bent[:, 0]
