"""Ctrl-C and SIGTERM in each phase of a command: it ends soon, every file is the old or the new."""

import os
import signal
import subprocess
import sys

import pytest
from quick import QUICK
from small import picture

from nst_core import load_image, save_image
from nst_core.control.targets import TargetMaker
from nst_core.files import checkpoint_file, write_image
from nst_core.run.checkpoint import load_checkpoint
from nst_core.run.objective import Evaluator

WORDS = ("stylize", "content.png", "style.png", "-o", "out.png", *QUICK, "--steps", "6")
# The function that each phase begins with, and at which of its calls the signal comes.
PHASES = {
    "weights": ("nst_core.cli.job", "load_vgg16", 1),
    "targets": (TargetMaker, "targets_of", 1),
    "first evaluation": (Evaluator, "evaluate", 1),
    "evaluations": (Evaluator, "evaluate", 4),
    "checkpoint": (checkpoint_file, "_write", 1),
    "checkpoint is renamed": (checkpoint_file, "_keep", 1),
    "picture": (write_image, "_plain", 1),
}


@pytest.fixture
def signaled(monkeypatch):
    """Lets a signal come at a call of a function."""

    def at(owner, name, call, number):
        owner = sys.modules[owner] if isinstance(owner, str) else owner
        plain, calls = getattr(owner, name), []

        def signaling(*given, **named):
            calls.append(1)
            if len(calls) == call:
                signal.raise_signal(number)
            return plain(*given, **named)

        monkeypatch.setattr(owner, name, signaling)
        return calls

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield at
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
@pytest.mark.parametrize("phase", PHASES)
def test_a_signal_in_any_phase_leaves_whole_files_and_a_sentence(
    nst, folder, signaled, phase, number
):
    import nst_core.cli.job  # what `sys.modules` is asked for

    assert nst_core.cli.job
    old = picture(8, 8)
    save_image(old, folder / "out.png")
    before = (folder / "out.png").read_bytes()
    calls = signaled(*PHASES[phase], number)
    code, _, err = nst(*WORDS, "--checkpoint", "run.checkpoint")
    assert len(calls) >= PHASES[phase][2]
    assert code == 130, err
    assert err.splitlines()[-1].startswith(("Stopped", "To go on: nst resume 'run.checkpoint'"))
    load_image(folder / "out.png", max_pixels=10**6)
    names = {path.name for path in folder.iterdir()}
    pictures = {"content.png", "style.png", "out.png"}
    assert names <= {*pictures, "run.checkpoint", "run.previous.checkpoint"}
    # The first checkpoint is written before the first evaluation is told.
    assert ((folder / "out.png").read_bytes() == before) == (phase != "evaluations")
    if "checkpoint" in phase or phase == "evaluations":
        load_checkpoint(folder / "run.checkpoint")
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


IMPORTING = """
import os, signal, sys
class Signal:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Signal())
from nst_core.cli import main
main(sys.argv[2:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("package", ["typer", "nst_core.run.saver"])
def test_ctrl_c_while_the_program_is_being_read_is_a_sentence(folder, package):
    command = [sys.executable, "-c", IMPORTING, package, *WORDS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.startswith("Stopped")
    assert done.stderr.count("\n") == 1
    assert {path.name for path in folder.iterdir()} == {"content.png", "style.png"}


@pytest.fixture
def unwritable(monkeypatch):
    """Files whose name ends so cannot be replaced: the disk is full."""
    plain = os.replace

    def set_(ending):
        def replaced(part, path):
            if str(path).endswith(ending):
                raise OSError(28, "No space left on device")
            plain(part, path)

        monkeypatch.setattr(os, "replace", replaced)

    return set_


def test_a_picture_on_the_way_that_cannot_be_written_stops_nothing(nst, folder, unwritable):
    unwritable("-0002.png")
    code, out, err = nst(*WORDS, "--save-every", "2")
    assert (code, out) == (1, "out.png\n")
    assert err.count("No space left on device") == 1
    assert "The run goes on." in err
    load_image(folder / "out.png", max_pixels=10**6)


def test_a_film_that_cannot_be_written_costs_no_picture(nst, folder, monkeypatch):
    from nst_core.files.film import _Gif

    (folder / "film.gif").write_bytes(b"before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_Gif, "add", full)
    code, out, err = nst(*WORDS, "--film", "film.gif")
    assert (code, out) == (1, "out.png\n")
    assert err.count("No space left on device") == 1
    assert "The picture is made without a film." in err
    assert "Film:" not in err
    assert (folder / "film.gif").read_bytes() == b"before"
    names = {path.name for path in folder.iterdir()}
    assert names == {"content.png", "style.png", "out.png", "film.gif"}


def test_a_result_that_cannot_be_written_can_be_gone_on_to(nst, folder, unwritable, monkeypatch):
    unwritable("out.png")
    code, out, err = nst(*WORDS, "--checkpoint", "run.checkpoint")
    assert (code, out) == (2, "")
    assert "No space left on device" in err
    assert err.splitlines()[-1] == "To go on: nst resume 'run.checkpoint'"
    monkeypatch.undo()
    os.chdir(folder)
    assert nst("resume", "run.checkpoint")[0] == 0
    load_image(folder / "out.png", max_pixels=10**6)
