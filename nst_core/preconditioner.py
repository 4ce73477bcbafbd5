"""What L-BFGS assumes about curvature before it has seen any: that of pictures.

A loss on VGG features is steep along fine detail and flat along large shapes, so plain gradient
directions change the grain first and the forms last. Smoothing the first direction by a power of
the frequency evens that out: reaching a given loss takes about half the evaluations. The idea is
the decorrelated parametrization of Mordvintsev et al. ("Differentiable Image Parameterizations",
Distill 2018); used as the initial inverse Hessian instead, it changes neither the picture's space
nor its bounds nor the objective, only the path.

How steep differs between networks, styles and sizes. Each remembered pair of a step and the
gradient's change tells it for every frequency, and so the power is only the first guess.

Where a loss says nothing, the path decides what the picture is: started from gray, it takes from
each wave as little as will do, measured against this matrix. With content alone that matters, for
late layers leave much unsaid; there the matrix is what is known of pictures: their variance falls
as 1 / f² (Field, "Relations between the statistics of natural images", J. Opt. Soc. Am. A 4, 1987)
and is smaller in color than in gray.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

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


class Preconditioner(Protocol):
    """An inverse Hessian to start from, up to a factor; symmetric and positive."""

    def lessons(self, count: int) -> Tensor:
        """(count, ...) room for so many lessons, of which none is known."""

    def lesson(self, step: Tensor, change: Tensor) -> Tensor:
        """What a step and the gradient's change teach, to be kept with the pair."""

    def gains(self, lessons: Tensor) -> Tensor:
        """What the lessons make of the matrix."""

    def __call__(self, image: Tensor, gains: Tensor) -> Tensor:
        """The matrix with such gains, times an image."""

    def energy(self, image: Tensor, gains: Tensor) -> Tensor:
        """The inner product of an image with the matrix times the image, a scalar."""


class Identity:
    """The plain L-BFGS of the textbooks: nothing is assumed, nothing learned.

    Args:
        device: of the images.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def lessons(self, count: int) -> Tensor:
        """(count, 0)."""
        return torch.zeros(count, 0, device=self._device)

    def lesson(self, step: Tensor, change: Tensor) -> Tensor:
        """(0,)."""
        return torch.zeros(0, device=self._device)

    def gains(self, lessons: Tensor) -> Tensor:
        """Nothing."""
        return lessons

    def __call__(self, image: Tensor, gains: Tensor) -> Tensor:
        """The image itself."""
        return image

    def energy(self, image: Tensor, gains: Tensor) -> Tensor:
        """The image's square."""
        return image.square().sum()


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
        self._size, self._guess = (height, width), guess
        place = (self._octaves - self._octaves.min()) * _BANDS  # of each wave, in bands
        self._band = place.round().long().flatten()
        self._blocks, self._owners = _blocks(self._band)
        # A half spectrum stands for twice its waves, but for those that mirror onto themselves.
        self._copies = torch.full((width // 2 + 1,), 2.0, device=device)
        self._copies[0] = 1.0
        if width % 2 == 0:
            self._copies[-1] = 1.0
        bands = self._owners.shape[1]
        self._middles = torch.arange(bands, device=device) / _BANDS  # in octaves

    def lessons(self, count: int) -> Tensor:
        """(count, 2, bands) of zeros."""
        return self._owners.new_zeros(count, 2, self._owners.shape[1])

    def lesson(self, step: Tensor, change: Tensor) -> Tensor:
        """(2, bands): <s, s> and <s, y> of the waves in each band."""
        waves, answers = torch.fft.rfft2(step)[0], torch.fft.rfft2(change)[0]
        products = torch.stack([_product(waves, waves), _product(waves, answers)]).flatten(1)
        sums = F.pad(products, (0, 1))[:, self._blocks].sum(-1)  # (2, blocks)
        return (sums @ self._owners.to(sums)).to(self._owners)

    def gains(self, lessons: Tensor) -> Tensor:
        """(height, width // 2 + 1), the factor of each wave."""
        gains = -self._guess.power * self._octaves
        if self._guess.trust:
            enough = lessons[:, 0].any(-1).sum() >= _PAIRS
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

    def __call__(self, image: Tensor, gains: Tensor) -> Tensor:
        """(1, 3, height, width), each wave by its gain, and its color by that of color."""
        spectrum = torch.fft.rfft2(image) * gains.to(image.dtype)
        smoothed: Tensor = torch.fft.irfft2(spectrum, s=self._size)
        gray = smoothed.mean(1, keepdim=True)
        return torch.lerp(gray, smoothed, self._guess.chroma)

    def energy(self, image: Tensor, gains: Tensor) -> Tensor:
        """The inner product of an image with its smoothing, by Parseval's theorem."""
        waves = torch.fft.rfft2(image)[0]
        height, width = self._size
        gray = waves.mean(0, keepdim=True).expand_as(waves)
        each = torch.lerp(_product(gray, gray), _product(waves, waves), self._guess.chroma)
        return (each * gains * self._copies).sum() / (height * width)


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
