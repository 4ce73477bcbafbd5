"""Neural style transfer by optimization: VGG-16 features, Gram matrices, L-BFGS.

Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (arXiv:1508.06576).
"""

from .errors import NSTError
from .image_io import load_image, save_image
from .plan import Plan, plan
from .progress import Progress, Record
from .runtime import Runtime
from .samples import sample
from .settings import PRESETS, LossSettings, NetworkSettings, RunSettings, Settings, preset_named
from .stylize import Result, losses_of, stylize
from .terms import ContentLoss, Loss, StyleLoss, TotalVariationLoss
from .vgg import VGG16
from .weights import load_vgg16

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "VGG16",
    "ContentLoss",
    "Loss",
    "LossSettings",
    "NSTError",
    "NetworkSettings",
    "Plan",
    "Progress",
    "Record",
    "Result",
    "RunSettings",
    "Runtime",
    "Settings",
    "StyleLoss",
    "TotalVariationLoss",
    "load_image",
    "load_vgg16",
    "losses_of",
    "plan",
    "preset_named",
    "sample",
    "save_image",
    "stylize",
]
