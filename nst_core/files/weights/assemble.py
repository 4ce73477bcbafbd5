"""Tensors to a network."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ...gatys.preprocessing import Preprocessing
from ...gatys.vgg import VGG16, Convolution


def assembled(
    weights: Mapping[str, Tensor],
    preprocessing: Preprocessing,
    pooling: str = "max",
    source: str = "",
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    copy: bool = True,
    convolution: Callable[[int, int], Convolution] = Convolution,
) -> VGG16:
    """The network with these weights.

    Args:
        weights: `conv1_1.weight`, (channels, in_channels, 3, 3), and `conv1_1.bias`, and so on.
        preprocessing, pooling, source, convolution: as in `VGG16`.
        dtype, device: of the network's own weights, which are channels-last to compute with.
        copy: False shares what is like that already.
    """
    with torch.device("meta"):  # PyTorch's own initialization would be thrown away
        network = VGG16(preprocessing, pooling, source, convolution).eval()
    placed = {
        name: weight.to(
            device,
            dtype,
            copy=copy,
            memory_format=torch.channels_last if weight.ndim == 4 else torch.preserve_format,
        )
        for name, weight in weights.items()
    }
    network.convolutions.load_state_dict(placed, assign=True)
    return network
