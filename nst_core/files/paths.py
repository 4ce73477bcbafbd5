"""Whether a file can be read or written, found out before any work and without PyTorch."""

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

from ..errors import ImageError, SettingsError
from ..settings.writing import MAX_32_BIT_FILE, MAX_SIDES

WRITABLE = {
    **{".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"},
    **{".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP"},
}
# Formats with an alpha channel, and with 16 bits a channel.
TRANSPARENT = ("PNG", "WEBP", "TIFF")
DEEP = ("PNG", "TIFF")
_NAMES = {"WEBP": "WebP"}
_BMP_HEADER = 54
FILM_ENDINGS = (".mp4", ".gif")
# Of videos: what is written as one, and what Pillow reads as one.
VIDEO_ENDINGS = (".mp4", ".mov", ".mkv")
ANIMATION_ENDINGS = {".gif": "GIF", ".png": "PNG", ".apng": "PNG", ".webp": "WEBP"}
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


def is_frames_folder(path: str | Path) -> bool:
    """Whether a video is to be written there as a folder of pictures."""
    return os.path.isdir(path) or not Path(path).suffix


def check_clip(path: str | Path) -> None:
    """Raise ImageError if a video could not be written there; leaves the disk as it was.

    Args:
        path: ends in one of `VIDEO_ENDINGS` or .gif, or is a folder without an ending, which must
            be new or empty.
    """
    if not is_frames_folder(path):
        check_writable(path, endings=(*VIDEO_ENDINGS, ".gif"))
        return
    check_writable(Path(os.path.abspath(path)).with_suffix(".png"), endings=(".png",))
    if os.path.lexists(path) and (not os.path.isdir(path) or os.listdir(path)):
        raise ImageError(
            f"'{path}' is there already. Name a new folder or an empty one for the frames, or a "
            f"video that ends in {', '.join(VIDEO_ENDINGS)} or .gif."
        )


def check_bits(path: str | Path, bits: int) -> None:
    """Raise ImageError if the format of a path that can be written has no such pixels."""
    kind = WRITABLE[Path(path).suffix.lower()]
    if bits != 8 and (bits != 16 or kind not in DEEP):
        raise ImageError(
            f"'{path}' cannot have {bits} bits a channel. {' and '.join(DEEP)} can have 16; all "
            "formats have 8."
        )


def check_sides(path: str | Path, longer: int) -> None:
    """Raise ImageError if the format of a path that can be written has no picture so long.

    Args:
        path: as of `check_writable`.
        longer: the longer side of the picture, in pixels.
    """
    kind = WRITABLE[Path(path).suffix.lower()]
    if longer > MAX_SIDES[kind]:
        raise ImageError(
            f"'{path}' cannot have {longer} pixels a side: {_NAMES.get(kind, kind)} holds at most "
            f"{MAX_SIDES[kind]}. Write PNG or TIFF, or use a smaller size."
        )


def check_room(path: str | Path, height: int, width: int, *, bits: int, channels: int = 3) -> None:
    """Raise ImageError if a picture is too large for its format or for the disk.

    Args:
        path: as of `check_writable`.
        height, width, channels: of the picture.
        bits: of each channel.
    """
    check_sides(path, max(height, width))
    kind = WRITABLE[Path(path).suffix.lower()]
    most = height * width * channels * bits // 8
    if kind == "BMP" and most + _BMP_HEADER > MAX_32_BIT_FILE:
        raise ImageError(
            f"'{path}' cannot have {width}x{height} px: BMP holds at most 4 GB. Write PNG or TIFF."
        )
    # Noise does not pack; as JPEG and WebP of high quality it takes less than half.
    needed = most // 2 if kind in ("JPEG", "WEBP") else most
    free = shutil.disk_usage(Path(path).parent).free
    if free < needed:
        raise ImageError(
            f"'{path}' may need {_said(needed)}, and its disk has {_said(free)} free. "
            "Free some space, choose another folder, or use a smaller size."
        )


def _said(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.2f} MB"


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
