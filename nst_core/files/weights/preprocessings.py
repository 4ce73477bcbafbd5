"""The input ranges of the networks there are, by name."""

from ...errors import SettingsError
from ...gatys.preprocessing import CAFFE, Preprocessing

# torchvision VGG16_Weights.IMAGENET1K_V1: RGB, ImageNet mean and standard deviation.
TORCHVISION = Preprocessing(
    "torchvision", (0, 1, 2), (0.485, 0.456, 0.406), (1 / 0.229, 1 / 0.224, 1 / 0.225)
)
# torchvision VGG16_Weights.IMAGENET1K_FEATURES: Caffe's filters in RGB order, mean (123, 117, 104).
CAFFE_RGB = Preprocessing(
    "caffe-rgb", (0, 1, 2), (0.48235, 0.45882, 0.40784), (255.0, 255.0, 255.0)
)

PREPROCESSINGS = {p.name: p for p in (CAFFE, TORCHVISION, CAFFE_RGB)}


def preprocessing_named(name: str) -> Preprocessing:
    """The preprocessing called `name`; SettingsError names the known ones otherwise."""
    if name not in PREPROCESSINGS:
        known = ", ".join(PREPROCESSINGS)
        raise SettingsError(f"Preprocessing '{name}' is unknown. Use one of: {known}.")
    return PREPROCESSINGS[name]
