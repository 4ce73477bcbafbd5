"""Packages that only a part of the program needs, missing or broken."""

import os
import subprocess
import sys

import pytest

from nst_core.errors import NSTError
from nst_core.optional import imported

# What imports raise in the field, and what a user reads of it.
BROKEN = {
    "a change of NumPy": (
        "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')",
        "ValueError: numpy.dtype size changed",
    ),
    "a name that NumPy no longer has": (
        "import math; math.no_such_name",
        "AttributeError: module 'math' has no attribute",
    ),
    "a library that is not there": ("raise OSError('libhdf5.so.310: cannot open')", "libhdf5.so"),
    "a package that it needs": ("import no_such_package", "No module named 'no_such_package'"),
    "another Python's syntax": ("print 'hello'", "SyntaxError"),
    "a program that ends": ("raise SystemExit('not on this machine')", "not on this machine"),
}


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """`broken(name, code)`: a package of that name whose import runs the code."""

    def write(name, code):
        (tmp_path / f"{name}.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)

    return write


@pytest.mark.parametrize("kind", BROKEN)
def test_a_package_that_cannot_be_imported_says_why_in_its_own_words(kind, broken, monkeypatch):
    code, words = BROKEN[kind]
    broken("nst_broken", code)
    monkeypatch.delitem(sys.modules, "nst_broken", raising=False)
    for _ in range(2):  # also when a part of it was loaded before
        with pytest.raises(NSTError, match="nst_broken is installed but cannot") as caught:
            imported("nst_broken", "nst_broken")
        assert words in str(caught.value)
        assert "--force-reinstall nst_broken" in str(caught.value)


def test_a_package_that_is_missing_says_how_to_get_it():
    with pytest.raises(NSTError, match=r"nst_nowhere is not installed.*pip install 'some.thing.'"):
        imported("nst_nowhere.part", "'some[thing]'")


def test_a_module_of_a_package_is_what_is_given():
    assert imported("email.mime.text", "email").MIMEText


def run(folder, *arguments):
    """`nst` in a fresh Python that finds broken packages first."""
    paths = [str(folder), *sys.path]
    return subprocess.run(
        [sys.executable, "-m", "nst_core", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("package", "command"), [("typer", "--version"), ("rich", "--version"), ("gradio", "page")]
)
def test_the_command_line_says_which_of_its_packages_is_broken(package, command, broken, tmp_path):
    broken(package, "raise ValueError('numpy.dtype size changed')")
    done = run(tmp_path, command)
    assert done.returncode == 2
    assert f"{package} is installed but cannot be imported (ValueError: nump" in done.stderr
    assert "Traceback" not in done.stderr
