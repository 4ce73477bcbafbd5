"""The flags of every command that makes pictures: what is written, and how much is said."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from ..errors import SettingsError
from ..files.paths import CHECKPOINT_ENDING, FILM_ENDINGS, WRITABLE
from ..settings.writing import STEP_SIDE
from .files import Outputs

T = TypeVar("T")

FORMATS = tuple(ending.removeprefix(".") for ending in WRITABLE)
_FOLDERS = "Folders: many pictures at once"


@dataclass(frozen=True, kw_only=True)
class OutputFlags:
    """What was said about the files to write."""

    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where the picture goes, or a folder for many."
        ),
    ]
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="Write every evaluation, settings and versions."),
    ] = None
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the loss and its parts.")
    ] = None
    save_every: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="NUMBER",
            help="Also keep the best picture so far every so many evaluations, as FILE-0020.png, "
            f"of at most {STEP_SIDE} pixels a side; 0 does not.",
        ),
    ] = 0
    film: Annotated[
        Path | None,
        typer.Option(
            metavar=" or ".join(f"FILE{ending}" for ending in FILM_ENDINGS),
            help="Show how the picture grows, in about ten seconds or less.",
        ),
    ] = None
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar=f"FILE{CHECKPOINT_ENDING}",
            help="Keep what `nst resume` needs to go on, from the start on. Without this flag, "
            "runs of more than two minutes keep it beside the picture. It is removed at the end.",
        ),
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(FORMATS),
            help="Of the pictures in the folder; png, the default, holds the settings.",
            rich_help_panel=_FOLDERS,
        ),
    ] = None
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Make pictures again that are in the folder already, instead of skipping them.",
            rich_help_panel=_FOLDERS,
        ),
    ] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress, only what must be known.")
    ] = False

    @classmethod
    def taken_from(cls, flags: dict[str, Any]) -> "OutputFlags":
        """Those among the flags of a command, which keeps the others."""
        return cls(**{item.name: flags.pop(item.name) for item in fields(cls)})

    @property
    def of_one_picture(self) -> Outputs:
        """SettingsError if something was said that only a folder has."""
        if self.format is not None or self.overwrite:
            flag = "--overwrite" if self.format is None else "--format"
            raise SettingsError(
                f"{flag} is for folders. A single picture has the format that its name says, and "
                "replaces what is there. Leave it out."
            )
        return Outputs(
            self.output, self.report, self.plot, self.film, self.save_every, self.checkpoint
        )

    def check_many(self, folder: str) -> None:
        """SettingsError if something was said that only a single picture has."""
        given = {
            "--report": self.report,
            "--plot": self.plot,
            "--save-every": self.save_every,
            "--film": self.film,
            "--checkpoint": self.checkpoint,
        }
        found = [flag for flag, value in given.items() if value]
        if found:
            raise SettingsError(
                f"'{folder}' is a folder, and {' and '.join(found)} can follow one picture only. "
                "Leave that out, or name a picture."
            )
        if self.format is not None and self.format.lower() not in FORMATS:
            raise SettingsError(
                f"format '{self.format}' is unknown. Use one of: {', '.join(FORMATS)}."
            )

    @property
    def ending(self) -> str:
        """Of the pictures in the folder: .png."""
        return f".{(self.format or 'png').lower()}"


def with_outputs(command: Callable[..., T]) -> Callable[..., T]:
    """The command with these flags before its other ones; its last parameter is `**flags`."""
    signature = inspect.signature(command)
    own = list(signature.parameters.values())
    arguments = [item for item in own if item.kind is item.POSITIONAL_OR_KEYWORD]
    flags = list(inspect.signature(OutputFlags).parameters.values())
    # Where `inspect.signature`, and so typer, looks first.
    parameters = [*arguments, *flags, *own[len(arguments) :]]
    vars(command)["__signature__"] = signature.replace(parameters=parameters)
    return command
