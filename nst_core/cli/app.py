"""The commands under one roof, and the small ones among them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

from .. import __version__
from ..errors import SettingsError
from ..settings import MAX_SIZE, PRESETS, Settings
from ..settings.samples import CONTENTS, MIN_SIZE, STYLES
from .console import (
    answer,
    polite,
    say,
    speak_if_first,
    stdout,
    terminated_like_ctrl_c,
    warnings_of_engine,
)
from .files import make_folder
from .options import flag_of
from .page import page_command
from .plan import plan_app
from .resume import resume_command
from .stylize import reconstruct_command, stylize_command, texture_command
from .video import plan_video_command, video_command
from .weights import weights_app

app = typer.Typer(
    help="Neural style transfer by optimization: VGG-16 features, Gram matrices, L-BFGS.",
    no_args_is_help=True,
    add_completion=False,
    # Only our own mistakes get here, and those keep a traceback that can be reported.
    pretty_exceptions_enable=False,
)
app.command("stylize")(stylize_command)
app.command("texture")(texture_command)
app.command("reconstruct")(reconstruct_command)
app.command("video")(video_command)
app.command("resume")(resume_command)
app.command("page")(page_command)
plan_app.command("video", help="What nst video with the same words will take.")(plan_video_command)
app.add_typer(plan_app, name="plan")
app.add_typer(weights_app, name="weights")


def run(arguments: Sequence[str] | None) -> NoReturn:
    """Run the command in the arguments and exit."""
    speak_if_first()
    with warnings_of_engine(), terminated_like_ctrl_c():
        app(arguments, prog_name="nst")
    raise SystemExit(0)  # typer has exited already; this tells type checkers


def _print_version(wanted: bool) -> None:
    if wanted:
        answer(f"nst-gram {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say which it is."),
    ] = False,
) -> None:
    pass


@app.command("presets")
def presets_command() -> None:
    """Every preset: where it comes from, and the settings it has of its own."""
    table = Table("Preset", "What it is", "Settings unlike the default's", show_lines=True)
    usual = asdict(Settings())
    for name, preset in PRESETS.items():
        own = {k: v for k, v in asdict(preset.settings).items() if v != usual[k]}
        flags = [flag_of(key, value) for key, value in own.items()]
        table.add_row(name, preset.description, "\n".join(flags) or "none")
    stdout.print(table)


@app.command("samples")
@polite()
def samples_command(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Write them all there, as PNG."),
    ] = None,
    size: Annotated[int, typer.Option(metavar="NUMBER", help="Longer side in pixels.")] = 512,
) -> None:
    """The pictures drawn by code: content or style for `nst stylize` as sample:NAME."""
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise SettingsError(f"size is {size}. Use a number from {MIN_SIZE} to {MAX_SIZE}.")
    for title, descriptions in (("Contents", CONTENTS), ("Styles", STYLES)):
        answer(f"{title}:")
        for name, description in descriptions.items():
            answer(f"  {name}: {description}")
            if output:
                _draw(name, size, output)
    if output:
        say("All of them are in:")
        answer(output)


def _draw(name: str, size: int, folder: Path) -> None:
    from ..files.samples import sample
    from ..files.write_image import save_image  # only now: it brings PyTorch

    make_folder(folder)
    save_image(sample(name, size), folder / f"{name}.png")
