"""What goes wrong inside a picture file, told apart: damaged, or whole but not supported."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageCms

# What Pillow's plugins raise on damaged files. A Warning is among them because programs that
# turn warnings into errors (our tests do) get its remarks on bad metadata as exceptions.
DAMAGE: tuple[type[Exception], ...]
DAMAGE = (SyntaxError, OSError, EOFError, ValueError, TypeError, LookupError, struct.error)
DAMAGE += (
    RuntimeError,
    ArithmeticError,
    zlib.error,
    ImageCms.PyCMSError,
    Image.DecompressionBombError,
    Warning,
)
# What they say when the file is not to blame.
_MISSING = ("unsupported", "not supported", "not yet supported", "cannot handle", "not configured")


class Damaged(Exception):
    """The file is not whole, or is not what its header says; the text says how."""


class NotSupported(Exception):
    """The file may be whole, but this is not read.

    Args:
        what: What goes before "is not supported", as in "raw picture of a camera".
        instead: What the user can do, as in "save it as a JPEG picture".
    """

    def __init__(self, what: str, instead: str = "save it as an 8-bit or 16-bit PNG picture"):
        super().__init__(what)
        self.instead = instead


class MissingPackage(NotSupported):
    """An optional package would read it."""


@contextmanager
def decoding(kind: str) -> Iterator[None]:
    """Around a decoder that is not ours: its errors as `Damaged` or `NotSupported`."""
    try:
        yield
    except DAMAGE as error:
        if any(words in str(error).lower() for words in _MISSING):
            raise NotSupported(f"{kind} picture of a rare kind: {error}") from error
        raise Damaged(str(error)) from error
