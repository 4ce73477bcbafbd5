"""All settings in one record, and what is known of each by its name."""

from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from ..errors import SettingsError
from .loss import LossSettings, StrengthSettings
from .network import NetworkSettings, ReadSettings
from .run import RunSettings
from .serving import ServingSettings
from .video import VideoSettings
from .writing import WriteSettings


@dataclass(frozen=True, kw_only=True)
class Settings(WriteSettings, ReadSettings, NetworkSettings, LossSettings, RunSettings):
    """Everything that can be asked for in one record."""


_KINDS = (Settings, StrengthSettings, VideoSettings, ServingSettings)


def help_of(name: str) -> str:
    """The help text of a setting."""
    return str(_field(name).metadata["help"])


def limits_of(name: str) -> tuple[float | None, float | None]:
    """The smallest and the largest value of a setting; None where there is none."""
    metadata = _field(name).metadata
    return metadata["minimum"], metadata["maximum"]


def choices_of(name: str) -> tuple[Any, ...]:
    """The values that a setting can have; empty when it is free."""
    return tuple(_field(name).metadata["choices"])


def default_of(name: str) -> Any:
    """The default of a setting."""
    return _field(name).default


def _field(name: str) -> "Field[Any]":
    for kind in _KINDS:
        for item in fields(kind):
            if item.name == name and item.default is not MISSING:
                return item
    raise SettingsError(f"There is no setting '{name}'.")
