"""Small pictures drawn by code, so that demos, tests and workflows run on an empty machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from ...errors import SettingsError
from ...settings.samples import CONTENTS, MIN_SIZE, STYLES, sample_named
from . import brushstrokes, harbor, ink, landscape, marbling, mosaic, portrait, stained_glass, waves
from .canvas import Canvas

__all__ = ["CONTENTS", "MIN_SIZE", "STYLES", "sample"]

# Ripples and cut lines are finer than the pixels of a thumbnail and would alias if drawn in it.
MIN_DRAWN = 256

_PAINTERS: Mapping[str, Callable[[int], Canvas]] = {
    "harbor": harbor.paint,
    "portrait": portrait.paint,
    "landscape": landscape.paint,
    "brushstrokes": brushstrokes.paint,
    "mosaic": mosaic.paint,
    "waves": waves.paint,
    "stained_glass": stained_glass.paint,
    "ink": ink.paint,
    "marbling": marbling.paint,
}


def sample(name: str, size: int = 512) -> Tensor:
    """Draw one of `CONTENTS` or `STYLES`: the same composition at every size.

    Args:
        name: A key of `CONTENTS` or `STYLES`.
        size: Pixels of the longer side, at least 16.

    Returns:
        (1, 3, H, W) float32 RGB in [0, 1], the same bytes at every call. Another processor, or
        another NumPy or Pillow, may draw some pixels a little differently.

    Raises:
        SettingsError: There is no such sample, or `size` is too small.
    """
    name = sample_named(name)
    if size < MIN_SIZE:
        raise SettingsError(
            f"A sample of {size} px is too small to show anything. Use {MIN_SIZE} px or more."
        )
    # Enlarged by a whole number, so that every pixel averages equally many.
    drawn = size * -(-MIN_DRAWN // size)
    return _PAINTERS[name](drawn).tensor(size)
