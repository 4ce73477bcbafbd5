"""What can be asked for: the only home of defaults, limits and help texts.

Command line, nodes and page make their flags, inputs and sliders from the fields below and
nothing else, so a limit or a help text is changed here and nowhere else.
"""

from .all import Settings, choices_of, default_of, help_of, limits_of
from .color import ColorSettings
from .loss import LossSettings, StrengthSettings
from .network import NetworkSettings, ReadSettings
from .option import option
from .presets import PRESETS, Preset, preset_named
from .run import MAX_SIZE, STARTS, RunSettings
from .serving import ServingSettings
from .video import VideoSettings
from .writing import WriteSettings

__all__ = [
    "MAX_SIZE",
    "PRESETS",
    "STARTS",
    "ColorSettings",
    "LossSettings",
    "NetworkSettings",
    "Preset",
    "ReadSettings",
    "RunSettings",
    "ServingSettings",
    "Settings",
    "StrengthSettings",
    "VideoSettings",
    "WriteSettings",
    "choices_of",
    "default_of",
    "help_of",
    "limits_of",
    "option",
    "preset_named",
]
