"""No name and no file of a stranger leads out of its folder, or to something that is no file."""

import os
import time

import pytest
import seeds
import torch

from nst_core.cli.resuming import asked_again
from nst_core.errors import CheckpointError, NSTError
from nst_core.files import paths
from nst_core.files.checkpoint_file import previous_of
from nst_core.files.listing import listing_of
from nst_core.files.paths import check_writable
from nst_core.files.weights import load_vgg16
from nst_core.files.write_image import save_image
from nst_core.run.checkpoint import load_checkpoint

IMAGE = torch.zeros(1, 3, 4, 4)
needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a named pipe")


def asked(folder, **changed):
    """What a forged checkpoint asks for."""
    path = folder / "out.png.checkpoint"
    seeds.small_checkpoint(path)
    found = load_checkpoint(path)
    command = {**found.command, "folder": str(folder), **changed}
    object.__setattr__(found, "command", command)
    return asked_again(found, path, None)


@pytest.mark.parametrize(
    "name",
    ["../out.png", "/tmp/out.png", "a/../../out.png", "~/out.png", "//host/share/out.png",
     "sub/out.png", "out\0.png", "x" * 5000 + ".png", "-rf.png", "\ud800.png"],
)  # fmt: skip
def test_a_checkpoint_names_no_output_elsewhere(name, tmp_path):
    (tmp_path / "sub").mkdir()
    outputs = {"picture": name, "report": None, "plot": None, "every": 0}
    if name == "-rf.png":  # a name as any other
        assert asked(tmp_path, outputs=outputs).outputs.picture == tmp_path / name
        return
    with pytest.raises(NSTError):
        asked(tmp_path, outputs=outputs)


def test_a_link_named_as_the_output_leads_nowhere(tmp_path):
    own, other = tmp_path / "own", tmp_path / "other.png"
    own.mkdir()
    other.write_bytes(b"mine")
    (own / "out.png").symlink_to(other)
    with pytest.raises(CheckpointError, match="not beside"):
        asked(own)
    save_image(IMAGE, own / "out.png")  # typed, the link itself is replaced
    assert other.read_bytes() == b"mine"
    assert not (own / "out.png").is_symlink()


@pytest.mark.parametrize("name", ["//host/share/a.png", r"\\host\share\a.png"])
def test_a_checkpoint_asks_no_other_machine(name, tmp_path, monkeypatch):
    if name.startswith("\\"):  # on Windows, where a folder before it does not change it
        monkeypatch.setattr("nst_core.cli.resuming.os.path.join", lambda folder, name: name)
    for changed in ({"content": name}, {"start": name}):
        with pytest.raises(CheckpointError, match="another machine"):
            asked(tmp_path, **changed)
    settings = {**seeds.document()["command"]["settings"], "weights": name}
    with pytest.raises(CheckpointError, match="another machine"):
        asked(tmp_path, settings=settings)


@needs_pipes
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    with pytest.raises(CheckpointError, match="no file"):
        asked(tmp_path, content="pipe.png")
    with pytest.raises(CheckpointError, match="no regular file"):
        load_checkpoint(pipe)
    save_image(IMAGE, tmp_path / "a.png")
    listing = listing_of(str(tmp_path))
    assert [os.path.basename(name) for name in listing.pictures] == ["a.png"]
    assert "pipe.png" in listing.others


def test_links_in_a_folder_of_pictures_that_lead_nowhere_or_to_itself_are_left_out(tmp_path):
    save_image(IMAGE, tmp_path / "a.png")
    (tmp_path / "itself.png").symlink_to("itself.png")
    (tmp_path / "gone.png").symlink_to("nothing.png")
    (tmp_path / "folder.png").symlink_to(tmp_path)
    listing = listing_of(str(tmp_path))
    assert [os.path.basename(name) for name in listing.pictures] == ["a.png"]
    assert listing.folders == ("folder.png",)


def test_a_checkpoint_is_never_written_through_a_link(tmp_path):
    own, other = tmp_path / "own", tmp_path / "precious"
    own.mkdir()
    other.write_bytes(b"mine")
    path = own / "out.png.checkpoint"
    for name in (path.name, previous_of(path).name, f".{path.name}.part"):
        (own / name).symlink_to(other)
    seeds.small_checkpoint(path)
    seeds.small_checkpoint(path)
    assert other.read_bytes() == b"mine"
    load_checkpoint(path)


def test_a_hard_link_keeps_its_bytes(tmp_path):
    other, out = tmp_path / "other.png", tmp_path / "out.png"
    other.write_bytes(b"mine")
    os.link(other, out)
    save_image(IMAGE, out)
    assert other.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "name", ["~nobody-of-that-name/vgg.pth", "a\0b", "x" * 5000, "", "../" * 2000, "/dev/null"]
)
def test_weights_of_any_name_are_a_sentence(name):
    with pytest.raises(NSTError):
        load_vgg16(name)


@pytest.mark.parametrize("name", ["con.png", "NUL.PNG", "lpt1.x.png", "aux .png", "COM9.tif"])
def test_names_that_windows_keeps_for_devices_are_refused_there(name, tmp_path, monkeypatch):
    check_writable(tmp_path / name)
    monkeypatch.setattr(paths, "ON_WINDOWS", True)
    with pytest.raises(NSTError, match="device"):
        check_writable(tmp_path / name)
    check_writable(tmp_path / "console.png")


def test_what_is_cleared_on_the_page_is_a_link_and_not_what_it_leads_to(tmp_path):
    pytest.importorskip("gradio")
    from nst_core.page.folder import AGE, Uploads

    folder, other = tmp_path / "page", tmp_path / "other"
    other.mkdir()
    (other / "mine").write_bytes(b"mine")
    folder.mkdir()
    uploads = Uploads(folder, most=9)
    for name, to in {"to": other, "gone": "nothing", "itself": "itself"}.items():
        (folder / name).symlink_to(to)
    uploads.tidy(time.time() + 2 * AGE, ())
    assert list(folder.iterdir()) == []
    assert (other / "mine").read_bytes() == b"mine"
