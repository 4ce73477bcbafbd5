"""A mask that moves with what it lies on."""

import logging
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ..control.flow import inside, warped_linear
from ..gatys.vgg import size_of
from .flows import FlowBetween, Frame
from .guides import is_cut, trusted

log = logging.getLogger(__name__)


def moving_masks(mask: Tensor, frames: Iterable[Frame], flow: FlowBetween) -> Iterator[Tensor]:
    """The mask of each frame, given that of the first.

    The flow is added up from frame to frame and the first mask is warped once, so that its edges
    stay as sharp. After a scene cut it covers nothing, and says so.

    Args:
        mask: (h, w) in [0, 1] over the first frame, of any size.
        frames: in turn, each one on from the last.
        flow: between two frames.

    Yields:
        (H, W) in [0, 1].
    """
    first, there, before = mask[None, None].float(), torch.zeros(0), None
    for frame in frames:
        size = size_of(frame.image)
        if before is None:
            first, there = F.interpolate(first, size, mode="area"), torch.zeros(1, 2, *size)
        else:
            step = flow(frame, before)
            if is_cut(trusted(before, frame, flow, step)):
                log.warning("The scene changes at frame %d: the mask ends.", frame.index + 1)
                first = torch.zeros_like(first)
            there = step + warped_linear(there, step)
        yield (warped_linear(first, there) * inside(there))[0, 0]
        before = frame
