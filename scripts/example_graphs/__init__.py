"""The graphs of the example workflows."""

from .alone import RECONSTRUCT, TEXTURE
from .basics import BY_HAND, FIRST, LOW_OR_HIGH
from .control import KEEP_COLORS, LARGE_STROKES, TWO_REGIONS
from .parts import Example, Node
from .video import VIDEO

__all__ = ["EXAMPLES", "Example", "Node"]

EXAMPLES: dict[str, Example] = {
    "1_first_style_transfer": FIRST,
    "2_losses_by_hand": BY_HAND,
    "3_low_or_high_layers": LOW_OR_HIGH,
    "4_two_styles_two_regions": TWO_REGIONS,
    "5_keep_colors": KEEP_COLORS,
    "6_large_strokes": LARGE_STROKES,
    "7_texture": TEXTURE,
    "8_reconstruct": RECONSTRUCT,
    "9_video": VIDEO,
}
