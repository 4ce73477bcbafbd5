"""`nst page`: the engine in a browser."""

from typing import Annotated, Any

import typer

from ..optional import imported
from ..settings import ServingSettings, default_of, help_of, limits_of
from .console import polite, say

_USUAL = ServingSettings()


def _limit(name: str) -> Any:
    least, most = limits_of(name)
    return typer.Option(
        min=least,
        max=most,
        metavar="NUMBER",
        help=help_of(name),
        rich_help_panel="What a visitor may ask for",
    )


@polite()
def page_command(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0 lets others in.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="NUMBER", help="Default: free, from 7860 up."),
    ] = None,
    share: Annotated[
        bool, typer.Option("--share", help="Also get a public link, through Gradio's servers.")
    ] = False,
    weights: Annotated[str, typer.Option(metavar="TEXT", help=help_of("weights"))] = default_of(
        "weights"
    ),
    max_size: Annotated[int, _limit("max_size")] = _USUAL.max_size,
    max_steps: Annotated[int, _limit("max_steps")] = _USUAL.max_steps,
    max_minutes: Annotated[float, _limit("max_minutes")] = _USUAL.max_minutes,
    max_waiting: Annotated[int, _limit("max_waiting")] = _USUAL.max_waiting,
    max_upload: Annotated[int, _limit("max_upload")] = _USUAL.max_upload,
    max_megapixels: Annotated[int, _limit("max_megapixels")] = _USUAL.max_megapixels,
) -> None:
    """Serve one page where pictures are dropped, watched while they grow, and downloaded."""
    imported("gradio", "'nst-gram[page]'")  # only now: it takes seconds
    from ..page.serve import serve

    limits = ServingSettings(
        max_size=max_size,
        max_steps=max_steps,
        max_minutes=max_minutes,
        max_waiting=max_waiting,
        max_upload=max_upload,
        max_megapixels=max_megapixels,
    )
    serve(weights=weights, limits=limits, host=host, port=port, share=share, on_message=say)
