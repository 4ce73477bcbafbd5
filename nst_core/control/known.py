"""Statistics of style pictures, kept from one run to the next.

The frames of a video have the same styles in the same size, and what is known of those takes as
long as an evaluation.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..gatys.statistics import Guidance

Guidances = Mapping[str, Guidance]  # by layer
# {(layer, statistic): value} of a style picture.
Values = dict[tuple[str, str], Tensor]
# Of how many pictures they are kept: one has some megabytes.
_MOST = 8


@dataclass(frozen=True, eq=False)
class _Picture:
    """What was looked at, and how.

    Attributes:
        image: (1, 3, h, w).
        guidances: which of its positions count, by layer.
        how: the network and the arithmetic, the statistics and the tiles.
    """

    image: Tensor
    guidances: Guidances
    how: tuple[object, ...]

    def same(self, other: "_Picture") -> bool:
        """Whether another one has the same statistics: by its values, not by where they lie."""
        return (
            self.how == other.how
            and self.guidances.keys() == other.guidances.keys()
            and _equal(self.image, other.image)
            and all(
                one.grid == other.guidances[layer].grid
                and _equal(one.map, other.guidances[layer].map)
                for layer, one in self.guidances.items()
            )
        )


@dataclass(frozen=True, eq=False)
class KnownStyles:
    """What was found out about style pictures, the latest `_MOST` of them."""

    _found: deque[tuple[_Picture, Values]] = field(default_factory=lambda: deque(maxlen=_MOST))

    def values(
        self,
        image: Tensor,
        guidances: Guidances,
        how: tuple[object, ...],
        find: Callable[[], Values],
    ) -> Values:
        """Of a picture: as they were, or found now."""
        picture = _Picture(image, guidances, how)
        for known, values in self._found:
            if known.same(picture):
                return dict(values)
        values = find()
        self._found.append((picture, dict(values)))
        return values


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.device == other.device and one.dtype == other.dtype and torch.equal(one, other)
