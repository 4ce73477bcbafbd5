"""Packages that only a part of the program needs."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from .errors import PackageError

# What pip installs for videos.
VIDEO_INSTALL = "'nst-gram[video]'"


def imported(module: str, install: str) -> ModuleType:
    """A module of an optional package, imported now.

    Args:
        module: its full name, such as "rich.progress".
        install: what pip installs to have it.

    Raises:
        PackageError: it is missing, or installed and broken; the message quotes why and says what
            to do.
    """
    package = module.split(".")[0]
    try:
        return import_module(module)
    # An import runs the package's code, which can fail in any way: ValueError or AttributeError
    # after a change of NumPy, OSError for a library, TypeError in a generated file.
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == package:
            raise _missing(package, install) from error
        raise PackageError(
            f"{package} is installed but cannot be imported ({type(error).__name__}: {error}). "
            f"Install it again: pip install --force-reinstall {package}"
        ) from error


def check_installed(package: str, install: str) -> None:
    """PackageError if a package is missing; it is not imported, so it may still be broken."""
    if find_spec(package) is None:
        raise _missing(package, install)


def _missing(package: str, install: str) -> PackageError:
    return PackageError(f"{package} is not installed. Install with: pip install {install}")
