"""Means, deviations and covariances of features."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ...gatys.functions import Normalization, feature_rows, gram_sum
from ...gatys.statistics import Guidance, Statistic, Window

# Variance added in all directions, as a share of the style's mean variance: a direction that a
# style does not use would have an infinite slope.
_RIDGE = 1e-4
_TINY = 1e-20


class Moments(Statistic):
    """Averages over positions."""

    @abstractmethod
    def moments(self, features: Tensor, guide: Tensor | None) -> Tensor:
        """Sums over positions."""

    @abstractmethod
    def distance(self, mean: Tensor, target: Tensor, normalization: Normalization) -> Tensor:
        """The loss of moments that are divided by the number of positions."""

    def sums(self, features: Tensor, guidance: Guidance, window: Window) -> Tensor:
        """The moments inside a window."""
        return self.moments(features, guidance.at(window))

    def loss(
        self, total: Tensor, guidance: Guidance, target: Tensor, normalization: Normalization
    ) -> Tensor:
        """The loss of the total."""
        return self.distance(total / guidance.positions, target, normalization)


class MeanStd(Moments):
    """Mean and standard deviation of each channel, added to the Gram matrix by Galerne et al.

    (arXiv:2212.13459, section 3): the Gram matrix alone lets contrast wander. Moments are (2, N).
    """

    asynchronous = True

    def moments(self, features: Tensor, guide: Tensor | None) -> Tensor:
        """The sums of F and of F²."""
        rows = feature_rows(features)  # (M, N)
        weighted = rows if guide is None else rows * guide.reshape(-1, 1)
        return torch.stack([weighted.sum(0), (weighted * rows).sum(0)])

    def distance(self, mean: Tensor, target: Tensor, normalization: Normalization) -> Tensor:
        """That of Gaussians without correlations: squared changes of mean and deviation."""
        size = target[1].sum()
        smallest = size.clamp(min=_TINY) * 1e-8 / target.shape[1]
        deviation = (mean[1] - mean[0].square()).clamp(min=smallest).sqrt()
        wanted = (target[1] - target[0].square()).clamp(min=smallest).sqrt()
        change = (mean[0] - target[0]).square().sum() + (deviation - wanted).square().sum()
        return normalization.content(change, target.shape[1], size)


@dataclass(frozen=True)
class Gaussian(Moments):
    """Wasserstein-2 distance of Gaussians with the features' mean m and covariance C.

    |m - m'|² + tr(C + C' - 2 (C'^½ C C'^½)^½), Dowson and Landau, "The Fréchet distance between
    multivariate normal distributions", J. Multivariate Anal. 12, 1982. The last trace is the sum
    of the roots of a symmetric matrix's eigenvalues, whose derivative needs no eigenvalue to
    differ from another. Moments are (N, N + 1): F Fᵀ beside the sum of F.
    """

    gram: Callable[[Tensor, Tensor | None], Tensor] = gram_sum

    def moments(self, features: Tensor, guide: Tensor | None) -> Tensor:
        """F Fᵀ beside the sum of F."""
        rows = feature_rows(features)
        weighted = rows if guide is None else rows * guide.reshape(-1, 1)
        return torch.cat([self.gram(features, guide), weighted.sum(0)[:, None]], dim=1)

    def target(self, mean: Tensor) -> Tensor:
        """The root of the covariance, with the ridge in it, beside the mean: (N, N + 1)."""
        center, covariance = _exact_moments(mean)
        values, vectors = torch.linalg.eigh(covariance)
        values = values.clamp(min=0)
        values = values + _RIDGE * values.mean()
        root = (vectors * values.sqrt()) @ vectors.mT
        return torch.cat([root, center[:, None]], dim=1)

    def distance(self, mean: Tensor, target: Tensor, normalization: Normalization) -> Tensor:
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
        return normalization.content(change, channels, size).to(mean)


def _exact_moments(moments: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (N,) and covariance (N, N) in float64, where roots keep the digits that matter.

    On the CPU for all but NVIDIA's and AMD's cards: others may have neither float64 nor an
    eigendecomposition.
    """
    moments = moments if moments.device.type == "cuda" else moments.cpu()
    moments = moments.double()
    mean = moments[:, -1]
    return mean, moments[:, :-1] - mean[:, None] * mean
