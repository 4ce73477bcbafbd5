"""Whether a file can be read or written, found out before any work and without PyTorch."""

import importlib.util
import os
import tempfile
from collections.abc import Collection
from pathlib import Path

from ..errors import ImageError, SettingsError

WRITABLE = {
    **{".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"},
    **{".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP"},
}
# Formats with an alpha channel, and with 16 bits a channel.
TRANSPARENT = ("PNG", "WEBP", "TIFF")
DEEP = ("PNG", "TIFF")
FILM_ENDINGS = (".mp4", ".gif")
CHECKPOINT_ENDING = ".checkpoint"
ON_WINDOWS = os.name == "nt"
# What comes before the first point of a name that is a device there, whatever follows.
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}


def check_readable(path: str | Path) -> None:
    """Raise ImageError if there is no file; whether it is a picture shows when it is read."""
    if os.path.isdir(path):  # Path.is_dir raises where a folder is closed to us
        raise ImageError(f"'{path}' is a folder. Name a picture file inside it.")
    try:
        os.stat(path)
    except FileNotFoundError as error:
        raise ImageError(f"'{path}' does not exist. Check the name and the folder.") from error
    except (OSError, ValueError):
        pass  # opening it will say what is wrong


def check_writable(path: str | Path, *, endings: Collection[str] = tuple(WRITABLE)) -> None:
    """Raise ImageError if a file could not be written there; leaves the disk as it was.

    Args:
        path: Where `save_image` (or, with its own `endings`, another writer) is to write later.
        endings: Of file names that are accepted.
    """
    path = Path(path)
    folder = path.parent
    if os.path.isdir(path):
        raise ImageError(f"'{path}' is a folder. Add a file name, such as '{path / 'out.png'}'.")
    if ON_WINDOWS and path.name.partition(".")[0].rstrip().lower() in _DEVICES:
        raise ImageError(f"'{path}' is the name of a device of Windows. Choose another name.")
    if path.suffix.lower() not in endings:
        raise ImageError(f"'{path}' names no format to write. End it in {', '.join(endings)}.")
    if not os.path.isdir(folder):
        what = "is not a folder" if os.path.exists(folder) else "does not exist"
        raise ImageError(f"'{path}' cannot be written: '{folder}' {what}. Make that folder first.")
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise ImageError(f"'{path}' is write-protected. Choose another name.")
    try:
        # A real file with a name as odd: permission bits tell too little.
        tempfile.NamedTemporaryFile(dir=folder, prefix=path.name).close()
    except (OSError, ValueError) as error:
        raise ImageError(
            f"'{path}' cannot be written: {error.args[-1]}. Choose another name or folder."
        ) from error


def check_bits(path: str | Path, bits: int) -> None:
    """Raise ImageError if the format of a path that can be written has no such pixels."""
    kind = WRITABLE[Path(path).suffix.lower()]
    if bits != 8 and (bits != 16 or kind not in DEEP):
        raise ImageError(
            f"'{path}' cannot have {bits} bits a channel. {' and '.join(DEEP)} can have 16; all "
            "formats have 8."
        )


def same_file(one: str | Path, other: str | Path) -> bool:
    """Whether both paths lead to one file, by links or on a disk that ignores case too."""
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them does not exist
        return os.path.realpath(one) == os.path.realpath(other)


def check_report(path: str | Path) -> None:
    """Raise ImageError if a report could not be written there; leaves the disk as it was."""
    check_writable(path, endings=(".json",))


def check_film(path: str | Path) -> None:
    """Raise if a film could not be written there; leaves the disk as it was.

    Raises:
        ImageError: the path cannot be written.
        SettingsError: a package is missing.
    """
    check_writable(path, endings=FILM_ENDINGS)
    if Path(path).suffix.lower() == ".mp4" and importlib.util.find_spec("av") is None:
        raise SettingsError(
            "A film as MP4 needs PyAV. Install with: pip install 'nst-gram[film]', or end the name "
            "in .gif."
        )
