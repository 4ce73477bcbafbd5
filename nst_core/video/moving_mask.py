"""A mask that moves with what it lies on."""

import logging
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ..control.flow import consistent, disoccluded, inside, warped_linear
from ..gatys.vgg import size_of
from .flows import FlowBetween, Frame
from .guides import is_cut

log = logging.getLogger(__name__)


def moving_masks(mask: Tensor, frames: Iterable[Frame], flow: FlowBetween) -> Iterator[Tensor]:
    """The mask of each frame, given that of the first.

    The flow is added up from frame to frame and the first mask is warped once, so that its edges
    stay as sharp. What it moves away from is not in it. After a scene cut it covers nothing, and
    says so.

    Args:
        mask: (h, w) in [0, 1] over the first frame, of any size.
        frames: in turn, each one on from the last.
        flow: between two frames.

    Yields:
        (H, W) in [0, 1].
    """
    first, before = mask[None, None].float(), None
    there = onward = torch.zeros(0)  # to the first frame, and from it
    for frame in frames:
        size = size_of(frame.image)
        if before is None:
            first = F.interpolate(first, size, mode="area")
            there = onward = torch.zeros(1, 2, *size)
        else:
            step, forward = flow(frame, before), flow(before, frame)
            if is_cut(consistent(forward, step)):
                log.warning("The scene changes at frame %d: the mask ends.", frame.index + 1)
                first = torch.zeros_like(first)
            there = step + warped_linear(there, step)
            onward = onward + warped_linear(forward, onward)
        shown = inside(there) & ~disoccluded(onward, there)
        yield (warped_linear(first, there) * shown)[0, 0]
        before = frame
