"""`nst video`, through the real entry point, on videos made here."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple

import pytest
import torch
from clips import LIMIT, TICKS, make_video, packets, pictures, seconds
from quick import QUICK
from safetensors.torch import save_file

from nst_core import load_image, load_vgg16, save_image
from nst_core.cli.video_watch import Frames
from nst_core.files.clip import clip_of
from nst_core.files.flow_file import write_flow
from nst_core.files.video_in import frames_of, video_info

pytest.importorskip("av")
pytest.importorskip("cv2")

# How often the run of the test below is killed; more of them take longer.
KILLS = int(os.environ.get("NST_KILLS", "1"))
SMALL = (48, 64)
WORDS = ("video", "a.mp4", "style.png", "-o", "out.mp4", *QUICK)


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """Untrained weights as a file, which is read sooner than they are made."""
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    vgg, metadata = load_vgg16("untrained"), {"format": "nst-vgg16", "preprocessing": "caffe"}
    save_file(vgg.convolutions.state_dict(), path, metadata=metadata)
    return str(path)


@pytest.fixture
def nst(nst, network):
    """The command with these weights."""
    return lambda *words: nst(*words, "--weights", network)


@pytest.fixture
def video(folder):
    """A video with sound whose frames lie at uneven times."""
    return make_video(folder / "a.mp4", size=SMALL, sound=True)


def info_of(path):
    return video_info(path, max_pixels=LIMIT)


def left_in(folder):
    return {path.name for path in folder.iterdir()} - {"content.png", "style.png", "a.mp4", "home"}


def test_a_video_has_the_times_and_the_sound_of_its_source(nst, folder, video):
    code, out, err = nst(*WORDS)
    assert (code, out.splitlines()[-1]) == (0, "out.mp4"), err
    assert seconds("out.mp4") == pytest.approx(seconds("a.mp4"), abs=1e-4)
    assert [data for _, data in packets("out.mp4")] == [data for _, data in packets("a.mp4")]
    assert (info_of("out.mp4").height, info_of("out.mp4").width) == (24, 32)
    assert left_in(folder) == {"out.mp4"}
    for said in ("Frames: 6 of 32x24 px.", "for each other", "Memory: ", "Disk: ", "frame 1/6"):
        assert said in err


def test_the_result_shows_the_video_painted(nst, folder, video):
    nst(*WORDS, "--steps", "8", "--style-weight", "10")
    for frame, image in zip(frames_of("out.mp4"), pictures(SMALL), strict=True):
        shrunk = torch.nn.functional.interpolate(image, (24, 32), mode="area")
        both = torch.stack([frame.image.flatten(), shrunk.flatten()])
        assert float(torch.corrcoef(both)[0, 1]) > 0.5
        assert float((frame.image - shrunk).abs().mean()) > 0.01


@pytest.mark.parametrize(
    "how",
    [
        {"full": True},
        {"matrix": 5},
        {"matrix": 1, "pix_fmt": "yuv444p10le"},
        {"turned": 90},
    ],
    ids=["full range", "BT.601", "10 bits", "turned"],
)
def test_range_matrix_depth_and_turn_are_kept(nst, folder, how):
    source = make_video(folder / "a.mp4", size=SMALL, **how)
    code, _, err = nst(*WORDS, "--bits", "10" if "pix_fmt" in how else "8", "--quiet")
    assert code == 0, err
    old, new = info_of(source), info_of("out.mp4")
    assert (new.full_range, new.bt709, new.bits) == (old.full_range, old.bt709, old.bits)
    assert (new.height > new.width) == (old.height > old.width)


def test_a_folder_becomes_a_folder(nst, folder):
    (folder / "in").mkdir()
    for number, image in enumerate(pictures(SMALL)[:3], 9):
        save_image(image, folder / "in" / f"{number}.png")
    words = ("video", "in", "style.png", *QUICK, "--rate", "10", "-q", "--size", "33")
    assert nst(*words, "-o", "out", "--bits", "16")[0] == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        f"frame-00000{number}.png" for number in (1, 2, 3)
    ]
    made = load_image(folder / "out" / "frame-000001.png", max_pixels=LIMIT)
    assert made.shape[-2:] == (25, 33)  # pictures have odd sides too
    code, _, err = nst(*words, "-o", "out.mkv")
    assert code == 0
    assert "Size: 32x24 px instead of 33x25: codecs want even sides." in err
    assert seconds("out.mkv") == pytest.approx([0, 0.1, 0.2])
    assert nst(*words, "-o", "in")[0] == 2


def test_a_gif_becomes_a_gif_with_the_same_times(nst, folder, video):
    assert nst(*WORDS, "-q", "-o", "a.gif")[0] == 0
    code, _, err = nst("video", "a.gif", "style.png", "-o", "out.gif", *QUICK, "-q")
    assert code == 0, err
    old, new = (clip_of(folder / name, max_pixels=LIMIT) for name in ("a.gif", "out.gif"))
    assert list(old.times()) == list(new.times())
    assert [ticks for ticks, _ in new.times()] == list(TICKS)


def test_a_preview_is_made_first_of_every_so_manieth_frame(nst, folder, video):
    code, _, err = nst(*WORDS, "--preview", "2")
    assert code == 0, err
    assert seconds("out-preview.mp4") == pytest.approx(seconds("a.mp4")[::2], abs=1e-4)
    assert err.index("Preview: out-preview.mp4") < err.index("  frame 1/6")
    assert left_in(folder) == {"out.mp4", "out-preview.mp4"}
    code, _, err = nst(*WORDS, "-o", "out", "--preview", "3", "-q")
    assert code == 0, err
    assert clip_of(folder / "out-preview.gif", max_pixels=LIMIT).info.frames == 2


@pytest.mark.parametrize("passes", [1, 2])
def test_black_of_a_mask_stays_as_it_is_in_each_frame(nst, folder, video, passes):
    (folder / "masks").mkdir()
    for number in range(4):  # fewer than frames
        mask = torch.zeros(1, 3, 24, 32)
        mask[..., : 8 * number] = 1
        save_image(mask, folder / "masks" / f"{number}.png")
    words = ("--mask", "masks", "-o", "out", "--keep-frames", "--feather", "0")
    code, _, err = nst(*WORDS, *words, "--passes", passes, "-q", "--steps", "6")
    assert code == 0, err
    assert err.count("its last mask stays") == 1
    sources = clip_of(video, max_pixels=LIMIT).frames(0)
    for number, source in enumerate(sources):
        name = folder / "out" / f"frame-{number + 1:06}.png"
        change = (load_image(name, max_pixels=LIMIT) - small(source.image)).abs()
        painted = 8 * min(number, 3)
        assert float(change[..., painted:].max()) < 0.01
        assert not painted or float(change[..., :painted].mean()) > 0.005


def small(image):
    from nst_core.control.pyramid import resize

    return resize(image, 24, 32)


def test_a_picture_is_a_mask_of_all_frames(nst, folder, video):
    half = torch.zeros(1, 3, 24, 32)
    half[..., :16] = 1
    save_image(half, folder / "half.png")
    assert nst(*WORDS, "--mask", "half.png", "-o", "out", "-q", "--feather", "0")[0] == 0
    for number, source in enumerate(clip_of(video, max_pixels=LIMIT).frames(0), 1):
        made = load_image(folder / "out" / f"frame-{number:06}.png", max_pixels=LIMIT)
        assert float((made - small(source.image))[..., 16:].abs().max()) < 0.01


def test_a_mask_of_the_first_frame_moves_with_the_flow(nst, folder):
    """A square that moves by 4 pixels a frame, and its mask."""
    (folder / "in").mkdir()
    for number in range(3):
        write_flow_of(folder, number, 4.0)
        image = torch.full((1, 3, 24, 32), 0.3)
        image[..., 8:16, 4 + 4 * number : 12 + 4 * number] = 0.7
        save_image(image, folder / "in" / f"{number}.png")
    mask = torch.zeros(1, 3, 24, 32)
    mask[..., 8:16, 4:12] = 1
    save_image(mask, folder / "mask.png")
    words = ("--mask", "mask.png", "--mask-moves", "--flow-files", "flow", "--feather", "0")
    code, _, err = nst("video", "in", "style.png", "-o", "out", *QUICK, *words, "-q")
    assert code == 0, err
    for number in range(3):
        made = load_image(folder / "out" / f"frame-{number + 1:06}.png", max_pixels=LIMIT)
        source = load_image(folder / "in" / f"{number}.png", max_pixels=LIMIT)
        changed = (made - source).abs().amax((0, 1)) > 0.01
        assert bool(changed[8:16, 4 + 4 * number : 12 + 4 * number].any())
        changed[8:16, 4 + 4 * number : 12 + 4 * number] = False
        assert not bool(changed.any())


def write_flow_of(folder, number, speed):
    """Everything moves to the right, from this frame to the next."""
    (folder / "flow").mkdir(exist_ok=True)
    flow = torch.zeros(1, 2, 24, 32)
    flow[:, 0] = speed
    names = f"{number + 1:06}-{number + 2:06}", f"{number + 2:06}-{number + 1:06}"
    write_flow(flow, folder / "flow" / f"{names[0]}.flo")
    write_flow(-flow, folder / "flow" / f"{names[1]}.flo")


def test_another_flow_in_the_files_is_another_run(nst, folder, video, ending):
    for number in range(len(TICKS)):
        write_flow_of(folder, number, 0.0)
    words = (*WORDS, "--flow-files", "flow")
    ending(2)
    assert nst(*words)[0] == 130
    ending()
    write_flow_of(folder, 3, 1.0)
    assert "another optical flow" in nst(*words)[2]


def test_keyframes_change_the_style_in_the_course_of_the_video(nst, folder, video):
    """By frames and by seconds: the last frame lies at 0.32 seconds."""
    made = {}
    for name, keys in {
        "frames": "0: style_weight=0; 5: style_weight=10",
        "seconds": "0s: style_weight=0; 0.32s: style_weight=10",
        "none": "",
    }.items():
        words = ("--keyframes", keys, "-o", name, "-q", "--no-cuts")
        assert nst(*WORDS, *words)[0] == 0
        made[name] = [path.read_bytes() for path in sorted((folder / name).iterdir())]
    assert len(made["frames"]) == 6
    assert made["frames"][0] == made["seconds"][0] != made["none"][0]
    assert made["frames"][3] != made["seconds"][3]  # frames lie at uneven times


# What cannot be meant, and what is missing.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("b.mp4 style.png -o out.mp4", "'b.mp4' does not exist"),
        ("a.mp4 b.png -o out.mp4", "'b.png' does not exist"),
        ("a.mp4 style.png -o out.avi", "End it in .mp4, .mov, .mkv, .gif"),
        ("a.mp4 style.png -o a.mp4", "would replace what the run reads"),
        ("a.mp4 style.png -o no/out.mp4", "does not exist"),
        ("a.mp4 style.png -o full", "'full' is there already"),
        ("content.png style.png -o out.mp4", "'content.png' has one frame"),
        ("photo.jpg style.png -o out.mp4", "'photo.jpg' is a picture. Use nst stylize"),
        ("sample:ink style.png -o out.mp4", "no moving sample called"),
        ("text.mp4 style.png -o out.mp4", "could not be read as a video"),
        ("full style.png -o full/out.mp4", "would lie among the frames"),
        ("a.mp4 style.png -o out.mp4 --bits 16", "cannot have 16 bits a channel. Use 8 or 10."),
        ("a.mp4 style.png -o out --bits 10", "cannot have 10 bits a channel. Use 8 or 16."),
        ("a.mp4 style.png -o out.mp4 --init content.png", "is a picture"),
        ("a.mp4 style.png -o out.mp4 --seamless", "cannot be seamless"),
        ("a.mp4 style.png -o out.mp4 --rate 0", "rate is 0"),
        ("a.mp4 style.png -o out.mp4 --earlier 0", "Earlier frames are '0'"),
        ("a.mp4 style.png -o out.mp4 --mask no.mp4", "'no.mp4' does not exist"),
        ("a.mp4 style.png -o out.mp4 --mask-moves", "--mask-moves needs a picture"),
        ("a.mp4 style.png -o out.mp4 --keyframes 4", "has no colon"),
        ("a.mp4 style.png -o out.mp4 --flow-files full", "has no optical flow"),
        ("a.mp4 style.png -o out.mp4 --max-pixels 1000", "the limit is 1,000"),
        ("a.mp4 style.png -o out.mp4 --size 1", "size is 1"),
    ],
)
def test_what_cannot_be_made_is_a_sentence(nst, folder, video, words, said):
    (folder / "full").mkdir()
    shutil.copy(folder / "content.png", folder / "full")
    (folder / "photo.jpg").write_bytes(b"")
    (folder / "text.mp4").write_text("no video")
    before = left_in(folder)
    code, out, err = nst("video", *words.split())
    assert (code, out) == (2, ""), err
    assert err.startswith("Error: ")
    assert said in err
    assert err.count("\n") == 1
    assert left_in(folder) == before


@pytest.mark.parametrize("package", ["av", "cv2"])
def test_a_missing_package_is_named_before_the_work(nst, folder, video, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    code, _, err = nst(*WORDS)
    assert code == 2
    assert f"{package} is not installed. Install with: pip install 'nst-gram[video]'" in err


def test_a_disk_without_room_is_said_before_the_work(nst, folder, video, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    code, _, err = nst(*WORDS)
    assert code == 2
    assert re.search(r"The frames may need 0\.0\d* MB in '.*out\.mp4\.frames'", err), err
    assert left_in(folder) == set()


def test_a_plan_is_said_and_nothing_made(nst, folder, video):
    code, out, err = nst("plan", "video", "a.mp4", "style.png", "--passes", "2", *QUICK)
    assert code == 0, err
    assert out.startswith("Frames: 6 of 32x24 px, in 2 passes.\n")
    assert "for the first frame and after a cut" in out
    assert left_in(folder) == set()


# Ended, and gone on with.


@pytest.fixture
def ending(monkeypatch):
    """Makes a signal come after so many frames were made; called again, it does not any more."""
    plain = Frames.on_frame

    def after(frames=None, number=signal.SIGINT):
        def told(self, *frame):
            plain(self, *frame)
            if self.made == frames:
                signal.raise_signal(number)

        monkeypatch.setattr(Frames, "on_frame", told)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield after
    signal.signal(signal.SIGINT, before)


def test_a_video_that_is_ended_goes_on_to_the_same_bytes(nst, folder, ending):
    make_video(folder / "a.mp4", size=SMALL, ticks=TICKS[:4])
    words = (*WORDS, "--passes", "2", "--earlier", "1,2")
    assert nst(*words, "-o", "whole.mp4")[0] == 0
    for frames, number in ((2, signal.SIGINT), (4, signal.SIGTERM)):
        ending(frames, number)
        code, out, err = nst(*words)
        assert (code, out) == (130, "")
        assert err.splitlines()[-1].endswith(
            "out.mp4.frames'. The same command goes on from there."
        )
        assert left_in(folder) == {"whole.mp4", "out.mp4.frames"}
    assert "Stopped: 6 frames in '" in err
    ending()
    code, _, err = nst(*words)
    assert code == 0
    assert "Going on: 6 frames in '" in err
    assert (folder / "out.mp4").read_bytes() == (folder / "whole.mp4").read_bytes()
    assert left_in(folder) == {"whole.mp4", "out.mp4"}


def test_before_the_first_frame_nothing_is_left(nst, folder, video, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("nst_core.video.frames.stylize", stop)
    code, _, err = nst(*WORDS)
    assert code == 130
    assert err.splitlines()[-1] == "Stopped before the first frame was done."
    assert left_in(folder) == set()


def test_frames_of_another_command_are_not_gone_on_with(nst, folder, video, ending):
    ending(2)
    assert nst(*WORDS)[0] == 130
    before = {path.name for path in (folder / "out.mp4.frames").iterdir()}
    ending()
    for more, said in (
        (("--temporal-weight", "5"), "another value of temporal weight"),
        (("--style-weight", "5"), "another loss"),
        (("--steps", "3"), "another value of steps"),
    ):
        code, _, err = nst(*WORDS, *more)
        assert code == 2
        assert said in err
        assert "Delete the folder to begin anew" in err
    make_video("a.mp4", size=SMALL, ticks=TICKS[:5])
    assert "another video" in nst(*WORDS)[2]
    assert {path.name for path in (folder / "out.mp4.frames").iterdir()} == before


def test_a_video_that_cannot_be_written_leaves_its_frames(nst, folder, video, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nst_core.files.video_out._Writer.add", full)
    (folder / "out.mp4").write_bytes(b"old")
    code, out, err = nst(*WORDS)
    assert (code, out) == (2, "")
    assert "No space left on device" in err
    assert "Stopped: 6 frames in '" in err
    assert (folder / "out.mp4").read_bytes() == b"old"
    monkeypatch.undo()
    os.chdir(folder)
    assert nst(*WORDS)[0] == 0


def started(*words):
    command = [sys.executable, "-m", "nst_core", *words, "-q"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_a_video_that_is_killed_at_any_moment_goes_on_to_the_same_bytes(folder, video, network):
    words = (*WORDS, "--weights", network, "--steps", "20", "--tolerance", "0", "--earlier", "1,2")
    if "NST_KILLS" in os.environ:
        words += ("--passes", "2")
    began = time.monotonic()
    process = started(*words, "-o", "whole.mp4")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    longest, chance = time.monotonic() - began, random.Random(os.environ.get("NST_SEED", "0"))
    kills = 0
    while kills < KILLS:
        process = started(*words)
        try:
            process.wait(timeout=chance.uniform(0.4, 1.0) * longest)
        except subprocess.TimeoutExpired:
            process.kill()
        _, err = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), err
        kills += process.returncode == -signal.SIGKILL
        for path in folder.glob("out.mp4.frames/*.png"):
            load_image(path, max_pixels=LIMIT)
        if (folder / "out.mp4").exists():
            assert (folder / "out.mp4").read_bytes() == (folder / "whole.mp4").read_bytes()
            (folder / "out.mp4").unlink()
    process = started(*words)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert (folder / "out.mp4").read_bytes() == (folder / "whole.mp4").read_bytes()
    # A process that is killed while it puts the video together leaves a part.
    left = {name for name in left_in(folder) if not name.endswith(".part")}
    assert left == {"whole.mp4", "out.mp4"}
