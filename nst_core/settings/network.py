"""Settings of the network and of reading files."""

from dataclasses import dataclass

from .option import Checked, option

POOLINGS = ("max", "average")
# Pixels of a picture up to which it is kept as it is. A larger one is shrunk, as it is read, to the
# size that a run looks at it: a photograph of 16384 pixels a side would be 3.2 GB.
WHOLE_PIXELS = 100_000_000
PREPROCESSING_NAMES = ("caffe", "torchvision", "caffe-rgb")


@dataclass(frozen=True, kw_only=True)
class NetworkSettings(Checked):
    """Which VGG-16 looks at the pictures."""

    weights: str = option(
        "auto",
        "Network weights: auto, keras, torchvision, torchvision-features, builtin, untrained, or a "
        "file (.safetensors, .pth, .keras, .h5). auto takes ImageNet weights when it can have "
        "them, else builtin, which is ours and always there.",
    )
    preprocessing: str = option(
        "auto",
        "Input range the weights were trained on. auto knows it for known files and for files "
        "of ours; say it for others.",
        choices=("auto", *PREPROCESSING_NAMES),
    )
    pooling: str = option(
        "max",
        "Pooling between blocks. max is what the network was trained with; average gives "
        "smoother pictures.",
        choices=POOLINGS,
    )


@dataclass(frozen=True, kw_only=True)
class ReadSettings(Checked):
    """What is read at all."""

    max_pixels: int = option(
        2**30,
        "Pixels of the largest picture that is read. A file says its size before it is decoded, "
        "so a larger one costs nothing. Contents and styles of more than 100 million pixels are "
        "shrunk to the size they are needed in as they are read.",
        minimum=1,
        maximum=2**32,
    )
