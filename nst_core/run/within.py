"""Where a run is within an evaluation, or within the making of a scale's targets.

At 8192 pixels either takes minutes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..control.losses import ContentLoss, StyleLoss, Weighed
from ..control.tiled import tile_for_picture
from ..control.tiles import plan_tiles
from ..gatys.vgg import LAYERS, size_of
from .phases import Stage
from .progress import OnProgress, Progress


@dataclass(frozen=True)
class Within:
    """What is being done.

    Attributes:
        doing: "targets" of the pictures at a scale; then, for each evaluation, "sums" over the
            tiles if there are several, and "gradient".
        tile, tiles: the tile in work, counted from 1, and how many there are.
        scale, scales: the size in work, counted from 1, coarse to fine, and how many there are.
        fraction: share of the whole run done, in [0, 1].
    """

    doing: str
    tile: int
    tiles: int
    scale: int
    scales: int
    fraction: float

    @property
    def words(self) -> str:
        """For people: "gradient, tile 3/16"."""
        return self.doing if self.tiles == 1 else f"{self.doing}, tile {self.tile}/{self.tiles}"


OnWithin = Callable[[Within], None]


class Pass(NamedTuple):
    """Tiles in turn, each with so many ticks: one for each layer, and perhaps one at its end."""

    doing: str
    tiles: int
    ticks: int


def ignore_within(*_: object) -> None:
    """Do nothing."""


class Ticks:
    """Called after each layer and each tile: counts, and tells the run's callers.

    Args:
        on_tile, on_within: of `stylize`; both may raise.
    """

    def __init__(
        self, on_tile: Callable[[], None] = ignore_within, on_within: OnWithin = ignore_within
    ) -> None:
        self._on_tile, self._on_within = on_tile, on_within
        self._passes: Sequence[Pass] = ()
        self._done = 0
        self._progress: Progress | None = None
        self.stage: Stage | None = None

    def following(self, on_progress: OnProgress) -> OnProgress:
        """The callback of the same run, followed to know how far that is."""

        def reported(progress: Progress) -> None:
            self._progress = progress
            on_progress(progress)

        return reported

    def begin(self, passes: Sequence[Pass]) -> None:
        """What is done next."""
        self._passes, self._done = passes, 0

    def end(self) -> None:
        """It is done."""
        self._passes = ()

    def layer(self, *_: object) -> None:
        """After a layer's forward pass; outside of what was begun, it is a captured graph's."""
        if self._passes:
            self()

    def __call__(self) -> None:
        """After a layer or a tile."""
        self._on_tile()
        self._done += 1
        if self._passes and self.stage is not None:
            self._on_within(self._within(self.stage))

    def _within(self, stage: Stage) -> Within:
        left, before, doing = self._done, 0, ""
        for one in self._passes:
            before, doing = before if one.doing == doing else 0, one.doing
            if left < one.tiles * one.ticks:
                break
            left -= one.tiles * one.ticks
            before += one.tiles
        tiles = sum(one.tiles for one in self._passes if one.doing == doing)
        return Within(
            doing=doing,
            tile=min(tiles, before + left // one.ticks + 1),
            tiles=tiles,
            scale=stage.index + 1,
            scales=len(stage.scales),
            fraction=self._fraction(stage),
        )

    def _fraction(self, stage: Stage) -> float:
        """After the last report, as far as one evaluation goes."""
        before = self._progress.fraction if self._progress else 0.0
        work = [scale.height * scale.width * (scale.steps + 1) for scale in stage.scales]
        total = sum(one.tiles * one.ticks for one in self._passes)
        one = stage.scale.height * stage.scale.width / sum(work)
        return min(1.0, before + one * min(1.0, self._done / total))


def passes_of_targets(
    losses: Sequence[Weighed], height: int, width: int, tile: int, *, wrap: bool
) -> list[Pass]:
    """Those that make the targets of a (height, width) picture: one for each of their pictures."""
    passes = []
    for loss in losses:
        if not isinstance(loss, ContentLoss | StyleLoss):
            continue
        layers = [layer for layer, weight in loss.layer_weights.items() if weight > 0]
        if isinstance(loss, StyleLoss):
            around, images = False, [image for image, _, _ in loss.counting]
        else:
            around, images = wrap, [loss.image]
        for image in images:
            own = tile_for_picture(*size_of(image), layers, tile, height * width)
            tiles = plan_tiles(*size_of(image), own, layers, wrap=around)
            passes.append(Pass("targets", len(tiles), depth_of(layers) + 1))
    return passes


def passes_of_evaluation(tiles: int, depth: int, *, by_hand: bool) -> list[Pass]:
    """Those of an evaluation: with several tiles, the sums first, without a gradient.

    The last tile's forward pass is of both.

    Args:
        tiles: of the picture; a process may have none.
        depth: of the network, in layers.
        by_hand: whether the backward pass has ticks too.
    """
    both = depth * (2 if by_hand else 1)
    if tiles < 2:
        return [Pass("gradient", tiles, both)]
    sums = [Pass("sums", tiles - 1, depth + 1), Pass("sums", 1, depth)]
    kept = [Pass("gradient", 1, depth)] if by_hand else []
    return [*sums, *kept, Pass("gradient", tiles - 1, both)]


def depth_of(layers: Sequence[str]) -> int:
    """How many layers the network has to the deepest of these."""
    return max((list(LAYERS).index(layer) + 1 for layer in layers), default=1)
