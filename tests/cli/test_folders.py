"""Folders in place of pictures, through the real entry point."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from quick import QUICK
from small import picture

from nst_core import load_image, save_image
from nst_core.files.listing import listing_of


@pytest.fixture
def photos(folder):
    """Two photos of different names, in a folder."""
    (folder / "photos").mkdir()
    for number in (2, 10):
        save_image(picture(40, 40, seed=number), folder / "photos" / f"a{number}.png")
    return folder / "photos"


@pytest.fixture
def paintings(folder):
    (folder / "paintings").mkdir()
    for name in ("ink", "oil"):
        shutil.copy(folder / "style.png", folder / "paintings" / f"{name}.png")
    return folder / "paintings"


def names_in(path):
    return {item.name for item in path.iterdir()}


def test_each_picture_of_a_folder_is_made_once(nst, folder, photos):
    words = ("stylize", "photos", "style.png", "-o", "new/out", *QUICK)
    code, out, err = nst(*words)
    assert code == 0, err
    made = [os.path.join("new", "out", name) for name in ("a2.png", "a10.png")]
    assert out.splitlines() == made  # as people count
    assert err.count("Weights: ") == 1
    assert "2/2 a10.png" in err
    one = load_image(folder / made[0], max_pixels=10**6)
    nst("stylize", "photos/a2.png", "style.png", "-o", "one.png", *QUICK)
    assert (one == load_image(folder / "one.png", max_pixels=10**6)).all()


def test_what_is_there_already_is_skipped_unless_it_is_to_be_overwritten(nst, folder, photos):
    words = ("stylize", "photos", "style.png", "-o", "out", *QUICK)
    (folder / "out").mkdir()
    there = folder / "out" / "a2.png"
    there.write_bytes(b"mine")
    code, out, err = nst(*words)
    assert (code, out) == (0, os.path.join("out", "a10.png") + "\n")
    assert "There already: 1 of 2. --overwrite" in err
    assert there.read_bytes() == b"mine"
    code, out, err = nst(*words)
    assert (code, out) == (0, "")
    assert "Weights" not in err
    assert nst(*words, "--overwrite")[0] == 0
    assert there.read_bytes() != b"mine"


def test_a_bad_picture_is_named_at_the_end_and_stops_nothing(nst, folder, photos):
    (photos / "a1.png").write_text("no picture")
    save_image(picture(40, 40), photos / "a3.png")
    (photos / "a3.png").write_bytes((photos / "a3.png").read_bytes()[:200])
    code, out, err = nst("stylize", "photos", "style.png", "-o", "out", "--quiet", *QUICK)
    assert code == 1
    assert len(out.splitlines()) == 2
    assert names_in(folder / "out") == {"a2.png", "a10.png"}
    first, second, last = err.splitlines()[-3:]
    assert "a1.png' was not made" in first
    assert "is not a picture" in first
    assert "a3.png' is a damaged" in second
    assert last == "Done: 2 of 4 pictures made."


def test_a_folder_of_styles_makes_one_for_each(nst, folder, paintings):
    code, _, err = nst("stylize", "content.png", "paintings", "-o", "out", *QUICK)
    assert code == 0, err
    assert names_in(folder / "out") == {"content-ink.png", "content-oil.png"}
    nst("texture", "paintings", "-o", "textures", "--format", "jpg", *QUICK)
    assert names_in(folder / "textures") == {"ink.jpg", "oil.jpg"}


def test_two_folders_make_every_pair(nst, folder, photos, paintings):
    code, _, err = nst("stylize", "photos", "paintings", "-o", "out", *QUICK)
    assert code == 0, err
    pairs = {f"{photo}-{painting}.png" for photo in ("a2", "a10") for painting in ("ink", "oil")}
    assert names_in(folder / "out") == pairs


def test_reconstruction_takes_a_folder_too(nst, folder, photos):
    assert nst("reconstruct", "photos", "-o", "photos/out", *QUICK)[0] == 0
    # Folders in the folder are not entered, so that results in it are not fed again.
    code, out, err = nst("reconstruct", "photos", "-o", "photos/out", *QUICK)
    assert (code, out) == (0, "")
    assert "'photos': folders in it are not entered: out." in err


def test_pictures_of_the_same_name_do_not_replace_each_other(nst, folder, photos):
    shutil.copy(photos / "a2.png", photos / "A2.jpg.png")
    save_image(picture(40, 40), photos / "a2.jpg")
    code, _, err = nst("stylize", "photos", "style.png", "-o", "out", *QUICK)
    assert code == 0, err
    assert len(names_in(folder / "out")) == 4


def test_a_folder_is_read_as_people_read_it(photos):
    for name in ("A1.JPG", ".hidden.png", "notes.txt", "a2.webp"):
        (photos / name).touch()
    (photos / "old").mkdir()
    listing = listing_of(str(photos))
    assert [os.path.basename(name) for name in listing.pictures] == [
        "A1.JPG",
        "a2.png",
        "a2.webp",
        "a10.png",
    ]
    assert (listing.folders, listing.others) == (("old",), ("notes.txt",))
    assert len(listing.remarks) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("photos style.png -o photos", "would lie among the pictures of 'photos'"),
        ("content.png photos -o photos/.", "would lie among the pictures of 'photos'"),
        ("photos style.png -o content.png", "do not fit into the file 'content.png'"),
        ("photos style.png -o new.png", "do not fit into the file 'new.png'"),
        ("photos style.png photos -o out", "'photos' is a folder among 2 styles"),
        ("photos no.png -o out", "'no.png' does not exist"),
        ("empty style.png -o out", "no picture in the folder 'empty'"),
        ("photos style.png -o out --report r.json --film f.gif", "--report and --film can follow"),
        ("photos style.png -o out --save-every 5", "--save-every can follow one picture only"),
        ("photos style.png -o out --format gif", "format 'gif' is unknown"),
        ("photos style.png -o out --size 4", "size is 4"),
        ("photos style.png -o out --weights vgg99", "Weights 'vgg99'"),
        ("photos ./a2.png -o .", "would replace another file"),
        ("content.png style.png -o out.png --format jpg", "--format is for folders"),
        ("content.png style.png -o out.png --overwrite", "--overwrite is for folders"),
        ("photos/a2.png photos/a10.png style.png -o out", "'out' is no picture file"),
    ],
)
def test_folders_that_cannot_be_meant_are_refused(nst, folder, photos, words, said):
    (folder / "empty").mkdir()
    shutil.copy(photos / "a2.png", folder)
    before = names_in(folder), names_in(photos)
    code, out, err = nst("stylize", *words.split())
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert (names_in(folder), names_in(photos)) == before


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_a_picture_that_ctrl_c_cuts_short_is_kept_and_made_again(nst, folder, photos):
    words = ["stylize", "photos", "style.png", "-o", "out", *QUICK]
    endless = ["--steps", "100000", "--tolerance", "0", "--init", "noise"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "nst_core", *words, *endless],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    line = next((line for line in process.stderr if "1/2" in line), "ended before it began")
    assert "a2.png" in line
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Stopped: 0 of 2 pictures made." in err
    assert names_in(folder / "out") == {"a2.unfinished.png"}
    assert nst(*words)[0] == 0
    assert names_in(folder / "out") == {"a2.png", "a10.png"}
