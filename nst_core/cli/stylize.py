"""`nst stylize`, `texture` and `reconstruct`: their arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from ..settings import PRESETS
from .asked import Asked, asked
from .console import polite
from .files import Outputs
from .options import with_settings
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
_PANEL = "Regions: what is painted where"
_Regions = Annotated[
    str | None,
    typer.Option(
        metavar="MAP",
        help="A picture with one flat color per region, laid over CONTENT. What no style claims "
        "stays as it is.",
        rich_help_panel=_PANEL,
    ),
]
_Mask = Annotated[
    str | None,
    typer.Option(
        metavar="PICTURE",
        help="Laid over CONTENT: white is painted, black stays as it is.",
        rich_help_panel=_PANEL,
    ),
]
_StyleRegions = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MAP",
        help="The same colors laid over STYLE: each region is painted like its color there. Once "
        "for all styles, or once for each.",
        rich_help_panel=_PANEL,
    ),
]
_StyleMask = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PICTURE",
        help="Laid over STYLE: only what is white counts. Once for all styles, or once for each.",
        rich_help_panel=_PANEL,
    ),
]
_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="Where the picture goes.")
]
PresetName = Annotated[str, typer.Option(metavar="NAME", help=_presets())]
_Report = Annotated[
    Path | None,
    typer.Option(metavar="FILE.json", help="Write every evaluation, settings and versions."),
]
_Plot = Annotated[
    Path | None, typer.Option(metavar="FILE.png", help="Draw the loss and its parts.")
]
_SaveEvery = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="NUMBER",
        help="Also keep the best picture so far every so many evaluations, as FILE-0020.png; "
        "0 does not.",
    ),
]
_Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, only what must be known.")
]


@dataclass(frozen=True)
class Order:
    """What a command was asked for, how often it writes, and whether it is quiet about it."""

    asked: Asked
    save_every: int
    quiet: bool


@with_settings
def stylize_order(
    content: Content,
    styles: Styles,
    *,
    output: _Output,
    preset: PresetName = "default",
    regions: _Regions = None,
    mask: _Mask = None,
    style_regions: _StyleRegions = None,
    style_mask: _StyleMask = None,
    report: _Report = None,
    plot: _Plot = None,
    save_every: _SaveEvery = 0,
    quiet: _Quiet = False,
    **flags: Any,
) -> Order:
    """Repaint CONTENT in the manner of STYLE. The last line printed is where the picture is."""
    words = Words(styles, regions, mask, style_regions or (), style_mask or ())
    made = asked(content, words, Outputs(output, report, plot), preset, flags)
    return Order(made, save_every, quiet)


@with_settings
def texture_order(
    styles: _Textures,
    *,
    output: _Output,
    preset: PresetName = "texture",
    style_mask: _StyleMask = None,
    report: _Report = None,
    plot: _Plot = None,
    save_every: _SaveEvery = 0,
    quiet: _Quiet = False,
    **flags: Any,
) -> Order:
    """More of STYLE, of any size: texture synthesis. --seamless makes a tile."""
    words = Words(styles, style_masks=style_mask or ())
    made = asked(None, words, Outputs(output, report, plot), preset, flags)
    return Order(made, save_every, quiet)


@with_settings
def reconstruct_order(
    content: Content,
    *,
    output: _Output,
    preset: PresetName = "reconstruction",
    report: _Report = None,
    plot: _Plot = None,
    save_every: _SaveEvery = 0,
    quiet: _Quiet = False,
    **flags: Any,
) -> Order:
    """CONTENT from noise, by what --content-layers know of it."""
    made = asked(content, Words(()), Outputs(output, report, plot), preset, flags)
    return Order(made, save_every, quiet)


def _making(order_of: Callable[..., Order]) -> Callable[..., None]:
    """The command that makes the picture that was asked for."""

    @wraps(order_of)
    def command(*words: Any, **flags: Any) -> None:
        with polite("Stopped before the first evaluation: nothing was written."):
            order = order_of(*words, **flags)
            from .making import make  # only now: it brings PyTorch, which takes seconds to import

            make(order.asked, order.save_every, order.quiet)

    return command


stylize_command = _making(stylize_order)
texture_command = _making(texture_order)
reconstruct_command = _making(reconstruct_order)
