"""Statistics made of sums over positions."""

from abc import abstractmethod

import torch
from torch import Tensor

from ..guidance import Area
from ..losses import Normalization, feature_rows, gram_sum, style_loss
from ..tiling import Window
from .statistic import Statistic

# Variance added in all directions, as a share of the style's mean variance: a direction that a
# style does not use would have an infinite slope.
_RIDGE = 1e-4
_TINY = 1e-20


class Moments(Statistic):
    """What depends on sums over positions only."""

    @abstractmethod
    def moments(self, features: Tensor, guide: Tensor | None) -> Tensor:
        """Sums over positions."""

    @abstractmethod
    def distance(self, mean: Tensor, target: Tensor, norm: Normalization) -> Tensor:
        """What the moments, divided by the number of positions, are worth."""

    def sums(self, features: Tensor, area: Area, window: Window) -> Tensor:
        """The moments of a tile."""
        return self.moments(features, area.guide_at(window))

    def gathered(
        self, so_far: Tensor | None, features: Tensor, area: Area, window: Window
    ) -> Tensor:
        """The sums so far."""
        sums = self.sums(features, area, window)
        return sums if so_far is None else so_far + sums

    def described(self, gathered: Tensor, positions: float) -> Tensor:
        """Moments: sums divided by how many positions there are."""
        return gathered / positions

    def loss(self, total: Tensor, area: Area, target: Tensor, norm: Normalization) -> Tensor:
        """What the total is worth."""
        return self.distance(total / area.positions, target, norm)


class Gram(Moments):
    """The (N, N) Gram matrix of Gatys, Ecker and Bethge (arXiv:1508.06576)."""

    recordable = True

    def moments(self, features: Tensor, guide: Tensor | None) -> Tensor:
        """F Fᵀ."""
        return gram_sum(features, guide)

    def distance(self, mean: Tensor, target: Tensor, norm: Normalization) -> Tensor:
        """The squared distance of the matrices."""
        return style_loss(mean, target, norm)


class MeanStd(Moments):
    """Mean and standard deviation of each channel, added to the Gram matrix by Galerne et al.

    (arXiv:2212.13459, section 3): the Gram matrix alone lets contrast wander. Moments are (2, N).
    """

    recordable = True

    def moments(self, features: Tensor, guide: Tensor | None) -> Tensor:
        """The sums of F and of F²."""
        rows = feature_rows(features)  # (M, N)
        weighted = rows if guide is None else rows * guide.reshape(-1, 1)
        return torch.stack([weighted.sum(0), (weighted * rows).sum(0)])

    def distance(self, mean: Tensor, target: Tensor, norm: Normalization) -> Tensor:
        """That of Gaussians without correlations: squared changes of mean and deviation."""
        size = target[1].sum()
        smallest = size.clamp(min=_TINY) * 1e-8 / target.shape[1]
        deviation = (mean[1] - mean[0].square()).clamp(min=smallest).sqrt()
        wanted = (target[1] - target[0].square()).clamp(min=smallest).sqrt()
        change = (mean[0] - target[0]).square().sum() + (deviation - wanted).square().sum()
        return norm.content(change, target.shape[1], size)


class Gaussian(Moments):
    """Wasserstein-2 distance of Gaussians with the features' mean m and covariance C.

    |m - m'|² + tr(C + C' - 2 (C'^½ C C'^½)^½), Dowson and Landau, "The Fréchet distance between
    multivariate normal distributions", J. Multivariate Anal. 12, 1982. The last trace is the sum
    of the roots of a symmetric matrix's eigenvalues, whose derivative needs no eigenvalue to
    differ from another. Moments are (N, N + 1): F Fᵀ beside the sum of F.
    """

    def moments(self, features: Tensor, guide: Tensor | None) -> Tensor:
        """F Fᵀ beside the sum of F."""
        rows = feature_rows(features)
        weighted = rows if guide is None else rows * guide.reshape(-1, 1)
        return torch.cat([gram_sum(features, guide), weighted.sum(0)[:, None]], dim=1)

    def target(self, description: Tensor) -> Tensor:
        """The root of the covariance, with the ridge in it, beside the mean: (N, N + 1)."""
        mean, covariance = _exact_moments(description)
        values, vectors = torch.linalg.eigh(covariance)
        values = values.clamp(min=0)
        values = values + _RIDGE * values.mean()
        root = (vectors * values.sqrt()) @ vectors.mT
        return torch.cat([root, mean[:, None]], dim=1)

    def distance(self, mean: Tensor, target: Tensor, norm: Normalization) -> Tensor:
        """The squared Wasserstein-2 distance."""
        center, covariance = _exact_moments(mean)
        root, wanted = target[:, :-1], target[:, -1]
        spread = root.square().sum()  # tr C' with its ridge
        channels = len(center)
        ridge = spread * _RIDGE / (1 + _RIDGE) / channels
        covariance = covariance + ridge * torch.eye(channels).to(center)
        shared = torch.linalg.eigvalsh(root @ covariance @ root)
        smallest = (ridge.square() * 1e-3).clamp(min=_TINY)
        overlap = shared.clamp(min=smallest).sqrt().sum()
        change = (center - wanted).square().sum() + covariance.trace() + spread - 2 * overlap
        size = wanted.square().sum() + spread
        return norm.content(change, channels, size).to(mean)


def _exact_moments(moments: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (N,) and covariance (N, N) in float64, where roots keep the digits that matter.

    On the CPU for a device that has neither float64 nor an eigendecomposition.
    """
    moments = moments.cpu() if moments.device.type == "mps" else moments
    moments = moments.double()
    mean = moments[:, -1]
    return mean, moments[:, :-1] - mean[:, None] * mean
