"""Colors of one picture for another: luminance alone, mean and covariance, histograms.

Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer" (arXiv:1611.07865), section
5, and "Preserving Color in Neural Artistic Style Transfer" (arXiv:1606.05897). Every function takes
and gives (1, 3, H, W) RGB in [0, 1], and both pictures may have sizes of their own.
"""

import logging
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

log = logging.getLogger(__name__)

# Rec. 601 luma, the Y of the paper's YIQ.
_LUMA = (0.299, 0.587, 0.114)
# Variance that rounding to 8 bits makes. A direction of color space with less is not there: to
# amplify it again and again would make colors of nothing.
_ROUNDING = 1 / 255**2 / 12
_RIDGE = 1e-7
# Clipping moves mean and covariance off again; matching what was clipped brings them back.
_ROUNDS = 60
_CLOSE = 1e-4


def match_colors(image: Tensor, source: Tensor, method: str, strength: float = 1.0) -> Tensor:
    """`image` with the colors of `source`.

    Args:
        image: the picture to recolor.
        source: whose colors to take; for "luminance" it must have the image's size.
        method: of `COLORS`; "style" changes nothing.
        strength: 0 changes nothing, 1 takes the source's colors; in between, pixels are mixed.
    """
    if method == "style" or strength == 0:
        return image
    matched = COLORS[method](image, source)
    return matched if strength == 1 else torch.lerp(image, matched, strength)


def keep_chroma(image: Tensor, source: Tensor) -> Tensor:
    """Each pixel with the chroma of the source's and its own luma, as far as the gamut goes.

    Adding gray changes luma alone. How much of it fits is limited on both sides, never to nothing,
    so that the chroma is the source's exactly.
    """
    luma = luma_of(image - source)
    least, most = -source.amin(1, keepdim=True), 1 - source.amax(1, keepdim=True)
    return source + luma.clamp(least, most)


def luma_of(image: Tensor) -> Tensor:
    """(1, 1, H, W) luma of an RGB picture."""
    weights = torch.tensor(_LUMA, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)


def grayed(image: Tensor, source: Tensor) -> Tensor:
    """The picture in gray, its luma shifted and stretched to the source's mean and deviation.

    Section 5.1 of arXiv:1611.07865.
    """
    luma, wanted = luma_of(image), luma_of(source)
    gain = wanted.std() / luma.std().clamp(min=_RIDGE**0.5)
    matched = (luma - luma.mean()) * gain + wanted.mean()
    return matched.clamp(0, 1).expand_as(image).contiguous()


def match_covariance(image: Tensor, source: Tensor, root: "Root") -> Tensor:
    """The picture whose colors have the source's mean and covariance, after clipping too.

    An affine map of colors, equation 11 of arXiv:1611.07865, leaves [0, 1]; the map is repeated on
    what was clipped until nothing is left to correct. Says so if it does not come to that: a gray
    picture, say, cannot get the covariance of a colored one.
    """
    colors = _colors(image)
    wanted_mean, wanted = _moments(_colors(source))
    flat = float(torch.linalg.eigvalsh(_moments(colors)[1])[0]) < _ROUNDING
    for _ in range(1 if flat else _ROUNDS):
        mean, covariance = _moments(colors)
        off = max(float((mean - wanted_mean).abs().max()), float((covariance - wanted).abs().max()))
        if off <= _CLOSE:
            break
        centered = colors - mean[:, None]
        colors = (root(covariance, wanted) @ centered + wanted_mean[:, None]).clamp(0, 1)
    else:
        log.warning(
            "The colors could not be matched: mean or covariance is off by %.3f. Try histogram, or "
            "match before.",
            off,
        )
    return colors.view_as(image).to(image)


def match_histograms(image: Tensor, source: Tensor) -> Tensor:
    """The picture whose red, green and blue each have the source's histogram.

    Equal values stay equal: each becomes the source's at the middle of their ranks.
    """
    channels = [
        _match_channel(values, wanted)
        for values, wanted in zip(image[0].flatten(1), source[0].flatten(1), strict=True)
    ]
    return torch.stack(channels).view_as(image)


def _match_channel(values: Tensor, wanted: Tensor) -> Tensor:
    _, where, counts = torch.unique(values, return_inverse=True, return_counts=True)
    ranks = (counts.cumsum(0) - counts / 2) / len(values)  # in [0, 1]
    table = wanted.sort().values
    at = (ranks.to(table) * len(table) - 0.5).clamp(0, len(table) - 1)
    before = at.floor().long()
    after = (before + 1).clamp(max=len(table) - 1)
    return torch.lerp(table[before], table[after], at - before)[where]


def _colors(image: Tensor) -> Tensor:
    """(3, H·W) in float64 on the CPU, which has it and what roots need."""
    return image[0].flatten(1).to("cpu", torch.float64)


def _moments(colors: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (3,) and covariance (3, 3)."""
    return colors.mean(1), torch.cov(colors, correction=0)


# From the covariance C of the colors and the wanted S: a matrix A with A C Aᵀ = S.
Root = Callable[[Tensor, Tensor], Tensor]


def _cholesky(covariance: Tensor, wanted: Tensor) -> Tensor:
    """L_S L_C⁻¹ of triangular roots."""
    ridge = _RIDGE * torch.eye(3).to(covariance)
    lower = torch.linalg.cholesky(covariance + ridge)
    mapped: Tensor = torch.linalg.cholesky(wanted + ridge) @ torch.linalg.inv(lower)
    return mapped


def _pca(covariance: Tensor, wanted: Tensor) -> Tensor:
    """S^½ C^-½ of symmetric roots, by the principal axes of either picture."""
    return _power(wanted, 0.5) @ _power(covariance, -0.5)


def _symmetric(covariance: Tensor, wanted: Tensor) -> Tensor:
    """C^-½ (C^½ S C^½)^½ C^-½: of all such maps the one that moves colors least."""
    root, inverse = _power(covariance, 0.5), _power(covariance, -0.5)
    return inverse @ _power(root @ wanted @ root, 0.5) @ inverse


def _power(matrix: Tensor, power: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    powered: Tensor = (vectors * values.clamp(min=0).add(_RIDGE) ** power) @ vectors.mT
    return powered


COLORS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "style": lambda image, source: image,
    "luminance": keep_chroma,
    "cholesky": lambda image, source: match_covariance(image, source, _cholesky),
    "pca": lambda image, source: match_covariance(image, source, _pca),
    "symmetric": lambda image, source: match_covariance(image, source, _symmetric),
    "histogram": match_histograms,
}
