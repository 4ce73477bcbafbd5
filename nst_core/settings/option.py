"""A setting: a dataclass field that carries its own default, limits, choices and help text."""

import math
from dataclasses import Field, field, fields
from typing import Any

from ..errors import SettingsError


def option(
    default: Any,
    help_text: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[Any, ...] = (),
) -> Any:
    """A dataclass field that carries its own limits and help."""
    limits = {"help": help_text, "minimum": minimum, "maximum": maximum, "choices": choices}
    return field(default=default, metadata=limits)


class Checked:
    """Refuses values outside the limits of their fields."""

    def __post_init__(self) -> None:
        for item in fields(self):  # type: ignore[arg-type]
            _check(item, getattr(self, item.name))


def own_fields(kind: type[Checked]) -> "list[Field[Any]]":
    """The settings that a record does not have from another one."""
    every = fields(kind)  # type: ignore[arg-type]
    return [item for item in every if item.name in vars(kind)["__annotations__"]]


def _check(item: "Field[Any]", value: Any) -> None:
    name, limits = item.name.replace("_", " "), item.metadata
    if limits["choices"] and value not in limits["choices"]:
        raise SettingsError(
            f"{name} '{value}' is unknown. Use one of: {', '.join(map(str, limits['choices']))}."
        )
    if isinstance(item.default, int | float) and not isinstance(item.default, bool):
        if not isinstance(value, int) and not math.isfinite(value):
            raise SettingsError(f"{name} is {value}. Use a finite number.")
        low, high = limits["minimum"], limits["maximum"]
        if (low is not None and value < low) or (high is not None and value > high):
            raise SettingsError(
                f"{name} is {value}. Use a number from {_shown(low)} to {_shown(high)}."
            )


def _shown(limit: float) -> str:
    """Short, and with all the digits of a whole number."""
    return str(limit) if isinstance(limit, int) else f"{limit:g}"
