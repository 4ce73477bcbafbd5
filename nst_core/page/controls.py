"""Sliders and menus made from the engine's settings, and settings made from their values."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import gradio as gr

from ..errors import SettingsError
from ..settings import (
    ServingSettings,
    Settings,
    choices_of,
    default_of,
    help_of,
    limits_of,
    preset_named,
)
from ..settings.layers import CONTENT_LAYERS, STYLE_LAYERS
from ..settings.video import VideoSettings

_Record = TypeVar("_Record", Settings, VideoSettings)
# Steps of a slider; its limits are the engine's and the page's.
_SLIDER_STEP = {
    "size": 16,
    "steps": 10,
    "style_strength": 0.05,
    "style_share": 0.05,
    "color_strength": 0.05,
    "feather": 0.01,
}

# Folded away, by theme.
LOSSES = (
    "style_layers",
    "content_layers",
    "content_weight",
    "style_weight",
    "tv_weight",
    "normalization",
    "pooling",
    "statistics",
    "style_scale",
    "laplacian_weight",
)
COLORS = ("colors", "color_when", "color_source", "color_strength")
SEARCH = (
    "init",
    "scales",
    "seed",
    "precision",
    "shape",
    "bounded",
    "scale_factor",
    "views",
    "seamless",
    "aspect",
)
REGIONS = ("feather",)
WRITING = ("transparency", "bits")
# Of `VideoSettings`.
VIDEO_SETTINGS = ("temporal_weight", "passes")
# Every setting that has a control.
NAMES = ("size", "steps", *LOSSES, *COLORS, *SEARCH, *REGIONS, *WRITING)
# The server's business: with what and where it computes, and how much memory that takes.
SERVER = ("weights", "preprocessing", "device", "tile", "max_pixels", "history", "cards")

_LABELS = {
    "steps": "Effort (steps)",
    "init": "Start",
    "tv_weight": "Total variation",
    "laplacian_weight": "Laplacian (detail)",
    "aspect": "Aspect (width / height)",
    "feather": "Soft edges",
}
_LAYERS = {
    "content_layers": [*CONTENT_LAYERS, *CONTENT_LAYERS["all"]],
    "style_layers": [*STYLE_LAYERS, *STYLE_LAYERS["all"]],
}


def control(name: str, limits: ServingSettings, **look: Any) -> gr.components.Component:
    """The component of one setting.

    Args:
        name: of the setting.
        limits: of the page.
        look: what else Gradio shall know of the component, or other than usual.
    """
    shared = {
        "label": _label(name),
        "info": help_of(name),
        "value": default_of(name),
        "elem_id": name,
        **look,
    }
    if name in _LAYERS:
        return gr.Dropdown(_LAYERS[name], allow_custom_value=True, **shared)
    choices = choices_of(name)
    if choices:
        return gr.Dropdown(list(choices), **shared)
    if isinstance(default_of(name), bool):
        return gr.Checkbox(**shared)
    low, high = limits_of(name)
    precision = 0 if isinstance(default_of(name), int) else None
    if name in _SLIDER_STEP:
        step = _SLIDER_STEP[name]
        most = _most(limits).get(name, high)
        shared["value"] = min(shared["value"], most)
        # A whole number of slider steps from the start, or round values are not on the slider.
        least = max(low or 0, step) if name in _most(limits) else low
        return gr.Slider(least, most, step=step, precision=precision, **shared)
    return gr.Number(minimum=low, maximum=high, precision=precision, **shared)


def settings_of(preset: str, strength: float, given: Mapping[str, Any]) -> Settings:
    """The settings that a visitor asks for.

    Args:
        preset: where the other settings come from.
        strength: multiplies the style weight.
        given: values by name.

    Raises:
        SettingsError: a value is missing, of the wrong kind, or outside its limits.
    """
    for name, value in given.items():
        if value is None or (value == "" and default_of(name) != ""):
            raise SettingsError(f"{_label(name)} is empty. Fill it in.")
        if name in SERVER:
            raise SettingsError(f"{_label(name)} is for the server to decide. Leave it out.")
    check_slider("style_strength", strength)
    settings = checked(preset_named(preset).settings, given)
    return replace(settings, style_weight=settings.style_weight * strength)


def check_slider(name: str, value: Any) -> None:
    """Raise SettingsError if a slider's value is no number within its limits."""
    low, high = (limit or 0.0 for limit in limits_of(name))
    if not isinstance(value, int | float) or not low <= value <= high:
        raise SettingsError(f"{_label(name)} is {value}. Use a number from {low:g} to {high:g}.")


def checked(base: _Record, given: Mapping[str, Any]) -> _Record:
    """`base` with values from outside, whose types nobody has looked at yet.

    Raises:
        SettingsError: an unknown name, a wrong type, or a value outside its limits.
    """
    kinds = {item.name: type(item.default) for item in fields(base)}
    values: dict[str, Any] = {}
    for name, value in given.items():
        kind = kinds.get(name)
        if kind is None:
            raise SettingsError(f"There is no setting '{name}'.")
        if kind is float and type(value) is int:
            value = float(value)
        if kind is int and type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not kind:
            raise SettingsError(f"{name.replace('_', ' ')} is {value!r}. Use a {kind.__name__}.")
        values[name] = value
    return replace(base, **values)


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def values_of(settings: Settings, limits: ServingSettings) -> dict[str, Any]:
    """What the controls show for these settings, within what the page gives."""
    most = _most(limits)
    return {
        name: min(getattr(settings, name), most[name]) if name in most else getattr(settings, name)
        for name in NAMES
    }


def _most(limits: ServingSettings) -> dict[str, int]:
    return {"size": limits.max_size, "steps": limits.max_steps}


def explained(preset: str) -> str:
    """One line about a preset."""
    return preset_named(preset).description
