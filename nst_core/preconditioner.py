"""What L-BFGS assumes of an inverse Hessian before it has seen any pair (H0 of the textbooks)."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class StepScaling:
    """How far to go where no pair says anything.

    Attributes:
        first: how far the first step moves the image's values on average.
        newest: H0 is scaled to fit the newest pair (Nocedal and Wright, equation 7.20), times this.
            The fit is to the gradient's change, which the steepest directions dominate.
        growth: a step that finds negative curvature was too short, and the next line search begins
            so many times as far away. 1 is never farther than L-BFGS says.
    """

    first: float
    newest: float
    growth: float


class Preconditioner(Protocol):
    """The initial inverse Hessian, up to a factor; symmetric and positive."""

    @property
    def scaling(self) -> StepScaling:
        """How far to go with it."""

    def __call__(self, image: Tensor) -> Tensor:
        """H0 times an image."""

    def quadratic_form(self, image: Tensor) -> Tensor:
        """The inner product of an image with H0 times the image, a scalar."""


class Identity:
    """Plain L-BFGS: nothing is assumed."""

    scaling = StepScaling(first=0.01, newest=1.5, growth=1.0)

    def __call__(self, image: Tensor) -> Tensor:
        """The image itself."""
        return image

    def quadratic_form(self, image: Tensor) -> Tensor:
        """The image's square."""
        return image.square().sum()


@dataclass(frozen=True)
class Guess:
    """What is assumed of a loss.

    Attributes:
        power: gains fall with the frequency f as 1 / f^power; 0 is not at all.
        chroma: gain of what differs between red, green and blue, as a share of that of gray.
    """

    power: float
    chroma: float


# With a style, the Hessian's diagonal is nearly flat over frequencies once the first steps are
# done, with trained and with random networks alike; a little smoothing is best for all of them
# (`benchmarks/NOTES.md`).
FOR_STYLE = Guess(power=0.5, chroma=1.0)
# With content alone, late layers leave much unsaid, and H0 decides what is seen there: started from
# gray, the path takes from each wave as little as will do, measured against it. So it is what is
# known of pictures: their variance falls as 1 / f² (Field, "Relations between the statistics of
# natural images", J. Opt. Soc. Am. A 4, 1987) and is smaller in color than in gray.
FOR_CONTENT = Guess(power=2.0, chroma=0.25)


class Spectral:
    """A smoothing of (1, 3, height, width) images, whose gray gains 1 on average.

    Plain gradients change the grain first and the forms last. The idea is the decorrelated
    parametrization of Mordvintsev et al. ("Differentiable Image Parameterizations", Distill 2018);
    used as H0 instead, it changes neither the picture's space nor its bounds nor the objective,
    only the path.

    Args:
        height, width: in pixels.
        device: of the images.
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
        self._size, self._chroma, self._gains = (height, width), guess.chroma, gains / gains.mean()

    def __call__(self, image: Tensor) -> Tensor:
        """(1, 3, height, width), likewise."""
        spectrum = torch.fft.rfft2(image) * self._gains.to(image.dtype)
        smoothed: Tensor = torch.fft.irfft2(spectrum, s=self._size)
        if self._chroma == 1:
            return smoothed
        return torch.lerp(smoothed.mean(1, keepdim=True), smoothed, self._chroma)

    def quadratic_form(self, image: Tensor) -> Tensor:
        """The inner product of an image with its smoothing, by Parseval's theorem."""
        waves = torch.fft.rfft2(image)[0]
        height, width = self._size
        gray = waves.mean(0, keepdim=True).expand_as(waves)
        each = torch.lerp(_power(gray), _power(waves), self._chroma) * self._gains
        # A half spectrum stands for twice its waves, but for those that mirror onto themselves.
        alone = each[:, 0].sum() + (each[:, -1].sum() if width % 2 == 0 else 0.0)
        return (2 * each.sum() - alone) / (height * width)


def _power(waves: Tensor) -> Tensor:
    """Squared size over the three channels: (3, h, w) -> (h, w)."""
    return (waves.real.square() + waves.imag.square()).sum(0)
