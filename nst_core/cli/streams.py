"""stdout and stderr that take any file name, and that outlive whoever reads them."""

import codecs
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


@contextmanager
def lasting_streams() -> Iterator[None]:
    r"""Inside, writing to stdout and stderr fails neither at a character nor at a closed pipe.

    A character that the encoding does not have is written as `\u7d75`. A byte of a file name that
    is no UTF-8 is written as it is on stdout, where a program reads the name, and as `\udce9` on
    stderr. What goes to a pipe that nobody reads anymore is dropped: `nst … 2>&1 | head` still
    leaves a picture.
    """
    codecs.register_error("nst_names", _name_or_escape)
    before = sys.stdout, sys.stderr
    sys.stdout = _lasting(sys.stdout, "nst_names")
    sys.stderr = _lasting(sys.stderr, "backslashreplace")
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _lasting(stream: Any, errors: str) -> Any:
    """`stream` made to last; a stream that Python could not open (`>&-`) is None and stays so."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=errors)
    return stream and _Lasting(stream)


class _Lasting:
    """A text stream that drops what cannot be written because the pipe is closed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._drop(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._drop(error)

    def _drop(self, error: OSError) -> None:
        """What is still buffered, and all that follows, goes nowhere."""
        # Windows calls a closed pipe an invalid argument.
        if error.errno not in (errno.EPIPE, errno.EINVAL):
            raise error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


def _name_or_escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """The error handler `surrogateescape` for bytes of names, `backslashreplace` for the rest."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # One at a time: a stretch that cannot be encoded may hold both kinds.
    one = UnicodeEncodeError(
        error.encoding, error.object, error.start, error.start + 1, error.reason
    )
    is_byte = 0xDC80 <= ord(error.object[error.start]) <= 0xDCFF
    return codecs.lookup_error("surrogateescape" if is_byte else "backslashreplace")(one)
