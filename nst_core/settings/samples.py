"""The names of the pictures drawn by code."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from ..errors import SettingsError

# Before the name of a sample, where a picture is named.
SAMPLE = "sample:"
# Below this a picture is a few blots, and VGG-16's deepest layers have no feature left.
MIN_SIZE = 16

CONTENTS: Mapping[str, str] = MappingProxyType(
    {
        "harbor": "Gabled houses, sailing boats and their reflections at sunset (4:3).",
        "portrait": "Bust of a woman in side light before a dark backdrop (3:4).",
        "landscape": "A river between wooded hills, mountains and clouds (3:2).",
    }
)

# Moving ones, of any length.
MOVING: Mapping[str, str] = MappingProxyType(
    {
        "harbor": "Boats sail past one another, and the water sways (4:3).",
        "portrait": "The camera comes nearer to a face (3:4).",
        "meadow": "The camera turns over hills (3:2).",
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

_SPELLINGS = {"harbour": "harbor"}


def sample_named(name: str) -> str:
    """A key of `CONTENTS` or `STYLES`; SettingsError with near names otherwise."""
    name = _SPELLINGS.get(name, name)
    names = (*CONTENTS, *STYLES)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        known = ", ".join(names)
        raise SettingsError(f"There is no sample called {name!r}. {hint}Known samples: {known}.")
    return name


def moving_named(name: str) -> str:
    """A key of `MOVING`; SettingsError otherwise."""
    name = _SPELLINGS.get(name, name)
    if name not in MOVING:
        known = ", ".join(MOVING)
        raise SettingsError(f"There is no moving sample called {name!r}. There are: {known}.")
    return name


def drawn_size(size: int) -> int:
    """The size to draw a sample in for a result of `size`.

    A little larger than needed: a square result asks for more than the shorter side.
    """
    return max(size, 512)
