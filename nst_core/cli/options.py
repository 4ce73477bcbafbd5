"""Flags made from the fields of `settings`: their names, types, limits, defaults and help."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import Field, replace
from typing import Any, TypeVar

import typer
from rich.markup import escape

from ..settings import (
    STARTS,
    ColorSettings,
    LossSettings,
    NetworkSettings,
    ReadSettings,
    RunSettings,
    Settings,
    WriteSettings,
    preset_named,
)
from ..settings.option import Checked, own_fields
from ..settings.video import VideoFileSettings, VideoSettings

T = TypeVar("T")
K = TypeVar("K", bound=Checked)

# Types as a person would say them.
_KINDS = {int: "NUMBER", float: "NUMBER", str: "TEXT"}
_Panels = Mapping[str, type[Checked]]
_OF_PICTURES: _Panels = {
    "Losses: what a good picture is": LossSettings,
    "Colors: whose the result has": ColorSettings,
    "Run: how the picture is found": RunSettings,
    "Network: which VGG-16 looks at the pictures": NetworkSettings,
    "Files: what is read": ReadSettings,
}
_PANELS: _Panels = {**_OF_PICTURES, "Files: what is written": WriteSettings}
_VIDEO_PANELS: _Panels = {
    "Video: how frames hang together": VideoSettings,
    "Video: its files": VideoFileSettings,
    **_OF_PICTURES,
}


def with_settings(command: Callable[..., T], panels: _Panels = _PANELS) -> Callable[..., T]:
    """The command with a flag for each setting in place of its `**flags`.

    A flag that is not given is None, so that the preset decides.
    """
    signature = inspect.signature(command)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    flags = [_flag(item, panel) for panel, kind in panels.items() for item in own_fields(kind)]
    # Where `inspect.signature`, and so typer, looks first.
    vars(command)["__signature__"] = signature.replace(parameters=[*own, *flags])
    return command


def with_video_settings(command: Callable[..., T]) -> Callable[..., T]:
    """The same with the settings of videos, and without those of writing pictures."""
    return with_settings(command, _VIDEO_PANELS)


def taken_from(flags: dict[str, Any], kind: type[K]) -> K:
    """Settings of a kind out of the flags that were given; the others stay.

    Raises:
        SettingsError: a value outside its limits.
    """
    own = {item.name: flags.pop(item.name) for item in own_fields(kind)}
    return kind(**{name: value for name, value in own.items() if value is not None})


def settings_of(preset: str, flags: Mapping[str, Any]) -> tuple[Settings, str | None]:
    """The preset with the flags that were given, and the picture to start from if --init names one.

    Raises:
        SettingsError: an unknown preset, or a value outside its limits.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    start = None if given.get("init") in (None, "grey", *STARTS) else str(given.pop("init"))
    return replace(preset_named(preset).settings, **given), start


def flag_of(name: str, value: Any) -> str:
    """What to type for a setting: --style-weight 5, or --no-bounded."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value}"


def _flag(item: "Field[Any]", panel: str) -> inspect.Parameter:
    name, kind = f"--{item.name.replace('_', '-')}", type(item.default)
    option = typer.Option(
        None,
        f"{name}/--no-{name[2:]}" if kind is bool else name,
        help=escape(_help(item)),
        metavar=_KINDS.get(kind),
        show_default=False,
        rich_help_panel=panel,
    )
    return inspect.Parameter(
        item.name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=kind | None
    )


def _help(item: "Field[Any]") -> str:
    text = str(item.metadata["help"])
    choices = ", ".join(map(str, item.metadata["choices"]))
    low, high, default = item.metadata["minimum"], item.metadata["maximum"], item.default
    if item.name == "init":
        limits = "or a picture file, or sample:NAME; "
    elif choices:
        limits = f"one of {choices}; "
    else:
        limits = "" if low is None or high is None else f"{low:,.10g} to {high:,.10g}; "
    shown = ("off", "on")[default] if isinstance(default, bool) else default
    return f"{text} ({limits}default: {shown})"
