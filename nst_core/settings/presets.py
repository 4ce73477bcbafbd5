"""Settings under a name, with where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import SettingsError
from .all import Settings


@dataclass(frozen=True)
class Preset:
    """Settings under a name, with where they come from."""

    settings: Settings
    description: str


PRESETS: Mapping[str, Preset] = {
    "default": Preset(
        Settings(),
        "Relative losses, coarse to fine, from the content: weights mean the same at every size.",
    ),
    # alpha / beta = 1e-3 and conv4_2 as in arXiv:1508.06576, on a 224x224 VGG-16 from a gray
    # square. The loss is the seed's; the search is ours. The seed ran scipy's fmin_l_bfgs_b without
    # bounds, and clipping gives away part of what was won; it restarted it every few evaluations,
    # which only forgets the history.
    "gatys-vgg16": Preset(
        Settings(
            content_weight=1.0,
            style_weight=1e3,
            content_layers="relu4_2",
            style_layers="all",
            normalization="gatys",
            size=224,
            shape="square",
            init="gray",
            steps=300,
            scales=1,
        ),
        "The seed project's loss: Gatys, Ecker and Bethge (arXiv:1508.06576) on Keras's VGG-16, "
        "alpha 1, beta 1000, from a gray 224x224 square.",
    ),
    # neural_style.lua's defaults. Its total variation (1e-3) acts on the gradient alone and is
    # not part of its loss; it is left out here. It has no bounds either, and clips the result.
    "neural-style": Preset(
        Settings(
            content_weight=5.0,
            style_weight=100.0,
            content_layers="relu4_2",
            style_layers="all",
            normalization="mean",
            size=512,
            init="noise",
            steps=1000,
            scales=1,
        ),
        "The loss of jcjohnson's neural-style: mean squared errors, content 5, style 100, from "
        "noise.",
    ),
    # arXiv:1505.07376, Gatys' texture synthesis: the style term alone, from noise.
    "texture": Preset(
        Settings(content_weight=0.0, init="noise"),
        "Texture synthesis (Gatys, Ecker and Bethge, arXiv:1505.07376): the style alone, from "
        "noise.",
    ),
    # As figure 1 of arXiv:1508.06576 shows what a layer knows of a picture. The network is blind to
    # some noise; a little smoothness picks the plainest of the pictures that it takes for one.
    "reconstruction": Preset(
        Settings(style_weight=0.0, tv_weight=1.0, init="noise"),
        "The content alone, from noise: what the content layers know of a picture (figure 1 of "
        "arXiv:1508.06576).",
    ),
}


def preset_named(name: str) -> Preset:
    """The preset called `name`; SettingsError lists the known ones otherwise.

    >>> preset_named("gatys-vgg16").settings.size
    224
    """
    if name not in PRESETS:
        raise SettingsError(f"Preset '{name}' is unknown. Use one of: {', '.join(PRESETS)}.")
    return PRESETS[name]
