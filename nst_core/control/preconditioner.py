"""The initial inverse Hessian of L-BFGS that is assumed of pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..gatys.lbfgs import InitialHessian, Matrix, StepScaling
from .places import Places

# Pairs from which on places are used, and how much of their steepness counts, in logarithms: all of
# it is as good or worse (`benchmarks/NOTES.md`).
_PAIRS, _LOCAL = 3, 0.6
# Values of a picture whose colors are transformed together.
_TOGETHER = 1 << 20


@dataclass(frozen=True)
class Guess:
    """What is assumed of a loss.

    Attributes:
        power: gains fall with the frequency f as 1 / f^power; 0 is not at all.
        chroma: gain of what differs between red, green and blue, as a share of that of gray.
        local: whether pixels gain less where pairs show that the loss is steep.
    """

    power: float
    chroma: float
    local: bool


# With a style, the Hessian's diagonal is nearly flat over frequencies once the first steps are
# done, with trained and with random networks alike; a little smoothing is best for all of them
# (`benchmarks/NOTES.md`).
FOR_STYLE = Guess(power=0.5, chroma=1.0, local=True)
# With content alone, late layers leave much undetermined, and H0 decides what appears there: from
# gray, the search changes each frequency as little as it must, measured by H0. So H0 is what is
# known of pictures: their variance falls as 1 / f² (Field, "Relations between the statistics of
# natural images", J. Opt. Soc. Am. A 4, 1987) and is smaller in color than in gray.
FOR_CONTENT = Guess(power=2.0, chroma=0.25, local=False)


class Spectral(InitialHessian):
    """A smoothing of (1, 3, height, width) images, whose gray gains 1 on average.

    Plain gradients change the grain first and the forms last. The idea is the decorrelated
    parametrization of Mordvintsev et al. ("Differentiable Image Parameterizations", Distill 2018);
    used as H0 instead, it changes neither the picture's space nor its bounds nor the objective,
    only the path. How steep a loss is differs from place to place; `Places` has that from pairs.

    Args:
        height, width: in pixels.
        device: where to compute with waves: the images', or one that has Fourier transforms.
        guess: what is assumed.
    """

    scaling = StepScaling(first=0.01, newest=2.0, growth=2.0)

    def __init__(
        self, height: int, width: int, device: torch.device, guess: Guess = FOR_STYLE
    ) -> None:
        rows = torch.fft.fftfreq(height, device=device)[:, None]  # cycles per pixel
        columns = torch.fft.rfftfreq(width, device=device)[None, :]
        lowest = 1 / max(height, width)  # the mean color is treated like the slowest wave
        gains = torch.hypot(rows, columns).clamp(min=lowest).pow(-guess.power)
        self._gains, self._chroma = gains / gains.mean(), guess.chroma
        self._places = Places(height, width) if guess.local else None
        self.values = self._places.values if self._places else 0
        self._size = height, width

    def of_pair(self, s: Tensor, y: Tensor) -> Tensor:
        """(values,), as `Places`."""
        return self._places.of_pair(s, y) if self._places else s.new_zeros(0)

    def matrix(self, pairs: Tensor) -> "_Smoothing":
        """Pixels gain less where the loss is steep, once there are a few pairs."""
        if self._places is None:
            return _Smoothing(self._size, self._gains, self._chroma)
        enough = (pairs != 0).any(1).sum() >= _PAIRS
        # Half on either side of the waves, so that the matrix stays symmetric.
        weights = (-_LOCAL / 2 * self._places.steepness(pairs)).exp()
        weights = torch.where(enough, weights, 1.0)
        return _Smoothing(self._size, self._gains, self._chroma, weights)


@dataclass(frozen=True, eq=False)
class _Smoothing(Matrix):
    """Waves by their gains, and pixels by their weights before and after.

    Attributes:
        size: (height, width) of the images.
        gains: (height, width // 2 + 1), the factor of each wave, where waves are computed with.
        chroma: gain of colors beside gray.
        weights: (1, 1, height, width); None is 1.
    """

    size: tuple[int, int]
    gains: Tensor
    chroma: float
    weights: Tensor | None = None

    def __call__(self, image: Tensor) -> Tensor:
        """(1, 3, height, width), likewise."""
        smoothed = torch.empty_like(image)
        for colors in _apart(smoothed, image):
            waves = self._waves(colors[1])
            waves *= self.gains
            colors[0].copy_(torch.fft.irfft2(waves, s=self.size))
        if self.chroma != 1:
            gray = smoothed.mean(1, keepdim=True).expand_as(smoothed)
            torch.lerp(gray, smoothed, self.chroma, out=smoothed)
        return smoothed if self.weights is None else smoothed.mul_(self.weights.to(image.dtype))

    def quadratic_form(self, image: Tensor) -> Tensor:
        """The inner product of an image with its smoothing, by Parseval's theorem."""
        height, width = self.size
        power, total = (torch.zeros((), device=self.gains.device) for _ in range(2))
        for (colors,) in _apart(image):
            waves = self._waves(colors)[0]
            power = _power(waves) + power
            if self.chroma != 1:
                total = waves.sum(0) + total
        if self.chroma != 1:
            gray = _power(total[None] / image.shape[1])
            power = torch.lerp(image.shape[1] * gray, power, self.chroma)
        each = power * self.gains
        # A half spectrum stands for twice its waves, but for those that mirror onto themselves.
        alone = each[:, 0].sum() + (each[:, -1].sum() if width % 2 == 0 else 0.0)
        return ((2 * each.sum() - alone) / (height * width)).to(image.device)

    def _waves(self, colors: Tensor) -> Tensor:
        weighted = colors if self.weights is None else colors * self.weights.to(colors.dtype)
        waves: Tensor = torch.fft.rfft2(weighted.to(self.gains.device))
        return waves


def _apart(*images: Tensor) -> Iterator[Sequence[Tensor]]:
    """The colors of images; those of large ones on a processor one by one, for their waves."""
    image = images[0]
    step = 1 if image.device.type == "cpu" and image.numel() > _TOGETHER else image.shape[1]
    yield from zip(*(torch.split(image, step, 1) for image in images), strict=True)


def _power(waves: Tensor) -> Tensor:
    """Squared size over channels: (C, h, w) -> (h, w)."""
    return (waves.real.square() + waves.imag.square()).sum(0)
