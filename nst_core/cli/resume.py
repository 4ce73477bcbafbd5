"""`nst resume`: go on with a run that was stopped."""

from pathlib import Path
from typing import Annotated

import typer

from ..files.paths import CHECKPOINT_ENDING
from .console import polite


@polite("Stopped before the first evaluation: nothing was written.")
def resume_command(
    checkpoint: Annotated[
        Path,
        typer.Argument(metavar=f"FILE{CHECKPOINT_ENDING}", help="What a stopped run has left."),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where the picture goes instead."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress, only what must be known.")
    ] = False,
) -> None:
    """Go on with a run that was stopped, to the picture that it would have made."""
    # Only now: they bring PyTorch, which takes seconds to import.
    from ..run.checkpoint import load_checkpoint
    from .making import make
    from .resuming import asked_again

    found = load_checkpoint(checkpoint)
    make(asked_again(found, checkpoint, output), quiet, found)
