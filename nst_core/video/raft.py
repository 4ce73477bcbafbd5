"""Optical flow by torchvision's RAFT (Teed and Deng, arXiv:2003.12039), whose weights are a file.

Nothing is downloaded.
"""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ..control.flow import resized_flow
from ..control.pyramid import on_grid, resize
from ..errors import SettingsError, WeightsError
from ..files.weights.containers import read_tensors
from ..files.weights.sources import search_folders
from ..optional import imported
from .flows import FlowBetween, Frame

# What torchvision takes by default of either size, as it calls them; others are found by a pattern.
_FILES = (
    "raft_large_C_T_SKHT_V2-ff5fadd5.pth",
    "raft_large*",
    "raft_small_C_T_V2-01064c6d.pth",
    "raft_small*",
)
_WHERE = f"https://download.pytorch.org/models/{_FILES[0]}"
# By the channels of the first convolution.
_KINDS = {64: "raft_large", 32: "raft_small"}
_FIRST = "feature_encoder.convnormrelu.0.weight"
# It looks at an eighth of the picture, and of that at an eighth.
_GRID, _LEAST = 8, 128


def raft_flow(weights: str | Path = "", device: torch.device | None = None) -> FlowBetween:
    """RAFT, large or small as the weights are.

    Args:
        weights: a file of torchvision's; empty looks where torch and we keep weights.
        device: where to compute; None is the processor.

    Raises:
        PackageError: torchvision is missing.
        SettingsError: there is no such file.
        WeightsError: it is damaged, or holds another network.
    """
    device = device or torch.device("cpu")
    path = _found(weights)
    tensors = read_tensors(path).tensors
    kind = _KINDS.get(tensors[_FIRST].shape[0]) if _FIRST in tensors else None
    if kind is None:
        raise WeightsError(f"'{path}' is not RAFT of torchvision. Use {_WHERE}")
    models = imported("torchvision.models.optical_flow", "torchvision")
    with torch.inference_mode(False):
        network = getattr(models, kind)(weights=None, progress=False)
        try:
            network.load_state_dict(dict(tensors))
        except RuntimeError as error:
            raise WeightsError(f"'{path}' is no whole RAFT. Copy it again: {_WHERE}") from error
        network = network.to(device).eval()
    return partial(_between, network, device)


def _between(network: torch.nn.Module, device: torch.device, first: Frame, second: Frame) -> Tensor:
    height, width = first.image.shape[-2:]
    size = [max(_LEAST, on_grid(side, _GRID)) for side in (height, width)]
    images = [resize(one.image, *size).to(device, torch.float32) * 2 - 1 for one in (first, second)]
    with torch.inference_mode(False), torch.no_grad():
        flow: Tensor = network(*images)[-1].cpu()
    return resized_flow(flow, height, width)


def _found(weights: str | Path) -> Path:
    if weights:
        path = Path(weights).expanduser()
        if path.is_file():
            return path
        raise SettingsError(f"There is no file '{weights}' with RAFT's weights. Check the path.")
    folders = search_folders()
    for pattern in _FILES:
        for folder in folders:
            for path in sorted(folder.glob(pattern)):
                return path
    raise SettingsError(
        f"RAFT's weights are not on this machine. Put {_FILES[0]} into '{folders[1]}' (it is at "
        f"{_WHERE}), or use the flow dis."
    )
