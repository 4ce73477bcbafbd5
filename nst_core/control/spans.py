"""One tile along one axis: which pixels it reads, and which features of each layer it keeps.

A 3x3 convolution looks one feature further to each side. So from the pixels to the deepest layer,
what has to be kept beyond the owned features narrows by one feature with each convolution:

                     owned
    relu5_1        |=======|
    relu4_3      |===========|        one more to each side, in features of relu5_1
    relu4_2     |=============|       one more, in features of relu4_2
    pixels  |=====================|
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..gatys.vgg import LAYERS
from ..settings.layers import LAYER_NAMES

# [start, stop) in pixels or in features, counted from the picture's first.
Interval = tuple[int, int]


@dataclass(frozen=True)
class Span:
    """A tile along one axis.

    Attributes:
        pixels: that it reads. Of a picture that is wrapped around, some lie beyond both ends.
        core: the pixels that it owns.
        kept: {layer: features}, from the first layer to the deepest: those that it owns, and those
            that these see in deeper layers.
    """

    pixels: Interval
    core: Interval
    kept: Mapping[str, Interval]

    def owned(self, layer: str) -> Interval:
        """The features that it owns."""
        return _owned(self.core, layer)

    def owned_of_kept(self, layer: str) -> slice:
        """Where they lie among those that are kept."""
        (start, stop), first = self.owned(layer), self.kept[layer][0]
        return slice(start - first, stop - first)

    def dropped(self, layer: str) -> Interval:
        """How many features at either end its convolution could compute, and which are not kept."""
        above = LAYER_NAMES.index(layer) - 1
        first, last = self.kept[LAYER_NAMES[above]] if above >= 0 else self.pixels
        if _after_pooling(layer):
            first, last = first // 2, last // 2
        start, stop = self.kept[layer]
        return start - first, last - stop


def span_of(core: Interval, ends: Interval, layers: Collection[str]) -> Span:
    """The span of a core.

    Args:
        core: in pixels.
        ends: of the picture, in pixels; what is seen beyond is the network's margin of zeros.
        layers: whose features are needed.
    """
    kept: dict[str, Interval] = {}
    depth = max((LAYER_NAMES.index(name) + 1 for name in layers), default=0)
    seen = core
    for name in reversed(LAYER_NAMES[:depth]):
        parts = [_owned(core, name)] if name in layers else []
        parts += [seen] if kept else []
        start, stop = min(start for start, _ in parts), max(stop for _, stop in parts)
        start = min(
            start, stop - 1
        )  # of a small core that owns nothing there, to convolve anything
        kept[name] = start, stop
        stride = LAYERS[name].stride
        seen = max(ends[0] // stride, start - 1), min(ends[1] // stride, stop + 1)
        if _after_pooling(name):
            seen = 2 * seen[0], 2 * seen[1]
    return Span(seen, core, dict(reversed(kept.items())))


def _owned(core: Interval, layer: str) -> Interval:
    stride = LAYERS[layer].stride
    # Floor division at the far end: pooling drops a remainder, which only the last core has.
    return core[0] // stride, core[1] // stride


def _after_pooling(layer: str) -> bool:
    return LAYERS[layer].index == 1 and LAYERS[layer].block > 1
