"""A folder to work in, and `nst` called through its real entry point."""

import re
from pathlib import Path

import pytest
from small import picture

import nst_core
from nst_core import save_image
from nst_core.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with content.png and style.png."""
    for seed, name in enumerate(("content", "style")):
        save_image(picture(40, 40, seed=seed), tmp_path / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    # For processes of their own, which start in this folder.
    monkeypatch.setenv("PYTHONPATH", str(Path(nst_core.__file__).parents[1]))
    return tmp_path


@pytest.fixture
def nst(folder, capsys):
    """Runs `nst` with these words: (exit code, stdout, stderr), without colors."""

    def run(*words):
        with pytest.raises(SystemExit) as exit_:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        out, err = (re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text) for text in captured)
        return exit_.value.code or 0, out, err

    return run
