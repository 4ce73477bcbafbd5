"""The command line `nst`: the engine with flags made from `settings`."""

import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from ..errors import PackageError
from ..optional import imported


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit.

    The code is 0 when all is done, 1 when some of what was asked for could not be made, such as
    some pictures of a folder, 2 after a mistake that was explained, and 130 after Ctrl-C.

    Args:
        arguments: the words after `nst`; None takes them from the command line.
    """
    try:
        _run(arguments)
    except KeyboardInterrupt:  # while the program itself is being read
        sys.stderr.write("Stopped.\n")
        sys.exit(130)


def _run(arguments: Sequence[str] | None) -> NoReturn:
    try:
        imported("typer", "'nst-gram[cli]'")
        imported("rich.progress", "'nst-gram[cli]'")
    except PackageError as error:
        sys.stderr.write(f"The command line needs typer and rich. {error}\n")
        sys.exit(2)
    # Pillow remarks on damaged metadata of pictures that it reads all the same.
    warnings.filterwarnings("ignore", module="PIL")
    from .app import run
    from .streams import lasting_streams

    with lasting_streams():
        run(arguments)
