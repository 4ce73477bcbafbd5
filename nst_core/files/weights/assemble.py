"""Tensors to a network."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

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
    network.convolutions.register_state_dict_post_hook(_in_plain_layout)  # type: ignore[no-untyped-call]
    return network


def _in_plain_layout(
    module: nn.Module, state: dict[str, Any], prefix: str, metadata: object
) -> None:
    """What is saved has the layout of every other weights file; safetensors takes no other."""
    for name in state:
        if name.startswith(prefix):
            state[name] = state[name].contiguous()
