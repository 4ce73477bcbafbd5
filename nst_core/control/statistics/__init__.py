"""Style statistics, by name: what of a style's features is compared, whatever its place.

Each has the two halves of every loss: something that adds up over tiles, and a function of the
total. Moments are sums over positions. A distribution is compared by its sorted values, which no
sum gives; there every position adds to a place of its own in a map as large as the layer. The
total then holds all values: tiles stay exact, but save less memory.

Distances other than the Gram matrix's are means over positions of squared changes of features, and
are normalized as content's are.
"""

from collections.abc import Callable, Mapping

from ...gatys.functions import Sums
from ...gatys.statistics import Gram, Statistic
from .distribution import Distribution, random_directions
from .moments import Gaussian, MeanStd

__all__ = ["EXTRA_BYTES", "STATISTICS", "adds_up", "statistics_named"]

# What a name stands for. Risser et al. and Galerne et al. both add to the Gram matrix.
STATISTICS: Mapping[str, tuple[str, ...]] = {
    "gram": ("gram",),
    "gram+mean-std": ("gram", "mean-std"),
    "gram+histogram": ("gram", "histogram"),
    "gaussian": ("gaussian",),
    "sliced-wasserstein": ("sliced-wasserstein",),
}

# Memory beside that of a Gram matrix, in bytes for each pixel of the picture, and none of it less
# in tiles: float32 copies of features, and maps to be sorted. `benchmarks/cost.py --statistics`
# prints peaks to hold it against.
EXTRA_BYTES: Mapping[str, int] = {
    "gram": 0,
    "gram+mean-std": 1800,
    "gaussian": 600,
    "gram+histogram": 2000,
    "sliced-wasserstein": 1600,
}


def statistics_named(name: str, channels: int, positions: int, sums: Sums) -> dict[str, Statistic]:
    """What `name` of `STATISTICS` compares at a layer of so many channels and positions."""
    makers: Mapping[str, Callable[[], Statistic]] = {
        "gram": lambda: Gram(sums.gram),
        "mean-std": MeanStd,
        "gaussian": lambda: Gaussian(sums.gram),
        "histogram": lambda: Distribution(positions, None),
        "sliced-wasserstein": lambda: Distribution(positions, random_directions(channels)),
    }
    return {part: makers[part]() for part in STATISTICS[name]}


def adds_up(statistic: Statistic) -> bool:
    """Whether what is known of a style picture is the sum of what is known of its parts."""
    return type(statistic).accumulated is Statistic.accumulated
