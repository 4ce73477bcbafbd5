"""What a frame takes from frames that are done: where it starts, and what it is held to."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..control.flow import consistent, long_term, warped
from ..control.temporal import TemporalLoss
from .flows import FlowBetween, Frame

# Share of the frame that must be found in the one before; less is a cut.
_LEAST_SEEN = 0.3
# The share of the frame before in the start of a later pass (delta of section 4.4).
_BLEND = 0.5


@dataclass(frozen=True, eq=False)
class Done:
    """A frame that is done.

    Attributes:
        frame: of the video.
        image: what became of it, (1, 3, H, W) likewise.
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
        elsewhere: (1, 3, H, W), the new frame with the paint, but not the things, of the one that
            is done: what to start from where something comes into sight.
    """

    image: Tensor
    mask: Tensor
    elsewhere: Tensor

    @property
    def is_cut(self) -> bool:
        """Whether the new frame shows something else."""
        return float(self.mask.mean()) < _LEAST_SEEN

    def start(self, before: Tensor | None) -> Tensor:
        """The picture to start from: the guide where it can be trusted.

        Elsewhere, or by half in a later pass, it is what the pass `before` has made (section 4.4
        of Ruder et al., arXiv:1604.08610).
        """
        if before is None:
            return torch.lerp(self.elsewhere, self.image, self.mask)
        return torch.lerp(before, self.image, _BLEND * self.mask)


def guide_of(done: Done, frame: Frame, flow: FlowBetween) -> Guide:
    """By the flow between the two frames, both ways."""
    backward = flow(frame, done.frame)
    mask = consistent(flow(done.frame, frame), backward)
    paint = warped(done.image - done.frame.image, backward, beyond="reflection")
    return Guide(
        image=warped(done.image, backward).clamp(0, 1),
        mask=mask,
        elsewhere=(frame.image + paint).clamp(0, 1),
    )


def temporal_losses(guides: Sequence[Guide], weight: float) -> list[TemporalLoss]:
    """Of guides, nearest first: each counts where no nearer one does (section 4.3)."""
    if not weight:
        return []
    masks = long_term([guide.mask for guide in guides])
    return [
        TemporalLoss(image=guide.image, mask=mask, weight=weight)
        for guide, mask in zip(guides, masks, strict=True)
    ]
