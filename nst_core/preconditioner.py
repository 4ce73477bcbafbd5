"""What L-BFGS assumes about curvature before it has seen any: that of pictures.

A loss on VGG features is steep along fine detail and flat along large shapes, so plain gradient
directions change the grain first and the forms last. Smoothing the first direction by a power of
the frequency evens that out: reaching a given loss takes about half the evaluations. The idea is
the decorrelated parametrization of Mordvintsev et al. ("Differentiable Image Parameterizations",
Distill 2018); used as the initial inverse Hessian instead, it changes neither the picture's space
nor its bounds nor the objective, only the path.
"""

from collections.abc import Callable

import torch
from torch import Tensor

# Gains fall as 1 / f^0.75. `benchmarks/preconditioner.py` prints what other powers do.
POWER = 0.75


def spectral(
    height: int, width: int, device: torch.device, power: float = POWER
) -> Callable[[Tensor], Tensor]:
    """A symmetric positive smoothing of (1, 3, height, width) images, of gain 1 on average.

    Args:
        height, width: in pixels.
        device: of the images.
        power: how much more slow waves gain than fast ones; 0 changes nothing.
    """
    rows = torch.fft.fftfreq(height, device=device)[:, None]  # cycles per pixel
    columns = torch.fft.rfftfreq(width, device=device)[None, :]
    lowest = 1 / max(height, width)  # the mean color is treated like the slowest wave
    gain = torch.hypot(rows, columns).clamp(min=lowest) ** -power  # (height, width // 2 + 1)
    gain = gain / gain.mean()

    def smooth(image: Tensor) -> Tensor:
        spectrum = torch.fft.rfft2(image) * gain.to(image.dtype)
        smoothed: Tensor = torch.fft.irfft2(spectrum, s=(height, width))
        return smoothed

    return smooth


def identity(image: Tensor) -> Tensor:
    """The plain L-BFGS of the textbooks: nothing is assumed."""
    return image
