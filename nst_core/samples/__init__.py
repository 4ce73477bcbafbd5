"""Small pictures drawn by code, so that demos, tests and workflows run on an empty machine."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor

from ..errors import SettingsError
from . import brushstrokes, harbor, ink, landscape, marbling, mosaic, portrait, stained_glass, waves
from .canvas import Canvas

__all__ = ["CONTENTS", "MIN_SIZE", "STYLES", "sample"]

# Below this a picture is a few blots, and VGG-16's deepest layers have no feature left.
MIN_SIZE = 16
# Ripples and cut lines are finer than the pixels of a thumbnail and would alias if drawn in it.
MIN_DRAWN = 256

CONTENTS: Mapping[str, str] = MappingProxyType(
    {
        "harbor": "Gabled houses, sailing boats and their reflections at sunset (4:3).",
        "portrait": "Bust of a woman in side light before a dark backdrop (3:4).",
        "landscape": "A river between wooded hills, mountains and clouds (3:2).",
    }
)

STYLES: Mapping[str, str] = MappingProxyType(
    {
        "brushstrokes": "Thick oil strokes swirling around lights, night blue and yellow (5:4).",
        "mosaic": "Fans of glass and stone tesserae in dark grout (1:1).",
        "waves": "Woodcut of curling waves, indigo and cream (3:2).",
        "stained_glass": "Jewel-colored panes in dark lead, lit from behind (3:4).",
        "ink": "Bamboo in ink wash on warm paper, with splatter and a red seal (4:5).",
        "marbling": "Marbled paper: bands of ink combed and swirled (4:3).",
    }
)

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

_SPELLINGS = {"harbour": "harbor"}


def sample(name: str, size: int = 512) -> Tensor:
    """Draw one of `CONTENTS` or `STYLES`: the same composition at every size.

    Args:
        name: A key of `CONTENTS` or `STYLES`.
        size: Pixels of the longer side, at least 16.

    Returns:
        (1, 3, H, W) float32 RGB in [0, 1], the same bytes at every call.

    Raises:
        SettingsError: There is no such sample, or `size` is too small.
    """
    name = _SPELLINGS.get(name, name)
    if name not in _PAINTERS:
        near = difflib.get_close_matches(name, _PAINTERS, n=3)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        known = ", ".join(_PAINTERS)
        raise SettingsError(f"There is no sample called {name!r}. {hint}Known samples: {known}.")
    if size < MIN_SIZE:
        raise SettingsError(
            f"A sample of {size} px is too small to show anything. Use {MIN_SIZE} px or more."
        )
    # Enlarged by a whole number, so that every pixel averages equally many.
    drawn = size * -(-MIN_DRAWN // size)
    return _PAINTERS[name](drawn).tensor(size)
