"""`nst stylize`, `texture` and `reconstruct`: their arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any

import typer

from ..settings import PRESETS
from .asked import asked
from .batch import batch_of
from .console import polite
from .options import with_settings
from .output_flags import OutputFlags, with_outputs
from .words import Words


def _presets() -> str:
    names = ", ".join(PRESETS)
    return f"Where settings without a flag come from: {names}. 'nst presets' describes them."


Content = Annotated[
    str, typer.Argument(metavar="CONTENT", help="Picture to repaint: a file, or sample:NAME.")
]
Styles = Annotated[
    list[str],
    typer.Argument(
        metavar="STYLE",
        help="Pictures to paint like, one or more. With --regions: COLOR=PICTURE, such as "
        "red=painting.jpg; one without a color paints the rest.",
    ),
]
_Textures = Annotated[
    list[str], typer.Argument(metavar="STYLE", help="Pictures to make more of, one or more.")
]
REGIONS_PANEL = "Regions: what is painted where"
Regions = Annotated[
    str | None,
    typer.Option(
        metavar="MAP",
        help="A picture with one flat color per region, laid over CONTENT. What no style claims "
        "stays as it is.",
        rich_help_panel=REGIONS_PANEL,
    ),
]
_Mask = Annotated[
    str | None,
    typer.Option(
        metavar="PICTURE",
        help="Laid over CONTENT: white is painted, black stays as it is.",
        rich_help_panel=REGIONS_PANEL,
    ),
]
StyleRegions = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MAP",
        help="The same colors laid over STYLE: each region is painted like its color there. Once "
        "for all styles, or once for each.",
        rich_help_panel=REGIONS_PANEL,
    ),
]
StyleMask = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PICTURE",
        help="Laid over STYLE: only what is white counts. Once for all styles, or once for each.",
        rich_help_panel=REGIONS_PANEL,
    ),
]
PresetName = Annotated[str, typer.Option(metavar="NAME", help=_presets())]


@dataclass(frozen=True)
class Order:
    """The words of a command; `flags` are those of the settings and of what is written."""

    content: str | None
    words: Words
    preset: str
    flags: dict[str, Any]


@with_settings
@with_outputs
def stylize_order(
    content: Content,
    styles: Styles,
    *,
    preset: PresetName = "default",
    regions: Regions = None,
    mask: _Mask = None,
    style_regions: StyleRegions = None,
    style_mask: StyleMask = None,
    **flags: Any,
) -> Order:
    """Repaint CONTENT in the manner of STYLE. The last line printed is where the picture is.

    Several styles are blended. A folder as CONTENT makes a picture of each picture in it, a folder
    as STYLE one for each style in it, two folders one for each pair; -o is a folder then.
    """
    words = Words(styles, regions, mask, style_regions or (), style_mask or ())
    return Order(content, words, preset, flags)


@with_settings
@with_outputs
def texture_order(
    styles: _Textures,
    *,
    preset: PresetName = "texture",
    style_mask: StyleMask = None,
    **flags: Any,
) -> Order:
    """More of STYLE, of any size: texture synthesis. --seamless makes a tile.

    Several styles are blended. A folder makes a texture of each picture in it; -o is a folder then.
    """
    return Order(None, Words(styles, style_masks=style_mask or ()), preset, flags)


@with_settings
@with_outputs
def reconstruct_order(
    content: Content, *, preset: PresetName = "reconstruction", **flags: Any
) -> Order:
    """CONTENT from noise, by what --content-layers know of it.

    A folder makes a picture of each picture in it; -o is a folder then.
    """
    return Order(content, Words(()), preset, flags)


def _making(order_of: Callable[..., Order]) -> Callable[..., None]:
    """The command that makes what an order asks for."""

    @wraps(order_of)
    def command(*words: Any, **flags: Any) -> None:
        with polite("Stopped before the first evaluation: nothing was written."):
            _make(order_of(*words, **flags))

    return command


def _make(order: Order) -> None:
    """Make the picture that was asked for, or the pictures."""
    outputs = OutputFlags.taken_from(order.flags)
    batch = batch_of(order.content, order.words, outputs, order.preset, order.flags)
    if batch is None:
        one = asked(order.content, order.words, outputs.of_one_picture, order.preset, order.flags)
        from .making import make  # only now: it brings PyTorch, which takes seconds to import

        make(one, outputs.quiet)
    elif batch.begin(outputs.quiet):
        from .making_many import make_many

        make_many(batch, outputs.quiet)


stylize_command = _making(stylize_order)
texture_command = _making(texture_order)
reconstruct_command = _making(reconstruct_order)
