"""The VGG-16 in this package: no download, no question of license, and not the ImageNet network.

It was trained from nothing on pictures drawn by code; `training/` in the repository makes it anew.
"""

from pathlib import Path

import torch
from torch import Tensor

from ...gatys.preprocessing import CAFFE
from .vgg_file import read_vgg16

SOURCE = "builtin (ours, trained on pictures drawn by code; not the ImageNet network)"
PREPROCESSING = CAFFE
FILE = Path(__file__).with_name("builtin.safetensors")


def builtin_weights() -> dict[str, Tensor]:
    """The weights by name (`conv1_1.weight`), float32 on the CPU."""
    # Hosts call us in inference mode, whose tensors can never take part in a gradient later.
    with torch.inference_mode(False):
        return dict(read_vgg16(FILE).tensors)
