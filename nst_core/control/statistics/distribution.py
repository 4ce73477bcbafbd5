"""Whole distributions of features, compared by sorting."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...gatys.functions import Normalization, feature_rows
from ...gatys.statistics import Guidance, Statistic, Window
from .transport import quantiles, resampled, transport_distance

# Directions and lots are the same in every run: a picture depends on nothing but its settings.
_SEED = 0


@dataclass(frozen=True, eq=False)
class Distribution(Statistic):
    """Wasserstein-2 distance along directions, by sorting.

    Random directions are the sliced Wasserstein loss of Heitz et al. (arXiv:2006.07229), as many
    as there are channels, but fixed, because L-BFGS needs one function, and at right angles to
    each other, so that none repeats another. Along the channels it is the histogram loss of
    Risser et al. (arXiv:1701.08893) in the limit of infinitely fine bins: the picture they match
    to is the one that has the style's value of the same rank at every position.

    Attributes:
        positions: of the picture's layer; a style is kept as so many quantiles. Of one with more
            than twice as many positions, a part is drawn by lot.
        directions: (N, K) orthonormal; None is along the channels.
    """

    positions: int
    directions: Tensor | None

    def sums(self, features: Tensor, guidance: Guidance, window: Window) -> Tensor:
        """Values along each direction, (K, h, w) of the whole layer, zero outside the tile."""
        height, width = features.shape[-2:]
        projected = self._projected(features).reshape(-1, height, width)
        if guidance.grid == (height, width):
            return projected
        (_, rows, columns), (whole_height, whole_width) = window, guidance.grid
        around = columns.start, whole_width - columns.stop, rows.start, whole_height - rows.stop
        return F.pad(projected, around)

    def accumulated(
        self, so_far: Tensor | None, features: Tensor, guidance: Guidance, window: Window
    ) -> Tensor:
        """(K + 1, positions so far): values, and below them how much each position counts."""
        projected = self._projected(features)
        guide = guidance.at(window)
        weights = torch.ones_like(projected[:1]) if guide is None else guide.reshape(1, -1)
        values = torch.cat([projected, weights.to(projected)])
        share = self.positions / (guidance.grid[0] * guidance.grid[1])
        if share < 0.5:
            generator = torch.Generator().manual_seed(_SEED)
            lot = torch.randperm(values.shape[1], generator=generator)
            values = values[:, lot[: max(1, round(len(lot) * share))].to(values.device)]
        return values if so_far is None else torch.cat([so_far, values], dim=1)

    def finalized(self, accumulated: Tensor, positions: float) -> Tensor:
        """(K, M) quantiles."""
        values, weights = accumulated[:-1], accumulated[-1]
        if bool((weights == 1).all()):
            return resampled(quantiles(values, None), self.positions)
        seen = weights > 0
        table = quantiles(values[:, seen], weights[seen])
        return resampled(table, self.positions)

    def loss(
        self, total: Tensor, guidance: Guidance, target: Tensor, normalization: Normalization
    ) -> Tensor:
        """The mean over positions of the squared distance to the style's values."""
        guide = None if guidance.map is None else guidance.map.flatten().to(total)
        change = transport_distance(total.flatten(1), guide, target) / guidance.positions
        return normalization.content(change, len(target), target.square().mean(1).sum())

    def _projected(self, features: Tensor) -> Tensor:
        """(1, N, h, w) -> (K, h·w)."""
        rows = feature_rows(features)
        return (rows if self.directions is None else rows @ self.directions.to(rows)).mT


def random_directions(channels: int) -> Tensor:
    """(N, N) random rotation, its columns the directions: the same in every run."""
    generator = torch.Generator().manual_seed(_SEED)
    # In float64: the same rotation to float32 whatever computes it.
    columns, upper = torch.linalg.qr(
        torch.randn(channels, channels, dtype=torch.float64, generator=generator)
    )
    rotation: Tensor = columns * upper.diagonal().sign()
    return rotation
