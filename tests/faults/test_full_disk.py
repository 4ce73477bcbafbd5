"""A disk that is full or closed to us, for each kind of file that is written.

The file that was there stays whole, nothing is left beside it, and a sentence says what is wrong.
"""

import errno
import importlib.util
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from small import picture

from nst_core import Runtime, Settings, losses_of, save_image, stylize
from nst_core.errors import CheckpointError, NSTError
from nst_core.files.atomic import write_text
from nst_core.files.checkpoint_file import write_checkpoint_file
from nst_core.files.film import film_to
from nst_core.files.weights.untrained import untrained_weights
from nst_core.files.weights.vgg_file import VGGFile, save_convolutions
from nst_core.run.checkpoint import load_checkpoint
from nst_core.run.report import save_report
from nst_core.run.saver import Saver

resource = pytest.importorskip("resource", reason="limits of a process")

IMAGE = picture(96, 96)
FEW = 2000  # bytes, less than any of the files has


def write_film(path):
    with film_to(path, 96, 96) as film:
        for _ in range(3):
            film.add(IMAGE)


def write_checkpoint(path):
    write_checkpoint_file(path, {"image": IMAGE}, {"kind": "test"})


WRITERS = {
    **dict.fromkeys(("a.png", "a.jpg", "a.webp", "a.tif", "a.bmp"), save_image),
    "deep.png": lambda image, path: save_image(image, path, bits=16),
    "deep.tif": lambda image, path: save_image(image, path, bits=16),
    "report.json": lambda image, path: save_report({"records": list(range(1000))}, path),
    "workflow.json": lambda image, path: write_text(path, "x" * 10_000),
    "film.gif": lambda image, path: write_film(path),
    "film.mp4": lambda image, path: write_film(path),
    "run.checkpoint": lambda image, path: write_checkpoint(path),
}
if importlib.util.find_spec("av") is None:
    del WRITERS["film.mp4"]


@contextmanager
def files_of_at_most(size):
    """No file gets longer: the system refuses the bytes beyond, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def failing(monkeypatch, call, number):
    """The system refuses this call."""

    def refused(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refused)
        yield


FAULTS = {
    "full": lambda patch: files_of_at_most(FEW),
    "full at once": lambda patch: files_of_at_most(0),
    "full when it is flushed": lambda patch: failing(patch, "fsync", errno.ENOSPC),
    "broken when it is renamed": lambda patch: failing(patch, "replace", errno.EIO),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", WRITERS)
def test_what_cannot_be_written_leaves_what_was_there(name, fault, tmp_path, monkeypatch):
    path, write = tmp_path / name, WRITERS[name]
    write(IMAGE, path)
    before = path.read_bytes()
    assert len(before) > FEW
    with FAULTS[fault](monkeypatch), pytest.raises(NSTError, match="could not be written") as told:
        write(1 - IMAGE, path)
    assert name in str(told.value)
    assert path.read_bytes() == before
    assert {one.name for one in tmp_path.iterdir()} <= {name, "run.previous.checkpoint"}
    write(1 - IMAGE, path)  # once there is room


def test_weights_that_cannot_be_written_leave_what_was_there(tmp_path):
    path = tmp_path / "vgg.safetensors"
    path.write_bytes(b"before")
    found = VGGFile(Path("x"), "nst", untrained_weights(), {})
    with files_of_at_most(1 << 20), pytest.raises(Exception, match="File too large"):
        save_convolutions(found, path, {})
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@contextmanager
def read_only_folder():
    """A folder that this process may read and not write into, with a file in it."""
    with tempfile.TemporaryDirectory() as name:
        folder, root = Path(name), os.geteuid() == 0
        (folder / "run.checkpoint").write_bytes(b"before")
        folder.chmod(0o755 if root else 0o555)
        if root:  # whom no permission stops
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_a_folder_that_is_read_only_is_told_for_each_kind(tmp_path):
    for name, write in WRITERS.items():
        write(IMAGE, tmp_path / name)  # imports what it needs
    with read_only_folder() as folder:
        for name, write in WRITERS.items():
            with pytest.raises(NSTError, match=name):
                write(IMAGE, folder / name)
        assert [one.name for one in folder.iterdir()] == ["run.checkpoint"]
        assert (folder / "run.checkpoint").read_bytes() == b"before"


SETTINGS = Settings(
    size=24, steps=6, scales=1, style_layers="relu1_1,relu2_1", content_layers="relu2_1"
)
LOSSES = losses_of(picture(24, 20), [picture(20, 24, seed=1)], SETTINGS)


def painted(vgg, **more):
    runtime = Runtime(torch.device("cpu"))
    return stylize(LOSSES, vgg=vgg, settings=SETTINGS, runtime=runtime, **more)


def test_a_checkpoint_that_cannot_be_written_is_told_once_and_the_run_goes_on(
    vgg, tmp_path, caplog
):
    path = tmp_path / "run.checkpoint"
    with files_of_at_most(FEW):
        result = painted(vgg, saver=(saver := Saver(path, every=0.0)))
    assert torch.equal(result.image, painted(vgg).image)
    (line,) = caplog.messages
    assert "could not be written" in line
    assert "The run itself is not affected." in line
    assert not saver.saved
    assert list(tmp_path.iterdir()) == []


def test_once_there_is_room_again_checkpoints_are_written_again(vgg, tmp_path):
    path, full = tmp_path / "run.checkpoint", files_of_at_most(FEW)

    def room(progress):
        if progress.latest.evaluation == 1:
            full.__exit__(None, None, None)
        if progress.latest.evaluation == 4:
            raise KeyboardInterrupt

    full.__enter__()
    with pytest.raises(KeyboardInterrupt):
        painted(vgg, saver=Saver(path, every=1e9), on_progress=room)
    assert load_checkpoint(path).records[-1].evaluation == 4


def test_a_full_disk_does_not_hide_what_ended_the_run(vgg, tmp_path):
    def stop(progress):
        raise KeyboardInterrupt

    with files_of_at_most(FEW), pytest.raises(KeyboardInterrupt):
        painted(vgg, saver=Saver(tmp_path / "run.checkpoint"), on_progress=stop)


def test_a_checkpoint_that_cannot_be_deleted_is_told(vgg, tmp_path, monkeypatch, caplog):
    saver = Saver(tmp_path / "run.checkpoint")
    painted(vgg, saver=saver)
    assert saver.saved
    with failing(monkeypatch, "unlink", errno.EROFS):
        saver.remove()
    assert "could not be deleted" in caplog.text


def test_a_checkpoint_is_refused_where_it_is_written_alone(tmp_path):
    with pytest.raises(CheckpointError, match="Check the free space"), files_of_at_most(0):
        write_checkpoint(tmp_path / "run.checkpoint")
