"""Which weights a file holds, and which input they want: known, or assumed aloud."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...gatys.preprocessing import Preprocessing
from .names import SHAPES
from .preprocessings import PREPROCESSINGS, TORCHVISION, preprocessing_named
from .sources import SOURCES, file_digest, recognize
from .vgg_file import VGGFile, read_vgg_file


@dataclass(frozen=True)
class Identity:
    """What a file says or shows of itself.

    Attributes:
        name: the published source, or None for anybody's file.
        source: one line for reports.
        preprocessing: name of the input range, or None if nothing tells it.
        known_by: what tells it: "hash", "metadata" or "layout".
    """

    name: str | None
    source: str
    preprocessing: str | None
    known_by: str


@dataclass(frozen=True)
class CheckReport:
    """What `check_weights` found.

    `known_by` is "hash", "metadata", "layout", "argument" or "assumed". `problems` has a line for
    each damaged tensor; `layers` says of each convolution whether it is whole.
    """

    path: Path
    layout: str
    source: str
    preprocessing: str
    known_by: str
    layers: Mapping[str, bool]
    problems: Mapping[str, str]
    messages: tuple[str, ...]
    sha256: str

    @property
    def ok(self) -> bool:
        """True if the file can be used."""
        return not self.problems


def identify(vgg_file: VGGFile) -> Identity:
    """By our metadata, by the hash of a published file, or else by the layout."""
    metadata, layout, file_name = vgg_file.metadata, vgg_file.layout, vgg_file.path.name
    told = metadata.get("preprocessing")
    if layout == "nst" and told in PREPROCESSINGS:
        name = metadata.get("source", file_name)
        if name in SOURCES:
            return Identity(name, f"{name} ({SOURCES[name].description})", told, "metadata")
        return Identity(None, name, told, "metadata")
    if known := recognize(vgg_file.path):
        line = f"{known.name} ({known.description})"
        return Identity(known.name, line, known.preprocessing, "hash")
    # Weights named as in Caffe or Keras come from Caffe, and so does the input they want.
    implied = "caffe" if layout in ("caffe", "keras") else None
    return Identity(None, f"{file_name} ({layout} layout)", implied, "layout")


def choose_preprocessing(
    identity: Identity, asked: str | None, on_message: Callable[[str], None]
) -> tuple[Preprocessing, str]:
    """(the preprocessing, what it is known by). What was asked for wins; a guess is announced."""
    known = identity.preprocessing
    if asked is not None:
        if known not in (None, asked):
            on_message(
                f"{identity.source} wants '{known}' input by its {identity.known_by}; '{asked}' "
                "was asked for and is used."
            )
        return preprocessing_named(asked), "argument"
    if known is not None:
        return preprocessing_named(known), identity.known_by
    others = " or ".join(f"'{name}'" for name in PREPROCESSINGS if name != TORCHVISION.name)
    on_message(
        f"{identity.source} does not say which input it wants: '{TORCHVISION.name}' is assumed. "
        f"If the picture looks wrong, set preprocessing to {others}."
    )
    return TORCHVISION, "assumed"


def check_weights(path: str | Path, preprocessing: str | None = None) -> CheckReport:
    """Look at a weights file without using it.

    Raises:
        WeightsError: nothing of VGG-16 can be read from the file at all.
    """
    path = Path(os.path.expanduser(path))
    vgg_file = read_vgg_file(path)
    identity = identify(vgg_file)
    messages = list(vgg_file.notes)
    chosen, known_by = choose_preprocessing(identity, preprocessing, messages.append)
    problems = vgg_file.problems()
    layers = dict.fromkeys((name.split(".")[0] for name in SHAPES), True)
    layers |= dict.fromkeys((name.split(".")[0] for name in problems), False)
    return CheckReport(
        path=path,
        layout=vgg_file.layout,
        source=identity.source,
        preprocessing=chosen.name,
        known_by=known_by,
        layers=layers,
        problems=problems,
        messages=tuple(messages),
        sha256=file_digest(path, "sha256"),
    )
