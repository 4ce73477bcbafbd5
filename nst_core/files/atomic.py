"""Files that are written as a whole, or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ImageError


@contextmanager
def written_whole(path: Path, part: Path | None = None) -> Iterator[Path]:
    """A path beside `path` to write to; what is there takes the place of `path` at the end.

    If the block raises, `path` is as it was, and nothing else is left. A process that is killed may
    leave the part: one with a name of its own, which the next one that writes `path` replaces, or
    else one with a name that no two processes choose.
    """
    part = part or path.with_name(f".nst-{secrets.token_hex(8)}.part")
    try:
        yield part
        _flush(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8: all of it, or nothing.

    Raises:
        ImageError: it cannot be written.
    """
    try:
        with written_whole(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ImageError(f"'{path}' could not be written: {error}. Check the space.") from error


def _flush(path: Path) -> None:
    """To the disk, or the new name could be there before the bytes when the power fails."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
