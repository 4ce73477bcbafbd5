"""Style statistics, by name: what of a style's features is compared, whatever its place.

Each has the two halves of every loss: something that adds up over tiles, and a function of the
total. Moments are sums over positions. A distribution is compared by its sorted values, which no
sum gives; there every position adds to a place of its own in a map as large as the layer. The
total then holds all values: tiles stay exact, but save less memory.

Distances other than the Gram matrix's are means over positions of squared changes of features, and
are normalized as content's are.
"""

from collections.abc import Callable, Mapping

from .distribution import Distribution, random_directions
from .moments import Gaussian, Gram, MeanStd
from .statistic import Statistic

__all__ = ["STATISTICS", "Statistic", "statistics_named"]

# What a name stands for. Risser et al. and Galerne et al. both add to the Gram matrix.
STATISTICS: Mapping[str, tuple[str, ...]] = {
    "gram": ("gram",),
    "gram+mean-std": ("gram", "mean-std"),
    "gram+histogram": ("gram", "histogram"),
    "gaussian": ("gaussian",),
    "sliced-wasserstein": ("sliced-wasserstein",),
}


def statistics_named(name: str, channels: int, positions: int) -> dict[str, Statistic]:
    """What `name` of `STATISTICS` compares at a layer of so many channels and positions."""
    makers: Mapping[str, Callable[[], Statistic]] = {
        "gram": Gram,
        "mean-std": MeanStd,
        "gaussian": Gaussian,
        "histogram": lambda: Distribution(positions, None),
        "sliced-wasserstein": lambda: Distribution(positions, random_directions(channels)),
    }
    return {part: makers[part]() for part in STATISTICS[name]}
