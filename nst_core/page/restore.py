"""Settings back from a PNG that was made here or by the command line."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ImageError, SettingsError
from ..files.json_text import parsed
from ..files.read_image import read_metadata
from ..run.report import file_name
from ..settings import PRESETS, Settings
from ..settings.loss import shares_in
from ..settings.samples import CONTENTS, SAMPLE, STYLES
from .canvas import png_in, url_of
from .controls import SERVER, checked
from .kinds import Kind, kind_of
from .regions import COLORS
from .result import KEY

T = TypeVar("T")
# Of values that are not what we write: also lists in lists too deep to read, and integers too long
# for a float.
_DAMAGE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, ArithmeticError)
# As long as a file system lets a name be.
_NAME_LENGTH = 255
# Bytes of settings that are read. Drawings have some kilobytes each.
_LONGEST = 16 * 2**20


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a picture says about how it was made.

    Attributes:
        kind: what it is.
        settings: all but the server's own.
        preset: of the kind's; the first one for pictures of the command line.
        strength: of the page's slider; `settings.style_weight` is without it.
        rest: settings that have no control.
        content: name of the content; "" is none.
        styles: names of the styles by their places, as many as the page has; "" is none.
        shares: of the styles.
        left_out: styles of the command line for which the page has no place.
        map, parts: what was painted over the content and over each style.
    """

    kind: Kind
    settings: Settings
    preset: str
    strength: float
    rest: Mapping[str, Any]
    content: str
    styles: tuple[str, ...]
    shares: tuple[float, ...]
    left_out: int
    map: str
    parts: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """Pictures that the visitor has to choose again: no sample of ours has their name."""
        known = {"", *(SAMPLE + name for name in (*CONTENTS, *STYLES))}
        return [name for name in (self.content, *self.styles) if name not in known]


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
        if len(text) > _LONGEST:
            raise ValueError("too long")
        return _restored(parsed(text))
    except _DAMAGE as error:
        raise SettingsError(
            f"The settings in '{Path(path).name}' cannot be read. They were damaged or made by "
            "another version."
        ) from error


def _restored(summary: Mapping[str, Any]) -> Restored:
    styles = [_name(name) for name in summary["styles"]]
    kind = kind_of(summary["content"] is not None, len(styles))
    preset = str(summary.get("preset", ""))
    preset = preset if preset in kind.presets else kind.presets[0]
    given = {k: v for k, v in summary["settings"].items() if k not in SERVER}
    strength = float(summary.get("style_strength", 1.0))
    # What the slider multiplied is divided out; at 0 nothing is left to divide.
    if strength and 0 < strength <= 4:
        given["style_weight"] = given["style_weight"] / strength
    else:
        strength = 1.0
    settings = checked(PRESETS[preset].settings, given)
    drawn = summary.get("drawn", {})
    shares = summary.get("shares") or shares_in(settings.style_shares) or [1.0] * len(styles)
    shares = [_share(share) for share in shares]
    most = max([1.0, *shares])  # the command line's may be above 1
    parts = drawn.get("parts", [])[: len(COLORS)]  # each is decoded, to see that it is one
    places = [COLORS.index(color) for color in drawn.get("colors", COLORS[: len(styles)])]
    return Restored(
        kind=kind,
        settings=settings,
        preset=preset,
        strength=strength,
        rest={k: v for k, v in given.items() if k not in kind.settings},
        content=_name(summary["content"] or ""),
        styles=_placed(styles, places, "", kind),
        shares=_placed([share / most for share in shares], places, 1.0, kind),
        left_out=max(0, len(styles) - kind.styles),
        map=_drawing(drawn.get("map")),
        parts=_placed([_drawing(part) for part in parts], places, "", kind),
    )


def _name(stored: Any) -> str:
    """The name of a picture: one line, without folders, which earlier versions stored too."""
    # Half a character, which JSON can hold and no answer of a server, becomes a question mark.
    name = file_name(str(stored)).replace("\0", " ").encode(errors="replace").decode()
    return " ".join(name.split())[:_NAME_LENGTH]


def _share(stored: Any) -> float:
    share = float(stored)
    if not (math.isfinite(share) and share >= 0):
        raise ValueError("a share that is none")
    return share


def _placed(values: Sequence[T], places: Sequence[int], empty: T, kind: Kind) -> tuple[T, ...]:
    """Values of styles at the places that the styles had on the page."""
    by_place = dict(zip(places, values, strict=False))
    return tuple(by_place.get(place, empty) for place in range(kind.styles))


def _drawing(text: Any) -> str:
    """A drawing as the page takes it: what is in a file was looked at before."""
    return url_of(png_in(text))
