"""What a checkpoint of the command line holds beside the run: the command, as it was typed."""

import ntpath
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ..control.color_names import is_color
from ..errors import CheckpointError
from ..files.weights import NAMES
from ..run.checkpoint import Checkpoint
from ..settings import Settings
from ..settings.samples import SAMPLE
from .asked import Asked
from .files import Outputs
from .words import Words

# A film that was cut short cannot be gone on with.
_OUTPUTS = ("picture", "report", "plot", "every")


def command_of(asked: Asked) -> dict[str, Any]:
    """The command as JSON has it; names are as they were typed in the folder `folder`."""
    outputs = {name: getattr(asked.outputs, name) for name in _OUTPUTS}
    return {
        "folder": os.getcwd(),
        "content": asked.content,
        "words": asdict(asked.words),
        "start": asked.start,
        "settings": asdict(asked.settings),
        "outputs": {k: str(v) if isinstance(v, Path) else v for k, v in outputs.items()},
    }


def asked_again(checkpoint: Checkpoint, path: Path, output: Path | None) -> Asked:
    """What the command in a checkpoint asked for, its names for the folder that we are in.

    What a file says must not decide which files are replaced: results go beside the checkpoint, or
    where `output` says.

    Raises:
        CheckpointError: the file has no such command, or would write elsewhere.
        SettingsError, ImageError: what it names cannot be read or written any more.
    """
    try:
        made = _asked(checkpoint.command, path, output)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"'{path}' is no checkpoint of a command ({error!r}). Start the run anew."
        ) from error
    made.check()
    return made


def _asked(command: Mapping[str, Any], path: Path, output: Path | None) -> Asked:
    folder = str(command["folder"])

    def named(name: str | None) -> str | None:
        return None if name is None else _from_here(str(name), folder)

    words = dict(command["words"])
    listed = ("style_regions", "style_masks")
    known = {item.name for item in fields(Settings)}
    settings = {name: value for name, value in command["settings"].items() if name in known}
    return Asked(
        content=named(command["content"]),
        words=Words(
            styles=[_style_from_here(str(style), folder) for style in words["styles"]],
            regions=named(words["regions"]),
            mask=named(words["mask"]),
            **{name: [_from_here(str(one), folder) for one in words[name]] for name in listed},
        ),
        outputs=_outputs(dict(command["outputs"]), folder, path, output),
        settings=_settings(settings, folder),
        start=named(command["start"]),
    )


def _settings(given: dict[str, Any], folder: str) -> Settings:
    weights = str(given.get("weights", NAMES[0]))
    if weights not in NAMES:
        _from_here(weights, folder)
    return Settings(**given)


def _outputs(written: Mapping[str, Any], folder: str, path: Path, output: Path | None) -> Outputs:
    picture = output or Path(_from_here(str(written["picture"]), folder))
    others = {
        name: Path(_from_here(str(written[name]), folder)) if written[name] else None
        for name in ("report", "plot")
    }
    own = path.resolve().parent
    for name, file in (("picture", picture), *others.items()):
        if file is not None and file != output and file.resolve().parent != own:
            raise CheckpointError(
                f"The {name} would go to '{file}', which is not beside '{path}'. "
                "Say where the picture goes with -o, and start the run anew for the others."
            )
    return Outputs(picture=picture, every=int(written["every"]), checkpoint=path, **others)


def _from_here(name: str, folder: str) -> str:
    """A file that was named in `folder`.

    Raises:
        CheckpointError: to ask for it would send a password to another machine, or wait for ever.
    """
    if name.startswith(SAMPLE):
        return name
    path = os.path.join(folder, name)
    if "\0" in path:
        raise CheckpointError("The checkpoint names a file that cannot be. Start the run anew.")
    share = ntpath.splitdrive(path)[0]
    if share.startswith(("\\\\", "//")) and share != ntpath.splitdrive(os.getcwd())[0]:
        raise CheckpointError(
            f"The checkpoint names '{path}' on another machine, which is not asked for it. Copy it "
            "here, and start the run anew."
        )
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise CheckpointError(f"The checkpoint names '{path}', which is no file. Start anew.")
    return path


def _style_from_here(style: str, folder: str) -> str:
    """The same of a style, which may be COLOR=FILE."""
    color, equals, file = style.partition("=")
    if equals and is_color(color):
        return f"{color}={_from_here(file, folder)}"
    return _from_here(style, folder)
