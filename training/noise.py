"""Noise of any spectrum, in batches, by Fourier transforms."""

import math

import torch
from torch import Tensor


def noise(
    frequency: Tensor,
    bandwidth: Tensor,
    size: int,
    generator: torch.Generator,
    angle: Tensor | None = None,
    elongation: Tensor | None = None,
) -> Tensor:
    """(n, size, size) noise of unit variance in a band around a frequency, maybe stretched."""
    spectrum = white(len(frequency), size, generator)
    gain = band(frequency, bandwidth, size)
    if angle is not None and elongation is not None:
        gain = gain * directed(angle, elongation, size)
    return standard(torch.fft.irfft2(spectrum * gain, s=(size, size)))


def white(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Half spectra of white noise."""
    return torch.fft.rfft2(
        torch.randn(count, size, size, generator=generator, device=generator.device)
    )


def polar(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Radius in cycles per pixel and angle of every wave of a half spectrum."""
    rows = torch.fft.fftfreq(size, device=device)[:, None]
    columns = torch.fft.rfftfreq(size, device=device)[None, :]
    return torch.hypot(rows, columns).clamp(min=0.25 / size), torch.atan2(rows, columns)


def band(frequency: Tensor, octaves: Tensor, size: int) -> Tensor:
    """Gains of a band so many octaves wide around each frequency, (n, S, S // 2 + 1)."""
    radius, _ = polar(size, frequency.device)
    distance = (radius / frequency.view(-1, 1, 1)).log2() / octaves.view(-1, 1, 1)
    return (-0.5 * distance.square()).exp()


def directed(angle: Tensor, elongation: Tensor, size: int) -> Tensor:
    """Waves across `angle` pass, so that what they draw is stretched along it."""
    _, direction = polar(size, angle.device)
    across = direction - angle.view(-1, 1, 1) - math.pi / 2
    sharp = (6 * elongation).view(-1, 1, 1)
    return (sharp * ((2 * across).cos() - 1)).exp()


def standard(field: Tensor) -> Tensor:
    """Mean 0 and variance 1 in each of (n, S, S)."""
    deviation, mean = torch.std_mean(field, dim=(1, 2), keepdim=True)
    return (field - mean) / deviation.clamp(min=1e-6)
