"""The pictures in a folder, in the order that people count in."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImageError

# Names that pictures have which `read_image.READABLE` lists. A name is enough: of a file that has
# it and is no picture, it is said that it could not be read.
PICTURE_ENDINGS = {
    ".png",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
    ".gif",
}
PICTURE_ENDINGS |= {".ppm", ".pgm", ".pbm", ".pnm", ".avif"}
# Names that one line lists.
_LISTED = 5


@dataclass(frozen=True)
class Listing:
    """What is in a folder, in the order that people count in.

    Attributes:
        folder: as it was typed.
        pictures: paths of the files that are pictures by their names.
        folders: names of folders in it, which are not entered.
        others: names of other files. Hidden ones are not among them, nor among the pictures.
    """

    folder: str
    pictures: tuple[str, ...]
    folders: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def remarks(self) -> list[str]:
        """A line for each kind that is left out."""
        kinds = (("folders in it are not entered", self.folders), ("no pictures", self.others))
        return [f"'{self.folder}': {what}: {_listed(names)}." for what, names in kinds if names]


def listing_of(folder: str) -> Listing:
    """What is in a folder.

    Raises:
        ImageError: it cannot be read, or no picture is in it.
    """
    try:
        with os.scandir(folder) as entries:
            kinds = {entry.name: _kind(entry) for entry in entries}
    except OSError as error:
        raise ImageError(
            f"The folder '{folder}' cannot be read: {error.strerror}. Check its permissions."
        ) from error
    names = sorted((name for name in kinds if not name.startswith(".")), key=_counted)
    files = [name for name in names if kinds[name] != "folder"]
    found = [
        name
        for name in files
        if kinds[name] == "file" and Path(name).suffix.lower() in PICTURE_ENDINGS
    ]
    if not found:
        raise ImageError(
            f"There is no picture in the folder '{folder}' (folders in it are not entered). "
            "Name another one."
        )
    return Listing(
        folder=folder,
        pictures=tuple(os.path.join(folder, name) for name in found),
        folders=tuple(name for name in names if kinds[name] == "folder"),
        others=tuple(name for name in files if name not in found),
    )


def _kind(entry: "os.DirEntry[str]") -> str:
    """A folder, a file, or something else: a pipe, for which one would wait, or a broken link."""
    try:
        return "folder" if entry.is_dir() else "file" if entry.is_file() else "else"
    except OSError:  # a link to itself
        return "else"


def _counted(name: str) -> tuple[list[str | int], str]:
    """A key that sorts 2 before 10, and A beside a."""
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
