"""Neural style transfer by optimization: VGG-16 features, Gram matrices, L-BFGS.

Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (arXiv:1508.06576).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import NSTError
from .settings import (
    PRESETS,
    ColorSettings,
    LossSettings,
    NetworkSettings,
    RunSettings,
    Settings,
    preset_named,
)

if TYPE_CHECKING:
    from .control.color import match_colors
    from .control.losses import (
        ContentLoss,
        Keep,
        LaplacianLoss,
        Loss,
        StyleLoss,
        TotalVariationLoss,
    )
    from .files.alpha import load_with_alpha
    from .files.read_image import load_image
    from .files.samples import sample
    from .files.weights import load_vgg16
    from .files.write_image import save_image
    from .gatys.vgg import VGG16
    from .run.plan import Plan, plan
    from .run.progress import Progress, Record, Result
    from .run.recipes import Region, losses_of, losses_of_regions
    from .run.runtime import Runtime
    from .run.stylize import stylize

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "VGG16",
    "ColorSettings",
    "ContentLoss",
    "Keep",
    "LaplacianLoss",
    "Loss",
    "LossSettings",
    "NSTError",
    "NetworkSettings",
    "Plan",
    "Progress",
    "Record",
    "Region",
    "Result",
    "RunSettings",
    "Runtime",
    "Settings",
    "StyleLoss",
    "TotalVariationLoss",
    "load_image",
    "load_vgg16",
    "load_with_alpha",
    "losses_of",
    "losses_of_regions",
    "match_colors",
    "plan",
    "preset_named",
    "sample",
    "save_image",
    "stylize",
]

# Where the other names are, imported when they are first asked for (PEP 562): they bring PyTorch,
# which takes seconds, and `nst --help` needs none of it.
_HOMES = {
    "match_colors": "control.color",
    "ContentLoss": "control.losses",
    "Keep": "control.losses",
    "LaplacianLoss": "control.losses",
    "Loss": "control.losses",
    "StyleLoss": "control.losses",
    "TotalVariationLoss": "control.losses",
    "load_image": "files.read_image",
    "load_with_alpha": "files.alpha",
    "save_image": "files.write_image",
    "sample": "files.samples",
    "load_vgg16": "files.weights",
    "VGG16": "gatys.vgg",
    "Plan": "run.plan",
    "plan": "run.plan",
    "Progress": "run.progress",
    "Record": "run.progress",
    "Region": "run.recipes",
    "losses_of": "run.recipes",
    "losses_of_regions": "run.recipes",
    "Runtime": "run.runtime",
    "Result": "run.progress",
    "stylize": "run.stylize",
}

if not TYPE_CHECKING:  # else type checkers would believe any name

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
