"""What L-BFGS assumes about curvature before it has seen any: that of pictures.

A loss on VGG features is steep along fine detail and flat along large shapes, so plain gradient
directions change the grain first and the forms last. Smoothing the first direction by a power of
the frequency evens that out: reaching a given loss takes about half the evaluations. The idea is
the decorrelated parametrization of Mordvintsev et al. ("Differentiable Image Parameterizations",
Distill 2018); used as the initial inverse Hessian instead, it changes neither the picture's space
nor its bounds nor the objective, only the path.

How steep differs between networks, styles and sizes, and from place to place. Each remembered pair
of a step and the gradient's change tells it for every frequency and every few pixels, and so the
power is only the first guess.

Where a loss says nothing, the path decides what the picture is: started from gray, it takes from
each wave as little as will do, measured against this matrix. With content alone that matters, for
late layers leave much unsaid; there the matrix is what is known of pictures: their variance falls
as 1 / f² (Field, "Relations between the statistics of natural images", J. Opt. Soc. Am. A 4, 1987)
and is smaller in color than in gray.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .places import Places

# Pairs that say enough to be listened to, bands of an octave, and the flattest that a band may be.
_PAIRS, _BANDS, _FLATTEST = 3, 2, 1e-3
_TINY = 1e-30
_BLOCK = 256  # waves


@dataclass(frozen=True)
class Guess:
    """What is assumed of a loss.

    Attributes:
        power: gains fall as 1 / f^power; 0 is not at all.
        trust: how much of the difference that was learned counts, in logarithms, from 0 to 1.
        chroma: gain of what differs between red, green and blue, as a share of that of gray.
    """

    power: float
    trust: float
    chroma: float


# `benchmarks/preconditioner.py` prints what others do.
FOR_STYLE = Guess(power=1.0, trust=0.6, chroma=1.5)
FOR_CONTENT = Guess(power=2.0, trust=0.0, chroma=0.25)


class Spectral:
    """A smoothing of (1, 3, height, width) images, whose gray gains 1 on average.

    Args:
        height, width: in pixels.
        device: of the images.
        guess: what is assumed at first.
    """

    def __init__(
        self, height: int, width: int, device: torch.device, guess: Guess = FOR_STYLE
    ) -> None:
        rows = torch.fft.fftfreq(height, device=device)[:, None]  # cycles per pixel
        columns = torch.fft.rfftfreq(width, device=device)[None, :]
        lowest = 1 / max(height, width)  # the mean color is treated like the slowest wave
        self._octaves = torch.hypot(rows, columns).clamp(min=lowest).log2()
        self._size, self._guess, self._places = (height, width), guess, Places(height, width)
        place = (self._octaves - self._octaves.min()) * _BANDS  # of each wave, in bands
        self._band = place.round().long().flatten()
        self._blocks, self._owners = _blocks(self._band)
        bands = self._owners.shape[1]
        self._middles = torch.arange(bands, device=device) / _BANDS  # in octaves

    def lessons(self, count: int) -> Tensor:
        """(count, 2 * bands + those of `Places`) of zeros."""
        return self._owners.new_zeros(count, 2 * len(self._middles) + self._places.values)

    def lesson(self, step: Tensor, change: Tensor) -> Tensor:
        """<s, s> of the waves in each band, <s, y> of them, and the lesson of `Places`."""
        by_band = self._by_band(step, change).to(self._owners)
        return torch.cat([by_band.flatten(), self._places.lesson(step, change).to(by_band)])

    def matrix(self, lessons: Tensor) -> "_Smoothing":
        """Waves and places gain less where a loss is steep."""
        bands = len(self._middles)
        by_band, by_place = torch.split(lessons, [2 * bands, self._places.values], dim=1)
        by_band = by_band.view(-1, 2, bands)
        enough = by_band[:, 0].any(-1).sum() >= _PAIRS
        gains = self._gains(by_band, enough)
        if not self._guess.trust:
            return _Smoothing(self._size, gains, self._guess.chroma)
        # Half on either side of the waves, so that the matrix stays symmetric.
        weights = (-self._guess.trust / 2 * self._places.steepness(by_place)).exp()
        return _Smoothing(self._size, gains, self._guess.chroma, torch.where(enough, weights, 1.0))

    def _by_band(self, step: Tensor, change: Tensor) -> Tensor:
        """(2, bands)."""
        waves, answers = torch.fft.rfft2(step)[0], torch.fft.rfft2(change)[0]
        products = torch.stack([_product(waves, waves), _product(waves, answers)]).flatten(1)
        sums = F.pad(products, (0, 1))[:, self._blocks].sum(-1)  # (2, blocks)
        return sums @ self._owners.to(sums)

    def _gains(self, lessons: Tensor, enough: Tensor) -> Tensor:
        """(height, width // 2 + 1), the factor of each wave."""
        gains = -self._guess.power * self._octaves
        if self._guess.trust:
            beyond = self._guess.power * self._middles - self._curvatures(lessons)
            # Never more for fine detail than the guess: what a loss does not see, as high
            # frequencies from late layers, would fill with noise.
            beyond = torch.where(enough, self._guess.trust * beyond.cummin(0).values, 0.0)
            gains = gains + beyond[self._band].view_as(gains)
        gains = ((gains - gains.max()) * math.log(2)).exp()  # CUDA compiles `exp2` when asked
        return gains / gains.mean()

    def _curvatures(self, lessons: Tensor) -> Tensor:
        """(bands,) logarithms of <s, y> / <s, s>, each the mean of three neighbors."""
        steps, changes = lessons.sum(0).clamp(min=_TINY)
        curvatures = changes / steps
        curvatures = curvatures.clamp(min=curvatures.max() * _FLATTEST).log2()
        padded = F.pad(curvatures[None, None], (1, 1), mode="replicate")
        return F.avg_pool1d(padded, 3, 1)[0, 0]


@dataclass(frozen=True, eq=False)
class _Smoothing:
    """Waves by their gains, and places by their weights before and after.

    Attributes:
        size: (height, width) of the images.
        gains: (height, width // 2 + 1), the factor of each wave.
        chroma: gain of colors beside gray.
        weights: (1, 1, height, width); None is 1.
    """

    size: tuple[int, int]
    gains: Tensor
    chroma: float
    weights: Tensor | None = None

    def __call__(self, image: Tensor) -> Tensor:
        """(1, 3, height, width), likewise."""
        spectrum = torch.fft.rfft2(self._weighed(image)) * self.gains.to(image.dtype)
        smoothed: Tensor = torch.fft.irfft2(spectrum, s=self.size)
        gray = smoothed.mean(1, keepdim=True)
        return self._weighed(torch.lerp(gray, smoothed, self.chroma))

    def energy(self, image: Tensor) -> Tensor:
        """The inner product of an image with its smoothing, by Parseval's theorem."""
        waves = torch.fft.rfft2(self._weighed(image))[0]
        height, width = self.size
        gray = waves.mean(0, keepdim=True).expand_as(waves)
        each = torch.lerp(_product(gray, gray), _product(waves, waves), self.chroma) * self.gains
        # A half spectrum stands for twice its waves, but for those that mirror onto themselves.
        alone = each[:, 0].sum() + (each[:, -1].sum() if width % 2 == 0 else 0.0)
        return (2 * each.sum() - alone) / (height * width)

    def _weighed(self, image: Tensor) -> Tensor:
        return image if self.weights is None else image * self.weights.to(image.dtype)


def _blocks(band: Tensor) -> tuple[Tensor, Tensor]:
    """How to add up values by their bands, always in the same order.

    Graphics cards add up whatever comes first when they are told where each value goes. Here all
    waves of a block belong to one band, and blocks are added up by a product of matrices.

    Returns:
        (blocks, 256) places of the waves, after the last one where there is none; and (blocks,
        bands), 1 where a block belongs to a band.
    """
    rows, owners = [], []
    by_band = torch.split(band.argsort(stable=True), band.bincount().tolist())
    for number, places in enumerate(by_band):
        padded = F.pad(places, (0, -len(places) % _BLOCK), value=len(band)).view(-1, _BLOCK)
        rows.append(padded)
        owners += [number] * len(padded)
    of = torch.tensor(owners, device=band.device)
    return torch.cat(rows), F.one_hot(of).to(torch.float32)


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of two waves' three channels, real: (3, h, w) -> (h, w)."""
    return (a.real * b.real + a.imag * b.imag).sum(0)
