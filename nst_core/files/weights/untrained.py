"""A VGG-16 made from a seed that has learned nothing: for tests, and to compare `builtin` with.

Random filters already describe textures (Ustyuzhaninov et al., arXiv:1606.00021), provided that no
channel is dead or drowns the others. So every channel is calibrated, layer by layer, on a few
pictures drawn here.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ...gatys.preprocessing import CAFFE
from ...gatys.vgg import LAYERS

SOURCE = "untrained (random calibrated VGG-16, for tests and comparison)"
PREPROCESSING = CAFFE
SEED = 16
PICTURES = 4
SIZE = 96  # conv5's features are then 6x6, or 4x4 without the border: enough for two moments

# Standard deviation before the ReLU, block by block: round figures for the size of the Caffe
# network's features on photographs. A squared Gram distance goes with the fourth power of this
# scale and a content distance with the second, so presets made for that network need it.
BLOCK_SCALES = {1: 50.0, 2: 150.0, 3: 300.0, 4: 200.0, 5: 50.0}


def untrained_weights() -> dict[str, Tensor]:
    """The weights by name (`conv1_1.weight`): the same at every call, whatever the global seed."""
    # Hosts call us in inference mode, whose tensors can never take part in a gradient later.
    with torch.inference_mode(False), torch.no_grad(), torch.device("cpu"):
        generator = torch.Generator("cpu").manual_seed(SEED)
        return _calibrated(calibration_pictures(generator), generator)


def calibration_pictures(generator: torch.Generator) -> Tensor:
    """(PICTURES, 3, SIZE, SIZE) RGB in [0, 1]: smooth colored noise, cut along curved edges."""
    near, far = (_noise(3, generator) for _ in range(2))
    edges = _noise(1, generator) > 0
    return torch.where(edges, near, far).mul(1.5).sigmoid()


def _noise(channels: int, generator: torch.Generator) -> Tensor:
    """Octaves of smooth noise whose amplitude falls with frequency, as in natural pictures."""
    total = torch.zeros(PICTURES, channels, SIZE, SIZE, dtype=torch.float32)
    for cells in (3, 6, 12, 24, 48):
        octave = _normal((PICTURES, channels, cells, cells), generator)
        octave = F.interpolate(octave, size=(SIZE, SIZE), mode="bicubic", align_corners=False)
        total += octave * (3 / cells)
    return total


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float32)


def _calibrated(pictures: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """He-normal filters, each scaled and shifted so that its output has the block's scale."""
    weights = {}
    features = PREPROCESSING(pictures).contiguous(memory_format=torch.channels_last)
    for layer in LAYERS.values():
        if layer.index == 1 and layer.block > 1:
            # Always max, so that the weights do not depend on the pooling chosen.
            features = F.max_pool2d(features, kernel_size=2)
        he = (2 / (layer.in_channels * 9)) ** 0.5  # He et al., arXiv:1502.01852
        weight = _normal((layer.channels, layer.in_channels, 3, 3), generator) * he
        features = F.conv2d(features, weight, padding=1)  # (B, channels, H, W), uncalibrated
        # Zeros around the picture would distort the statistics of the outermost row and column.
        variance, mean = torch.var_mean(features[..., 1:-1, 1:-1], dim=(0, 2, 3))
        gain = BLOCK_SCALES[layer.block] / variance.sqrt()
        name = f"conv{layer.block}_{layer.index}"
        weights[f"{name}.weight"] = weight * gain.view(-1, 1, 1, 1)
        weights[f"{name}.bias"] = -mean * gain
        features = features.sub_(mean.view(-1, 1, 1)).mul_(gain.view(-1, 1, 1)).relu_()
    return weights
