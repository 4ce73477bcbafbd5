"""`nst weights`: which there are, fetching them, and looking into a file."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import WeightsError
from ..settings.network import PREPROCESSING_NAMES
from .console import answer, download_bar, polite, say

weights_app = typer.Typer(help="List, download and check network weights.", no_args_is_help=True)


@weights_app.command("list")
@polite()
def list_command() -> None:
    """Every named network, and where it lies on this machine."""
    from ..files.weights import known_weights  # each command: it brings PyTorch

    for entry in known_weights():
        if entry.found:
            state = f"on this machine: {entry.found}"
        elif entry.size:
            state = f"{entry.size / 1e6:,.0f} MB to download: nst weights get {entry.name}"
        elif entry.name in ("builtin", "untrained"):
            state = "always there"
        else:
            state = "not on this machine"
        answer(f"{entry.name}: {state}")
        answer(f"    {entry.description}")
        answer(f"    License: {entry.license}")


@weights_app.command("get")
@polite()
def get_command(
    name: Annotated[str, typer.Argument(help="keras, torchvision or torchvision-features.")],
) -> None:
    """Download weights, unless they are here; the last line printed is where they are."""
    from ..files.weights import get_weights

    say("Only the 13 convolutions are kept. An interrupted download goes on where it stopped.")
    with download_bar() as on_progress:
        answer(get_weights(name, on_progress=on_progress))


@weights_app.command("check")
@polite()
def check_command(
    file: Annotated[Path, typer.Argument(help="A .safetensors, .pth, .keras or .h5 file.")],
    preprocessing: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(PREPROCESSING_NAMES), help="The input it wants, if you know."
        ),
    ] = None,
) -> None:
    """Look at a weights file without using it; the exit code is 2 if it cannot be used."""
    from ..files.weights import check_weights

    found = check_weights(file, preprocessing)
    for message in found.messages:
        say(message)
    answer(f"File: {found.path}")
    answer(f"SHA-256: {found.sha256}")
    answer(f"Network: {found.source}")
    answer(f"Layout: {found.layout}")
    answer(f"Input: {found.preprocessing} (known by: {found.known_by})")
    whole = sum(found.layers.values())
    answer(f"Convolutions: {whole} of {len(found.layers)} are whole")
    for name, problem in found.problems.items():
        answer(f"    {name} {problem}")
    if not found.ok:
        raise WeightsError(f"{found.path} is not a whole VGG-16. Download or copy it again.")
