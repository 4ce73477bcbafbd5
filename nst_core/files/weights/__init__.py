"""Find, download, verify, convert and load VGG-16, each file with its preprocessing."""

from .identity import CheckReport, check_weights
from .library import WeightsEntry, get_weights, known_weights
from .load import NAMES, load_vgg16

__all__ = [
    "NAMES",
    "CheckReport",
    "WeightsEntry",
    "check_weights",
    "get_weights",
    "known_weights",
    "load_vgg16",
]
