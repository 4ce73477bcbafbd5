"""A picture cut into one block for each process, with about the same work in each."""

from collections.abc import Sequence
from functools import cache
from itertools import accumulate, pairwise

Block = tuple[range, range]
# The coarsest grid of features. Cores begin on it, so that each is one tile's in every layer.
ALIGNMENT = 16
# Features whose columns are cut do not lie in one piece: they are copied, which costs so much.
_COLUMNS = 1.07


@cache
def blocks_of(
    height: int, width: int, margin: int, count: int, *, wrap: bool = False
) -> tuple[Block, ...]:
    """The rows and columns that each of `count` processes owns, in pixels.

    Of all layouts in rows of blocks it is the one whose largest crop costs least. A block at an
    edge of the picture reads less beyond it, and so is larger. A picture too small for so many
    blocks has fewer: those that are missing are empty.

    Args:
        height, width: of the picture, in pixels.
        margin: how many pixels are read beyond a block.
        count: of processes.
        wrap: whether the picture goes on at its other end.
    """
    for used in range(count, 0, -1):
        layouts = [_layout(height, width, margin, used, rows, wrap) for rows in range(used, 0, -1)]
        if found := [layout for layout in layouts if layout]:
            best = min(found, key=lambda one: _cost(one, height, width, margin, wrap))
            return (*best, *[(range(0), range(0))] * (count - used))
    raise AssertionError("one block always fits")


def _layout(
    height: int, width: int, margin: int, count: int, rows: int, wrap: bool
) -> list[Block] | None:
    """`count` blocks in so many rows; None where one would be too small."""
    counts = [count // rows + (row < count % rows) for row in range(rows)]
    across = [_cuts(width, _margins(many, margin, wrap), [1.0] * many) for many in counts]
    if not all(across):
        return None
    widths = [max(len(part) for part in parts) + 2 * margin for parts in across]
    down = _cuts(height, _margins(rows, margin, wrap), list(map(float, widths)))
    return [(row, part) for row, parts in zip(down, across, strict=False) for part in parts] or None


def _margins(count: int, margin: int, wrap: bool) -> list[int]:
    """Pixels that each of so many parts of a side reads beyond itself."""
    return [margin * (2 if wrap else (part > 0) + (part < count - 1)) for part in range(count)]


def _cuts(length: int, margins: Sequence[int], costs: Sequence[float]) -> list[range]:
    """Parts of a side for which cost x (length + margin) is the same; none if one is too short."""
    each = (length + sum(margins)) / sum(1 / cost for cost in costs)
    lengths = [each / cost - margin for cost, margin in zip(costs, margins, strict=True)]
    ends = [round(end / ALIGNMENT) * ALIGNMENT for end in accumulate(lengths)][:-1]
    parts = [range(*pair) for pair in pairwise([0, *ends, length])]
    fits = len(parts) == 1 or all(len(part) >= ALIGNMENT for part in parts)
    return parts if fits else []


def _cost(blocks: Sequence[Block], height: int, width: int, margin: int, wrap: bool) -> float:
    """Pixels of the largest crop, and copies."""

    def read(part: range, length: int) -> int:
        first, last = (-margin, length + margin) if wrap else (0, length)
        return min(last, part.stop + margin) - max(first, part.start - margin)

    largest = max(read(rows, height) * read(columns, width) for rows, columns in blocks)
    return largest * (_COLUMNS if any(len(columns) < width for _, columns in blocks) else 1)
