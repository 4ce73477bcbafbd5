"""What a visitor asks for, made from inputs that nobody has looked at yet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from ..settings import ServingSettings, Settings
from .canvas import png_in
from .controls import check_slider, settings_of
from .job import Picture, Request
from .kinds import Kind
from .pictures import Samples
from .regions import COLORS, check_painted


def request_of(
    kind: Kind,
    *,
    samples: Samples,
    limits: ServingSettings,
    content: str | None = None,
    styles: Sequence[str | None] = (),
    shares: Sequence[float] | None = None,
    preset: str | None = None,
    strength: float = 1.0,
    given: Mapping[str, Any],
    map_: Any = None,
    parts: Sequence[Any] = (),
) -> Request:
    """What is asked for, checked as far as it can be without decoding pictures.

    Args:
        kind: what shall be made.
        samples, limits: of the page.
        content, styles: paths; None where there is none.
        shares: of each style; None is equal shares.
        preset, strength, given: as `settings_of` takes them; None is the kind's usual preset.
        map_, parts: what is painted over the content and over each style, as `png_in` takes it.

    Raises:
        SettingsError: a picture is missing, or a setting is not possible or not allowed.
    """
    preset = preset or kind.presets[0]
    settings = settings_of(preset, strength, given)
    check_allowed(settings, limits)
    request = Request(
        content=_content(content, samples) if kind.content else None,
        styles=_styles(styles, shares, parts, samples) if kind.styles else (),
        map=png_in(map_),
        settings=settings,
        preset=preset,
        strength=strength,
    )
    check_painted(request)
    return request


def check_allowed(settings: Settings, limits: ServingSettings) -> None:
    """Raise SettingsError if the settings ask for more than this page gives."""
    for name, value, most in (
        ("Size", settings.size, limits.max_size),
        ("Effort", settings.steps, limits.max_steps),
    ):
        if value > most:
            raise SettingsError(
                f"{name} {value:,} is more than this page gives ({most:,}). Choose less, or "
                "run nst-gram on a machine of your own."
            )


def _content(path: str | None, samples: Samples) -> Picture:
    if path is None:
        raise SettingsError("There is no content picture. Upload one, or click on a sample.")
    return Picture(path=_there(path), name=samples.name_of(path))


def _styles(
    paths: Sequence[str | None],
    shares: Sequence[float] | None,
    parts: Sequence[Any],
    samples: Samples,
) -> tuple[Picture, ...]:
    shares = [1.0] * len(paths) if shares is None else shares
    for share in shares:
        check_slider("style_share", share)
    if not any(paths):
        raise SettingsError("There is no style picture. Upload one, or click on a sample.")
    parts = parts or [None] * len(paths)
    styles = tuple(
        Picture(
            path=_there(path),
            name=samples.name_of(path),
            share=float(share),
            color=color,
            part=png_in(part),
        )
        for path, share, color, part in zip(paths, shares, COLORS, parts, strict=False)
        if path and share
    )
    if not styles:
        raise SettingsError("All shares of the styles are 0. Raise one under 'More styles'.")
    return styles


def _there(path: str) -> str:
    if not Path(path).is_file():
        raise SettingsError(f"'{Path(path).name}' is no longer here. Choose it again.")
    return path
