"""Films of the progress, through the real entry point."""

import importlib.util
import signal
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from PIL import Image
from quick import QUICK
from small import picture

from nst_core import load_image
from nst_core.files.film import RATE, film_to

WORDS = ("stylize", "content.png", "style.png", "-o", "out.png", *QUICK)
needs_av = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="needs PyAV, the extra film"
)


def frames_of(path):
    """[(H, W, 3) pixels, ...] of an MP4, and how many seconds it takes."""
    import av

    with av.open(path) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        return frames, film.duration / av.time_base


def pixels_of(film):
    return torch.from_numpy(np.array(film.convert("RGB"))) / 255


def test_a_film_begins_at_the_start_and_holds_the_result(nst, folder):
    words = ("--film", "film.gif", "--size", "64", "--scales", "2", "--steps", "6", "--report")
    code, out, err = nst(*WORDS, *words, "r.json")
    assert (code, out) == (0, "out.png\n"), err
    assert "Film: film.gif" in err
    with Image.open(folder / "film.gif") as film:
        assert film.size == (64, 64)  # of all scales
        evaluations = (folder / "r.json").read_text().count('"parts"')
        assert film.n_frames == evaluations + 1
        start = pixels_of(film)
        assert film.info["duration"] == 1000 / RATE
        film.seek(film.n_frames - 1)
        last = pixels_of(film)
        assert film.info["duration"] == 1000
    content, result = (
        load_image(folder / name, max_pixels=10**6)[0].permute(1, 2, 0)
        for name in ("content.png", "out.png")
    )
    # 256 colors of each frame's own.
    assert (last - result).abs().mean() < 0.03
    assert (start.mean((0, 1)) - content.mean((0, 1))).abs().max() < 0.03
    assert (start - result).abs().mean() > 0.05


@needs_av
def test_an_mp4_has_even_sides_and_every_evaluation(nst, folder):
    code, _, err = nst(*WORDS, "--size", "41", "--film", "film.mp4")
    assert code == 0, err
    frames, seconds = frames_of(folder / "film.mp4")
    assert frames[0].shape == (40, 40, 3)
    assert len(frames) == round(seconds * RATE)
    assert len(frames) > RATE + 2
    result = load_image(folder / "out.png", max_pixels=10**6)[0, :, :40, :40].permute(1, 2, 0)
    assert (torch.tensor(frames[-1]) / 255 - result).abs().mean() < 0.1


def test_long_runs_make_no_longer_films(nst, folder):
    words = ("--size", "16", "--steps", "999", "--film", "f.gif", "--report", "r.json")
    code, _, err = nst(*WORDS, *words, "--max-evaluations", "60")
    assert code == 0, err
    evaluations = (folder / "r.json").read_text().count('"parts"')
    with Image.open(folder / "f.gif") as film:
        # Every fifth of what may be 1000 evaluations, and the result.
        assert film.n_frames == -(-evaluations // 5) + 1


@pytest.mark.parametrize("ending", [".gif", pytest.param(".mp4", marks=needs_av)])
def test_a_film_needs_no_more_memory_the_longer_it_is(tmp_path, ending):
    def peak(frames):
        tracemalloc.start()
        with film_to(tmp_path / f"film{ending}", 256, 256) as film:
            for seed in range(frames):
                film.add(picture(256, 256, seed=seed))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(2)  # what is imported and cached once
    assert peak(30) < 1.5 * peak(10)


def test_a_run_that_fails_leaves_no_film(tmp_path):
    def fail():
        with film_to(tmp_path / "film.gif", 16, 16) as film:
            film.add(picture(16, 16))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("film", "said"),
    [
        ("film.avi", "End it in .mp4, .gif"),
        ("missing/film.gif", "does not exist"),
        (".", "is a folder"),
    ],
)
def test_a_film_that_cannot_be_written_is_said_before_the_work(nst, folder, film, said):
    code, out, err = nst(*WORDS, "--film", film)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_without_pyav_an_mp4_is_refused_and_a_gif_is_not(nst, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    code, _, err = nst(*WORDS, "--film", "film.mp4")
    assert code == 2
    assert "pip install 'nst-gram[film]'" in err
    assert nst(*WORDS, "--film", "film.gif")[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("name", ["film.gif", pytest.param("film.mp4", marks=needs_av)])
def test_ctrl_c_finishes_the_film(folder, name):
    endless = ("--steps", "100000", "--tolerance", "0", "--film", name)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "nst_core", *WORDS, *endless],
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    next(line for line in process.stderr if "loss" in line)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert {path.name for path in folder.iterdir()} == {"content.png", "style.png", "out.png", name}
    if name.endswith(".gif"):
        with Image.open(folder / name) as film:
            film.seek(film.n_frames - 1)
            film.load()
            assert film.info["duration"] == 1000
    else:
        assert len(frames_of(folder / name)[0]) >= RATE
