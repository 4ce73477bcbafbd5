"""Settings back from a PNG that was made here or by the command line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ImageError, SettingsError
from ..image_io import read_metadata
from ..samples import CONTENTS, STYLES
from ..settings import PRESETS, Settings
from .controls import NAMES, SERVER, checked
from .pictures import SAMPLE
from .result import KEY


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a picture says about how it was made.

    Attributes:
        settings: all but the server's own.
        preset: the page's menu; the first one for pictures of the command line.
        strength: of the page's slider; `settings.style_weight` is without it.
        rest: settings that have no control.
        names: of the content and the styles.
        shares: of the styles.
    """

    settings: Settings
    preset: str
    strength: float
    rest: Mapping[str, Any]
    names: tuple[str, ...]
    shares: tuple[float, ...]

    @property
    def missing(self) -> list[str]:
        """Pictures that the visitor has to choose again: no sample of ours has their name."""
        known = {SAMPLE + name for name in (*CONTENTS, *STYLES)}
        return [name for name in self.names if name not in known]


def restore(path: str) -> Restored:
    """Read the settings in a picture.

    Raises:
        ImageError: the file is no picture, or no settings of ours are in it.
        SettingsError: the settings in it are not possible.
    """
    try:
        text = read_metadata(path).get(KEY)
    except ImageError as error:
        name = Path(path).name
        raise ImageError(str(error).replace(path, name)) from error
    if text is None:
        raise ImageError(
            f"'{Path(path).name}' holds no settings. Choose a PNG that was made here or by nst; "
            "programs that edit or send pictures often drop what is stored in them."
        )
    try:
        return _restored(json.loads(text))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise SettingsError(
            f"The settings in '{Path(path).name}' cannot be read. They were damaged or made by "
            "another version."
        ) from error


def _restored(summary: Mapping[str, Any]) -> Restored:
    preset = str(summary.get("preset", ""))
    preset = preset if preset in PRESETS else next(iter(PRESETS))
    given = {k: v for k, v in summary["settings"].items() if k not in SERVER}
    strength = float(summary.get("style_strength", 1.0))
    # What the slider multiplied is divided out; at 0 nothing is left to divide.
    if strength and 0 < strength <= 4:
        given["style_weight"] = given["style_weight"] / strength
    else:
        strength = 1.0
    settings = checked(PRESETS[preset].settings, given)
    styles = tuple(str(name) for name in summary["styles"])
    shares = tuple(float(share) for share in summary.get("shares", [1.0] * len(styles)))
    return Restored(
        settings=settings,
        preset=preset,
        strength=strength,
        rest={k: v for k, v in given.items() if k not in NAMES},
        names=(str(summary["content"]), *styles),
        shares=shares,
    )
