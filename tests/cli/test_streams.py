"""What is printed never ends a command: not at a character, not at a pipe that nobody reads."""

import io
import os
import subprocess
import sys

import pytest
from quick import QUICK

from nst_core.cli import main

PICTURE = "\u7d75.png"  # a character that neither ASCII nor cp1252 has


def encoded(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding, errors="strict")


def printed_in(encoding, monkeypatch, *words):
    """(exit code, bytes of stdout, bytes of stderr) of `nst` where both are in this encoding."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", encoded(encoding))
        patch.setattr(sys, "stderr", encoded(encoding))
        streams = sys.stdout, sys.stderr
        with pytest.raises(SystemExit) as exit_:
            main([str(word) for word in words])
        for stream in streams:
            stream.flush()
        return exit_.value.code or 0, *(stream.buffer.getvalue() for stream in streams)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_name_that_the_terminal_cannot_write_is_escaped(folder, monkeypatch, encoding):
    (folder / "content.png").rename(folder / PICTURE)
    words = (PICTURE, "style.png", "-o", f"out-{PICTURE}", "--report", f"{PICTURE}.json", *QUICK)
    code, out, err = printed_in(encoding, monkeypatch, "stylize", *words)
    assert code == 0
    assert out.splitlines() == [rb"out-\u7d75.png"]
    assert rb"Report: \u7d75.png.json" in err
    assert (folder / f"out-{PICTURE}").is_file()


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--help", 0),
        ("stylize --help", 0),
        ("presets", 0),
        ("samples", 0),
        (f"stylize {PICTURE} style.png -o out.png", 2),
        (f"stylize content.png style.png -o out.png --{PICTURE}", 2),
        (f"{PICTURE}", 2),
    ],
)
def test_no_command_fails_at_a_character(folder, monkeypatch, encoding, words, code):
    assert printed_in(encoding, monkeypatch, *words.split())[0] == code


@pytest.mark.skipif(sys.platform != "linux", reason="others refuse such a name, or change it")
def test_a_name_that_is_no_text_is_printed_byte_for_byte(folder, monkeypatch):
    name = os.fsdecode(b"caf\xe9.png")
    code, out, err = printed_in("utf-8", monkeypatch, "stylize", name, "style.png", "-o", "out.png")
    assert (code, out) == (2, b"")
    assert rb"'caf\udce9.png' does not exist" in err
    (folder / "content.png").rename(folder / name)
    words = (name, "style.png", "-o", f"out-{name}", *QUICK)
    code, out, _ = printed_in("utf-8", monkeypatch, "stylize", *words)
    assert (code, out) == (0, b"out-caf\xe9.png\n")


def test_a_picture_is_made_though_nobody_reads_what_is_said(folder):
    words = ("stylize", "content.png", "style.png", "-o", "out.png", *QUICK)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "nst_core", *words], stdout=writer, stderr=writer, check=False
    )
    os.close(writer)
    assert done.returncode == 0
    assert (folder / "out.png").is_file()


@pytest.mark.parametrize("words", ["--help", "presets", "samples", "--version"])
def test_a_closed_pipe_is_no_error(folder, words):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "nst_core", *words.split()]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_not_hidden(folder):
    with open("/dev/full", "w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "nst_core", "--version"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode != 0
    assert b"No space left" in done.stderr
