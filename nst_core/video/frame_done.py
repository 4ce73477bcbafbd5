"""When a frame after the first is done."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..control.losses import Loss, StyleLoss
from ..run.progress import Record

# Two losses that differ by less than this share are of pictures that are as good as each other.
# Rounded arithmetic makes half of it; a warp by parts of a pixel costs fifty times as much.
_AS_GOOD = 0.002
# A step alone may be short by chance: the rule looks this many steps back.
_STEPS = 3


@dataclass(frozen=True)
class FrameDone:
    """The rule, asked before each step: see `stylize`'s `enough`.

    A frame that is as good as the one before it is left as it starts, so a video that stands still
    is one picture. Any other is worked on as long as steps bring something.

    Attributes:
        aim: what the own loss of the frame before was, see `own_loss`; 0 is no such frame.
        tolerance: `_STEPS` steps that lower the loss by less than this share end the search; not 0.
    """

    aim: float
    tolerance: float

    def __call__(self, records: Sequence[Record]) -> bool:
        """Whether the frame is done with the last of its evaluations."""
        if len(records) == 1:
            return own_loss(records[0]) <= self.aim * (1 + _AS_GOOD)
        # An evaluation that was no step down repeats the number of the step before it.
        losses = list({record.step: record.loss for record in reversed(records)}.values())
        if len(losses) <= _STEPS:
            return False
        return losses[_STEPS] - losses[0] < self.tolerance * losses[_STEPS]


def own_loss(record: Record) -> float:
    """What a frame would be judged by alone: all but what holds it to other frames."""
    held = [value for name, value in record.parts.items() if name.startswith("temporal")]
    return record.loss - sum(held)


def comparable(losses: Sequence[Loss], others: Sequence[Loss]) -> bool:
    """Whether the losses of two frames weigh the same, so that their values can be compared."""
    return _weights(losses) == _weights(others)


def _weights(losses: Sequence[Loss]) -> list[tuple[object, ...]]:
    return [
        (
            type(loss),
            getattr(loss, "weight", None),
            loss.normalized_shares if isinstance(loss, StyleLoss) else None,
        )
        for loss in losses
    ]


def next_aim(aim: float, records: Sequence[Record]) -> float:
    """What the frame after this one must be as good as.

    A frame that was left as it starts may be a little worse than the one before. The best of a row
    of such frames counts, or many little changes would add up unseen.
    """
    last = [record for record in records if record.scale == records[-1].scale]
    own = own_loss(min(last, key=lambda record: record.loss))
    return min(aim, own) if len(records) == 1 and aim else own
