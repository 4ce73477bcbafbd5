"""Runs that are stopped or killed, and gone on with, through the real entry point."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from quick import QUICK
from small import picture

from nst_core import load_image, save_image
from nst_core.cli.watch import Watch
from nst_core.errors import CheckpointError
from nst_core.files import checkpoint_file
from nst_core.files.checkpoint_file import previous_of, read_checkpoint_file
from nst_core.run.checkpoint import load_checkpoint

# How often the run of the test below is killed; more of them take longer.
KILLS = int(os.environ.get("NST_KILLS", "1"))
STEPS = ("--steps", "6")


@pytest.fixture
def half(folder):
    """A mask of the left half."""
    mask = torch.zeros(1, 3, 40, 40)
    mask[..., :20] = 1
    save_image(mask, folder / "half.png")


@pytest.fixture
def stopping(monkeypatch):
    """Makes Ctrl-C come after so many evaluations; called again, it does not come any more."""
    plain = Watch.__call__

    def after(evaluations=None):
        def call(self, progress):
            plain(self, progress)
            if progress.latest.evaluation == evaluations:
                raise KeyboardInterrupt

        monkeypatch.setattr(Watch, "__call__", call)

    return after


COMMANDS = {
    "a mask": ("stylize", "content.png", "style.png", "--mask", "half.png"),
    "regions": ("stylize", "content.png", "white=style.png", "--regions", "half.png"),
    "a start": ("stylize", "content.png", "style.png", "--init", "style.png"),
    "texture": ("texture", "style.png"),
    "reconstruction": ("reconstruct", "content.png"),
    "scales": ("stylize", "sample:harbor", "style.png", "--size", "64", "--scales", "2"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_stopped_command_is_gone_on_with_to_the_same_bytes(nst, folder, half, stopping, words):
    words = (words[0], *words[1:], *QUICK, *STEPS, *words[3:])
    assert nst(*words, "-o", "whole.png")[0] == 0
    stopping(3)
    code, _, err = nst(*words, "-o", "out.png", "--checkpoint", "run.checkpoint")
    assert code == 130
    assert "To go on: nst resume 'run.checkpoint'" in err
    stopping()
    (folder / "elsewhere").mkdir()
    os.chdir("elsewhere")  # names are those of the folder that the command was typed in
    code, out, err = nst("resume", "../run.checkpoint")
    assert (code, out.strip()) == (0, str(folder / "out.png")), err
    os.chdir("..")
    assert (folder / "out.png").read_bytes() == (folder / "whole.png").read_bytes()
    assert not list(folder.glob("*.checkpoint"))


def test_a_short_run_leaves_no_checkpoint_unless_it_is_asked_to(nst, folder, stopping):
    stopping(2)
    code, _, err = nst("stylize", "content.png", "style.png", "-o", "out.png", *QUICK)
    assert code == 130
    assert "resume" not in err
    assert not list(folder.glob("*.checkpoint"))


def test_a_folder_goes_on_with_the_picture_that_was_cut_short(nst, folder, stopping, monkeypatch):
    (folder / "photos").mkdir()
    for name in ("a", "b"):
        save_image(picture(40, 40, seed=ord(name)), folder / "photos" / f"{name}.png")
    monkeypatch.setattr("nst_core.cli.saving._LONG", 0.0)
    words = ("stylize", "photos", "style.png", *QUICK, *STEPS)
    assert nst(*words, "-o", "whole")[0] == 0
    stopping(3)
    assert nst(*words, "-o", "out")[0] == 130
    assert load_checkpoint(folder / "out" / "a.png.checkpoint").records[-1].evaluation == 3
    stopping()
    seen = []
    plain = Watch.__call__
    monkeypatch.setattr(
        Watch, "__call__", lambda self, now: (seen.append(now.latest.evaluation), plain(self, now))
    )
    assert nst(*words, "-o", "out")[0] == 0
    assert seen[0] == 4  # not anew
    for name in ("a.png", "b.png"):
        assert (folder / "out" / name).read_bytes() == (folder / "whole" / name).read_bytes()
    assert {path.name for path in (folder / "out").iterdir()} == {"a.png", "b.png"}


def test_a_checkpoint_in_the_folder_that_belongs_to_another_run_is_told_and_replaced(
    nst, folder, stopping, monkeypatch
):
    (folder / "photos").mkdir()
    save_image(picture(40, 40), folder / "photos" / "a.png")
    monkeypatch.setattr("nst_core.cli.saving._LONG", 0.0)
    stopping(2)
    words = ("stylize", "photos", "style.png", "-o", "out", *QUICK)
    assert nst(*words)[0] == 130
    stopping()
    code, _, err = nst(*words, "--history", "4")
    assert code == 0
    assert "is not used. The checkpoint was made with history 10" in err
    assert not list((folder / "out").glob("*.checkpoint"))


@pytest.fixture
def left(nst, folder, stopping):
    """The checkpoint of a stopped run."""
    stopping(2)
    words = ("stylize", "content.png", "style.png", *QUICK)
    nst(*words, "-o", "out.png", "--checkpoint", "run.checkpoint")
    (folder / "out.png").unlink()
    stopping()
    return folder / "run.checkpoint"


def test_a_picture_that_was_changed_since_is_refused(nst, folder, left):
    save_image(picture(40, 40, seed=9), folder / "content.png")
    code, out, err = nst("resume", "run.checkpoint")
    assert (code, out) == (2, "")
    assert "belongs to other pictures" in err
    assert left.exists()


def test_a_picture_that_is_gone_is_named(nst, folder, left):
    (folder / "style.png").unlink()
    code, _, err = nst("resume", "run.checkpoint")
    assert code == 2
    assert "style.png' does not exist" in err


def test_a_checkpoint_decides_no_place_but_its_own_folder(nst, folder, left):
    (folder / "moved").mkdir()
    left.rename(folder / "moved" / "run.checkpoint")
    code, _, err = nst("resume", "moved/run.checkpoint")
    assert code == 2
    assert "is not beside" in err
    assert nst("resume", "moved/run.checkpoint", "-o", "here.png")[0] == 0
    assert (folder / "here.png").exists()
    assert not (folder / "out.png").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("words", 5), ("outputs", {}), ("content", ["a"]), ("settings", {"size": "large"})],
)
def test_a_forged_command_is_a_sentence(nst, left, name, value):
    tensors, document = read_checkpoint_file(left)
    document["command"][name] = value
    checkpoint_file.write_checkpoint_file(left, tensors, document)
    code, out, err = nst("resume", "run.checkpoint")
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")


def test_other_files_are_no_checkpoints(nst, folder):
    for name in ("content.png", "missing.checkpoint"):
        code, out, err = nst("resume", name)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1


def started(*words):
    command = [sys.executable, "-m", "nst_core", *words, "-q"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def seconds_of(process):
    """It ends within minutes; how it ended."""
    _, err = process.communicate(timeout=300)
    return process.returncode, err


KILLED = {
    "stylize": ("stylize", "content.png", "style.png"),
    "regions": ("stylize", "content.png", "white=style.png", "--regions", "half.png"),
    "tiles": ("stylize", "content.png", "style.png", "--tile", "32"),
    "scales": ("stylize", "content.png", "style.png", "--scales", "3"),
    "texture": ("texture", "style.png"),
    # Of the 20 steps at one scale, the last two are done in float32 where others are rounded.
    "float32 finish": ("stylize", "content.png", "style.png", "--scales", "1"),
}


@pytest.mark.parametrize("kind", KILLED if "NST_KILLS" in os.environ else ["stylize"])
def test_a_run_that_is_killed_at_any_moment_goes_on_to_the_same_bytes(folder, half, kind):
    flags = ("--weights", "untrained", "--size", "64", "--steps", "20", "--tolerance", "0")
    flags += ("--report", "report.json", "--checkpoint", "run.checkpoint")
    words = (*KILLED[kind], *flags)
    began = time.monotonic()
    code, err = seconds_of(started(*words, "-o", "whole.png"))
    assert code == 0, err
    longest = time.monotonic() - began
    path, chance = folder / "run.checkpoint", random.Random(os.environ.get("NST_SEED", "0"))
    process, kills = started(*words, "-o", "out.png"), 0
    while kills < KILLS:
        try:
            process.wait(timeout=chance.uniform(0.4, 1.0) * longest)
        except subprocess.TimeoutExpired:
            process.kill()
        _, err = process.communicate()
        if process.returncode == 0:  # the next one is killed from its beginning on
            assert (folder / "out.png").read_bytes() == (folder / "whole.png").read_bytes()
            process = started(*words, "-o", "out.png")
            continue
        assert process.returncode == -signal.SIGKILL, err
        kills += 1
        check_whole(folder)
        process = go_on(path, words)
    code, err = seconds_of(process)
    assert code == 0, err
    assert (folder / "out.png").read_bytes() == (folder / "whole.png").read_bytes()
    json.loads((folder / "report.json").read_text())


def check_whole(folder):
    """No file that has its name is broken."""
    for path in folder.rglob("*.png"):
        load_image(path, max_pixels=10**6)
    for path in folder.rglob("*.json"):
        json.loads(path.read_text())
    for path in folder.rglob("*.checkpoint"):
        load_checkpoint(path)


@pytest.mark.skipif("NST_KILLS" not in os.environ, reason="takes minutes: NST_KILLS=20")
def test_a_folder_that_is_killed_at_any_moment_goes_on_to_the_same_bytes(folder):
    (folder / "photos").mkdir()
    for seed, name in enumerate("abc"):
        save_image(picture(40, 40, seed=seed), folder / "photos" / f"{name}.png")
    flags = ("--weights", "untrained", "--size", "64", "--steps", "12", "--tolerance", "0")
    words = ("stylize", "photos", "style.png", *flags)
    # Checkpoints from the first step on: usually they begin after two minutes.
    early = "import nst_core.cli.saving as s; s._LONG = 0.0; from nst_core.cli import main; main()"
    command = [sys.executable, "-c", early, *words, "-q"]
    began = time.monotonic()
    subprocess.run([*command, "-o", "whole"], check=True, stderr=subprocess.PIPE)
    longest = time.monotonic() - began
    chance, kills = random.Random(os.environ.get("NST_SEED", "0")), 0
    while kills < KILLS:
        process = subprocess.Popen([*command, "-o", "out"], stderr=subprocess.PIPE, text=True)
        try:
            process.wait(timeout=chance.uniform(0.3, 1.0) * longest)
        except subprocess.TimeoutExpired:
            process.kill()
        _, err = process.communicate()
        kills += process.returncode == -signal.SIGKILL
        assert process.returncode in (0, -signal.SIGKILL), err
        if (folder / "out").exists():
            check_whole(folder / "out")
            if process.returncode == 0:
                shutil.rmtree(folder / "out")
    subprocess.run([*command, "-o", "out"], check=True, stderr=subprocess.PIPE)
    for name in "abc":
        made, whole = (folder / one / f"{name}.png" for one in ("out", "whole"))
        assert made.read_bytes() == whole.read_bytes()
    assert not list((folder / "out").glob("*.checkpoint"))


def go_on(path, words):
    """What a user does after the machine went down."""
    for found in (path, previous_of(path)):
        try:
            load_checkpoint(found)
        except CheckpointError:
            continue
        return started("resume", str(found))
    return started(*words, "-o", "out.png")
