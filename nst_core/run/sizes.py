"""Whether every picture is large enough for its layers, and the masks leave something that counts.

Known from sizes alone, so that a run is refused before its first evaluation, and not at its last
scale.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..control.context import Size, copy_size
from ..control.guidance import guidances_of
from ..control.losses import ContentLoss, Keep, Loss, StyleLoss, styles_in
from ..control.pyramid import Scale, views_of
from ..errors import ImageTooSmall, NSTError, SettingsError
from ..gatys.vgg import LAYERS, size_of
from ..settings import MAX_SIZE, RunSettings, limits_of
from .staging import style_size


@dataclass(frozen=True)
class Problem:
    """Why nothing can be done at a size.

    Attributes:
        error: its kind.
        said: what is wrong.
        remedy: what to do about it where the size is the result's own.
    """

    error: type[NSTError]
    said: str
    remedy: str


@dataclass(frozen=True)
class _Seen:
    """A picture as large as it is when a loss looks at it, and how it would be larger."""

    what: str
    size: Size
    layer: str
    remedy: str


def check_scales(losses: Sequence[Loss], settings: RunSettings, scales: Sequence[Scale]) -> None:
    """Refuse what would fail at one of the scales.

    Raises:
        ImageTooSmall: a picture, or a copy of it, has no feature at a layer that counts.
        SettingsError: nothing counts, or there is not one evaluation for each scale.
    """
    last = scales[-1]
    if problem := problem_at(losses, settings, last.height, last.width):
        raise problem.error(f"{problem.said} {problem.remedy}")
    for scale in scales[:-1]:
        if problem := problem_at(losses, settings, scale.height, scale.width):
            raise problem.error(
                f"{len(scales)} scales begin at {scales[0].width}x{scales[0].height} px. "
                f"{problem.said} Use fewer scales; 0 chooses them."
            )
    if 0 < settings.max_evaluations < len(scales):
        raise SettingsError(
            f"max_evaluations is {settings.max_evaluations}, but {len(scales)} scales take one "
            "each. Use more of them or fewer scales; 0 chooses these."
        )


def problem_at(
    losses: Sequence[Loss], settings: RunSettings, height: int, width: int
) -> Problem | None:
    """What is wrong with a scale of (height, width) pixels."""
    for seen in _all_seen(losses, settings, height, width):
        least = LAYERS[seen.layer].stride
        if min(seen.size) < least:
            said = f"{seen.what} is {seen.size[1]}x{seen.size[0]} px"
            need = f"{seen.layer} needs at least {least}x{least}"
            return Problem(ImageTooSmall, f"{said}, but {need}.", seen.remedy)
    weighed = [loss for loss in losses if not isinstance(loss, Keep) and loss.weight > 0]
    if not weighed:
        said = "No loss has a weight above 0."
        return Problem(SettingsError, said, "Give content or style a weight.")
    if not any(_counts(loss, height, width, settings.shape) for loss in weighed):
        said = f"At {width}x{height} px, the masks leave no loss a place where it counts."
        return Problem(SettingsError, said, "Use larger masks, a larger size or earlier layers.")
    return None


def narrowest_style(
    losses: Sequence[Loss], settings: RunSettings, height: int, width: int
) -> int | None:
    """The shortest side of all style pictures that count, beside a (height, width) result."""
    sides = (
        min(style_size(loss, image, height, width, settings.shape))
        for loss in styles_in(losses)
        for image, _, _ in loss.counting
    )
    return min(sides, default=None)


def views_at(losses: Sequence[Loss], settings: RunSettings, height: int, width: int) -> int:
    """At how many sizes a (height, width) result is looked at."""
    narrowest = narrowest_style(losses, settings, height, width)
    return views_of(height, width, settings.views, narrowest)


def _all_seen(
    losses: Sequence[Loss], settings: RunSettings, height: int, width: int
) -> Iterator[_Seen]:
    """Every picture that a loss looks at, and every copy of it."""
    networks = [loss for loss in losses if isinstance(loss, ContentLoss | StyleLoss)]
    layer = _deepest(*(loss for loss in networks if loss.weight > 0))
    yield _Seen(
        "The result", (height, width), layer, _larger(losses, settings, height, width, layer)
    )
    for loss in styles_in(losses):
        layer = _deepest(loss)
        pictures = list(_pictures(loss, height, width, settings.shape))
        for what, size, remedy in pictures:
            yield _Seen(what, size, layer, remedy)
        for level in range(1, views_at(losses, settings, height, width)):
            fewer = f"Use fewer views than {level + 1}, a larger size, or earlier layers."
            copy = copy_size(height, width, level, wrap=settings.seamless)
            yield _Seen(f"The result in view {level + 1}", copy, layer, fewer)
            for what, size, _ in pictures:
                yield _Seen(f"{what} in view {level + 1}", copy_size(*size, level), layer, fewer)


def _pictures(
    loss: StyleLoss, height: int, width: int, shape: str
) -> Iterator[tuple[str, Size, str]]:
    """A name, the size, and how it would be larger, of each picture of a style that counts."""
    for image, _, _ in loss.counting:
        rows, columns = size_of(image)
        size = style_size(loss, image, height, width, shape)
        narrow = max(size_of(image)) / min(size_of(image)) if shape == "keep" else 1.0
        scale = math.ceil(100 * LAYERS[_deepest(loss)].stride * narrow / max(height, width)) / 100
        most = limits_of("style_scale")[1]
        larger = f"style_scale {scale:g}" if not most or scale <= most else "one less narrow"
        first, second = (larger, "a larger size")[:: 1 if loss.scale < 1 else -1]
        yield (
            f"A style picture of {columns}x{rows} px at style_scale {loss.scale:g}",
            size,
            f"Use {first}, {second}, or earlier layers.",
        )


def _larger(
    losses: Sequence[Loss], settings: RunSettings, height: int, width: int, layer: str
) -> str:
    """How to get a result that is large enough."""
    # Rounding may have added half a pixel to the shorter side.
    size = math.ceil(max(height, width) * LAYERS[layer].stride / (min(height, width) - 0.5))
    larger = f"a size from {size} up, " if min(height, width) > 1 and size <= MAX_SIZE else ""
    textured = not any(isinstance(loss, ContentLoss) for loss in losses)
    shape = "an aspect nearer 1" if settings.aspect and textured else "a picture less narrow"
    return f"Use {larger}{shape}, or earlier layers."


def _deepest(*losses: ContentLoss | StyleLoss) -> str:
    """The layer that needs the largest picture."""
    layers = [layer for loss in losses for layer in _layers(loss)]
    return max(layers, key=lambda layer: LAYERS[layer].stride, default="relu1_1")


def _layers(loss: ContentLoss | StyleLoss) -> list[str]:
    return [layer for layer, weight in loss.layer_weights.items() if weight > 0]


def _counts(loss: Loss, height: int, width: int, shape: str) -> bool:
    """Whether its masks leave something of a loss."""
    if not isinstance(loss, ContentLoss | StyleLoss):
        return True
    layers = list(guidances_of(loss.mask, height, width, _layers(loss)))
    if isinstance(loss, ContentLoss):
        return bool(layers)
    return any(
        guidances_of(mask, *style_size(loss, image, height, width, shape), layers)
        for image, mask, _ in loss.counting
    )
