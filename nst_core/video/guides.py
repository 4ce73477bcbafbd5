"""What a frame takes from frames that are done: where it starts, and what it is held to."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..control.edge_filter import spread
from ..control.flow import consistent, long_term, warped, warped_linear
from ..control.losses import Keep, Loss
from ..control.temporal import TemporalLoss
from .flows import FlowBetween, Frame

# Share of the frame that must be found in the one before; less is a cut.
_LEAST_SEEN = 0.3
# The share of the frame before in the start of a later pass (delta of section 4.4).
_BLEND = 0.5
# How far, and over which changes of color, the colors of paint are spread.
_PIXELS, _COLORS = 30.0, 0.4
# Where no paint around can be trusted, all of it is, alike.
_LEAST_KNOWN = 1e-4


@dataclass(frozen=True, eq=False)
class Done:
    """A frame that is done.

    Attributes:
        frame: of the video.
        image: what the search has made of it, (1, 3, H, W) likewise.
        aim: the loss that the frame after it is compared with; 0 is none.
    """

    frame: Frame
    image: Tensor
    aim: float = 0.0


@dataclass(frozen=True, eq=False)
class Guide:
    """A frame that is done, as the new frame would show it.

    Attributes:
        image: (1, 3, H, W), warped.
        mask: (H, W), 1 where it can be trusted.
        held: (H, W), where the new frame is held to it: the mask, but not where only the new frame
            is painted.
        elsewhere: (1, 3, H, W), the new frame in the colors of the paint around: what to start from
            where something comes into sight.
    """

    image: Tensor
    mask: Tensor
    held: Tensor
    elsewhere: Tensor

    def start(self, before: Tensor | None) -> Tensor:
        """The picture to start from: the guide where it can be trusted.

        Elsewhere, or by half in a later pass, it is what the pass `before` has made (section 4.4
        of Ruder et al., arXiv:1604.08610).
        """
        if before is None:
            return torch.lerp(self.elsewhere, self.image, self.mask)
        return torch.lerp(before, self.image, _BLEND * self.mask)


def guide_of(
    done: Done,
    frame: Frame,
    flow: FlowBetween,
    kept: tuple[Tensor | None, Tensor | None] = (None, None),
) -> Guide:
    """By the flow between the two frames, both ways.

    Args:
        done: the frame that is done.
        frame: the new one.
        flow: between the two.
        kept: of both, see `kept_in`.
    """
    backward = flow(frame, done.frame)
    mask = trusted(done.frame, frame, flow, backward)
    paint = warped(done.image - done.frame.image, backward, beyond="reflection")
    return Guide(
        image=warped(done.image, backward).clamp(0, 1),
        mask=mask,
        held=mask * (1 - _painted_first_now(kept, backward)),
        elsewhere=(frame.image + _around(paint, mask, frame.image)).clamp(0, 1),
    )


def _around(paint: Tensor, mask: Tensor, picture: Tensor) -> Tensor:
    """(1, 3, H, W), what paint does to the colors of a picture, without its strokes.

    Where something comes into sight the flow leads to what has hidden it. Paint taken from there
    would be left behind by what moves, and carried on by every frame after.
    """
    known = mask[None, None].to(paint) + _LEAST_KNOWN
    spread_out = spread(
        torch.cat([paint * known, known], 1), picture.to(paint), pixels=_PIXELS, colors=_COLORS
    )
    return spread_out[:, :3] / spread_out[:, 3:]


def trusted(old: Frame, new: Frame, flow: FlowBetween, backward: Tensor) -> Tensor:
    """(H, W), 1 where the new frame shows what the old one did, given the flow from new to old."""
    return consistent(flow(old, new), backward)


def is_cut(mask: Tensor) -> bool:
    """Whether two frames show different things, given where they show the same."""
    return float(mask.mean()) < _LEAST_SEEN


def kept_in(losses: Sequence[Loss], height: int, width: int) -> Tensor | None:
    """(1, 1, height, width), how far pixels stay as they are in the video; None is nowhere."""
    masks = [
        F.interpolate(loss.mask[None, None].float(), (height, width), mode="area")
        for loss in losses
        if isinstance(loss, Keep)
    ]
    return torch.stack(masks).amax(0) if masks else None


def _painted_first_now(kept: tuple[Tensor | None, Tensor | None], backward: Tensor) -> Tensor:
    """(H, W), where the old frame was kept and the new one is painted."""
    before, now = kept
    if before is None:
        return backward.new_zeros(())
    gone = warped_linear(before, backward) - (0 if now is None else now)
    return gone.clamp(0, 1)[0, 0]


def temporal_losses(guides: Sequence[Guide], weight: float) -> list[TemporalLoss]:
    """Of guides, nearest first: each counts where no nearer one does (section 4.3)."""
    if not weight:
        return []
    masks = long_term([guide.held for guide in guides])
    return [
        TemporalLoss(image=guide.image, mask=mask, weight=weight)
        for guide, mask in zip(guides, masks, strict=True)
    ]
