"""The moving samples: harbor, portrait and meadow. A unit of time is a second."""

from collections.abc import Callable, Mapping
from functools import cache

from ...settings.samples import moving_named
from . import harbor, landscape, portrait
from .boats import boat, rowing_boat
from .canvas import Canvas
from .moving import Layer, Scene, cut_out, opaque, shifted, swaying, zoomed

# Layers are drawn once, at this longer side.
_DRAWN = 768


def moving_sample(name: str) -> Scene:
    """One of harbor, portrait and meadow, of any length.

    Raises:
        SettingsError: there is no such sample.
    """
    return _SCENES[moving_named(name)]()


@cache
def _harbor() -> Scene:
    """Boats sail before the houses, and the water sways."""
    back = Canvas(4 / 3, _DRAWN, seed=1626)
    harbor.paint_without_boats(back)

    def large(canvas: Canvas) -> None:
        boat(canvas, 0.45, 0.800, 0.42, "#1d3b4f", "#f3e3c8", mirrored=True)
        boat(canvas, 0.45, 0.800, 0.42, "#1d3b4f", "#f3e3c8")

    def small(canvas: Canvas) -> None:
        boat(canvas, 1.05, 0.640, 0.18, "#5a2f2a", "#f0dcc0", mirrored=True)
        boat(canvas, 1.05, 0.640, 0.18, "#5a2f2a", "#f0dcc0")

    def rowing(canvas: Canvas) -> None:
        rowing_boat(canvas, 0.25, 0.93, 0.17, mirrored=True)
        rowing_boat(canvas, 0.25, 0.93, 0.17)

    return Scene(
        4 / 3,
        (
            Layer(opaque(back), *swaying(0.008, 6.0, harbor.SHORE)),
            Layer(cut_out(4 / 3, _DRAWN, small), *shifted(-0.05)),
            Layer(cut_out(4 / 3, _DRAWN, large), *shifted(0.12)),
            Layer(cut_out(4 / 3, _DRAWN, rowing), *shifted(0.05, -0.01)),
        ),
    )


@cache
def _portrait() -> Scene:
    """The camera comes nearer."""
    return Scene(3 / 4, (Layer(opaque(portrait.paint(_DRAWN)), *zoomed(1.08, 0.372, 0.385)),))


@cache
def _meadow() -> Scene:
    """The camera turns over the hills."""
    return Scene(3 / 2, (Layer(opaque(landscape.paint(_DRAWN)), *shifted(-0.06, 0.01)),))


_SCENES: Mapping[str, Callable[[], Scene]] = {
    "harbor": _harbor,
    "portrait": _portrait,
    "meadow": _meadow,
}
