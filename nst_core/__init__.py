"""Neural style transfer by optimization: VGG-16 features, Gram matrices, L-BFGS.

Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (arXiv:1508.06576).
"""

from .color import match_colors
from .errors import NSTError
from .image_io import load_image, save_image
from .plan import Plan, plan
from .progress import Progress, Record
from .recipes import Region, losses_of, losses_of_regions
from .runtime import Runtime
from .samples import sample
from .settings import (
    PRESETS,
    ColorSettings,
    LossSettings,
    NetworkSettings,
    RunSettings,
    Settings,
    preset_named,
)
from .stylize import Result, stylize
from .terms import ContentLoss, Keep, LaplacianLoss, Loss, StyleLoss, TotalVariationLoss
from .vgg import VGG16
from .weights import load_vgg16

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
    "losses_of",
    "losses_of_regions",
    "match_colors",
    "plan",
    "preset_named",
    "sample",
    "save_image",
    "stylize",
]
