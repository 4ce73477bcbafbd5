"""Where flow comes from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..optional import imported
from .sharp_flow import with_sharp_edges

# Four times OpenCV's: fewer wrong pixels on every moving sample, at no cost that is felt.
_REFINEMENTS = 20
_INSTALL = "'nst-gram[video]'"


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame of the video that is stylized.

    Attributes:
        index: counted from 0.
        image: (1, 3, H, W) RGB in [0, 1], in the size of the result.
    """

    index: int
    image: Tensor


# (1, 2, H, W) in pixels, from the first frame to the second: see `control.flow`.
FlowBetween = Callable[[Frame, Frame], Tensor]


def dis_flow() -> FlowBetween:
    """DIS that ends where the picture has an edge.

    Raises:
        PackageError: OpenCV is missing.
    """
    plain = plain_dis_flow()

    def between(first: Frame, second: Frame) -> Tensor:
        flow = plain(first, second)
        return with_sharp_edges(flow, first.image.to(flow))

    return between


def plain_dis_flow() -> FlowBetween:
    """OpenCV's DIS (Kroeger et al., arXiv:1603.03590), at its most careful.

    Raises:
        PackageError: OpenCV is missing.
    """
    cv2 = imported("cv2", _INSTALL)
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    finder.setFinestScale(0)
    finder.setVariationalRefinementIterations(_REFINEMENTS)

    def between(first: Frame, second: Frame) -> Tensor:
        flow = finder.calc(_gray(first.image), _gray(second.image), None)
        return torch.from_numpy(flow).permute(2, 0, 1)[None].contiguous()

    return between


def flow_named(
    name: str, raft_weights: str = "", device: torch.device | None = None
) -> FlowBetween:
    """The optical flow that `VideoSettings.flow` names.

    Args:
        name: one of `FLOW_NAMES`.
        raft_weights: `VideoSettings.raft_weights`.
        device: where a network computes; None is the processor.

    Raises:
        PackageError: a package is missing.
        SettingsError, WeightsError: there are no weights, or not these.
    """
    if name == "raft":
        from .raft import raft_flow  # which imports this file

        return raft_flow(raft_weights, device)
    return dis_flow()


def _gray(image: Tensor) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """(H, W) levels, of Rec. 601's luma."""
    weights = image.new_tensor([0.299, 0.587, 0.114])
    levels = (image[0].movedim(0, -1) @ weights * 255 + 0.5).clamp(0, 255)
    gray: np.ndarray[tuple[int, int], np.dtype[np.uint8]] = levels.cpu().numpy().astype(np.uint8)
    return gray
