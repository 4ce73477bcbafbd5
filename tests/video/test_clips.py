"""Clips: videos, animations and folders of pictures, read with their times and written again."""

import io
import sys
from fractions import Fraction

import pytest
import torch
from clips import LIMIT, SIZE, TICKS, add_sound, make_video, pictures
from small import numbers_of

from nst_core import load_image, save_image
from nst_core.errors import ImageError, SettingsError
from nst_core.files.clip import clip_of
from nst_core.files.clip_out import clip_to
from nst_core.files.pixels import to_pil
from nst_core.files.samples.scenes import moving_sample
from nst_core.files.video_in import video_info

av = pytest.importorskip("av")
# For how long each is shown, in milliseconds: the last one as the first.
DURATIONS = (40, 40, 120, 40, 80, 40)
SAVED = {
    "a.gif": {"format": "GIF"},
    "a.png": {"format": "PNG"},
    "a.webp": {"format": "WEBP", "lossless": True},
}


def animation(path, durations=DURATIONS, **options):
    first, *others = [to_pil(image) for image in pictures()]
    first.save(path, save_all=True, append_images=others, duration=durations, **options)
    return path


def folder_of(path):
    """Pictures whose names are not in the order of text."""
    path.mkdir()
    for number, image in enumerate(pictures(), 8):
        save_image(image, path / f"f{number}.png", bits=16)
    return path


def written(clip, path, **how):
    part = path.with_name("part")
    size = clip.info.height, clip.info.width
    with clip_to(path, *size, clip.info, part=part, **how) as writer:
        for frame, (ticks, duration) in zip(clip.frames(0), clip.times(), strict=True):
            writer.add(frame.image, ticks, duration)
    assert not part.exists()
    return clip_of(path, max_pixels=LIMIT)


def milliseconds(clip):
    begin = next(clip.times())[0]
    base = 1000 * clip.info.time_base
    return [(float((ticks - begin) * base), float(long * base)) for ticks, long in clip.times()]


@pytest.mark.parametrize("name", SAVED)
def test_an_animation_has_its_frames_and_times(tmp_path, name):
    clip = clip_of(animation(tmp_path / name, **SAVED[name]), max_pixels=LIMIT)
    assert (clip.info.height, clip.info.width, clip.info.frames) == (*SIZE, 6)
    assert milliseconds(clip) == list(zip(TICKS, DURATIONS, strict=True))
    close = 0.03 if name == "a.gif" else 0.005  # 256 colors
    for frame, image in zip(clip.frames(0), pictures(), strict=True):
        assert float((frame.image - image).abs().mean()) < close
    later = next(clip.frames(4))
    assert later.ticks == TICKS[4]
    assert float((later.image - pictures()[4]).abs().mean()) < close


def test_a_folder_is_read_in_the_order_that_people_count_in(tmp_path):
    clip = clip_of(folder_of(tmp_path / "in"), max_pixels=LIMIT, rate=12.5)
    for frame, image in zip(clip.frames(2), pictures()[2:], strict=True):
        assert float((frame.image - image).abs().max()) < 1e-4
    assert clip.info.rate == Fraction(25, 2)
    assert milliseconds(clip) == [(80 * number, 80) for number in range(6)]


@pytest.mark.parametrize("name", ["b.gif", "b.mkv", "b.mp4"])
def test_how_long_each_frame_is_shown_is_kept_also_of_the_last(tmp_path, name):
    clip = clip_of(make_video(tmp_path / "a.mp4"), max_pixels=LIMIT)
    source, result = milliseconds(clip), milliseconds(written(clip, tmp_path / name))
    for old, new in zip(source, result, strict=True):
        assert new == pytest.approx(old, abs=1)


def test_times_of_a_gif_do_not_add_up_what_is_rounded(tmp_path):
    ticks = [round(index * 1000 / 30) for index in range(40)]
    source = make_video(tmp_path / "a.mp4", size=(24, 32), ticks=ticks)
    result = written(clip_of(source, max_pixels=LIMIT), tmp_path / "b.gif")
    assert abs(milliseconds(result)[-1][0] - ticks[-1]) <= 5


def test_every_other_frame_is_shown_till_the_next_one_that_is(tmp_path):
    clip = clip_of(make_video(tmp_path / "a.mp4"), max_pixels=LIMIT)
    base = 1000 * clip.info.time_base
    found = [(ticks * base, long * base) for ticks, long in clip.times(every=2)]
    assert found == [(0, 80), (80, 160), (240, 120)]


@pytest.mark.parametrize("bits", [8, 16])
def test_a_folder_is_written_whole_or_not_at_all(tmp_path, bits):
    clip = clip_of(folder_of(tmp_path / "in"), max_pixels=LIMIT)
    written(clip, tmp_path / "out", bits=bits)
    made = load_image(tmp_path / "out" / "frame-000001.png", max_pixels=LIMIT)
    assert float((made - pictures()[0]).abs().max()) < 1 / 2**bits
    info = clip.info
    with pytest.raises(KeyboardInterrupt):
        begin_and_stop(tmp_path / "new", info)
    assert {path.name for path in tmp_path.iterdir()} >= {"in", "out"}
    assert not (tmp_path / "new").exists()


def begin_and_stop(path, info):
    with clip_to(path, *SIZE, info, part=path.with_name("part")) as writer:
        writer.add(pictures()[0], 0, 1)
        raise KeyboardInterrupt


def test_clips_differ_in_their_digests_if_one_frame_does(tmp_path):
    folder = folder_of(tmp_path / "in")
    before = clip_of(folder, max_pixels=LIMIT).digest()
    assert clip_of(folder, max_pixels=LIMIT).digest() == before
    save_image(1 - pictures()[3], folder / "f11.png", bits=16)
    assert clip_of(folder, max_pixels=LIMIT).digest() != before


def test_a_moving_sample_is_a_clip_of_two_seconds():
    clip = clip_of("sample:harbor", max_pixels=10**6)
    assert (clip.info.frames, clip.info.width, clip.info.height) == (24, 768, 576)
    assert sum(ticks for _, ticks in clip.times()) * clip.info.time_base == 2
    (last,) = clip.frames(23)
    torch.testing.assert_close(last.image, moving_sample("harbor").frame(23 / 12, 768))
    assert clip.digest() != clip_of("sample:meadow", max_pixels=10**6).digest()
    with pytest.raises(SettingsError, match=r"There are: harbor, portrait, meadow\."):
        clip_of("sample:ink", max_pixels=10**6)


def test_a_cover_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.mp3"), "w") as container:
        sound = container.add_stream("libmp3lame", rate=44100)
        cover = container.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic.value
        for packet in cover.encode(av.VideoFrame(32, 32, "yuvj420p")):
            container.mux(packet)
        container.mux(cover.encode(None))
        add_sound(container, sound)
    with pytest.raises(ImageError, match="no video in it"):
        video_info(tmp_path / "a.mp3", max_pixels=LIMIT)


def one_frame(path):
    to_pil(pictures()[0]).save(path / "a.gif")


def too_large(path):
    animation(path / "a.gif")
    return 1000


def no_gif(path):
    (path / "a.gif").write_bytes(b"GIF89a")


def beyond(path):
    """A frame beyond the screen, which a decoder would enlarge."""
    data = bytearray(animation(path / "a.gif").read_bytes())
    data[6:10] = bytes([8, 0, 8, 0])
    (path / "a.gif").write_bytes(data)


def sizes(path):
    (path / "a.gif").mkdir()
    for name, side in (("a", 8), ("b", 9)):
        save_image(torch.zeros(1, 3, 8, side), path / "a.gif" / f"{name}.png")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (one_frame, "has one frame"),
        (too_large, "the limit is 1,000"),
        (no_gif, "could not be read as an animation"),
        (beyond, "beyond the screen"),
        (sizes, "another size"),
    ],
)
def test_what_cannot_be_a_clip_is_a_sentence(tmp_path, make, said):
    limit = make(tmp_path) or LIMIT
    with pytest.raises(ImageError, match=said):
        clip_of(tmp_path / "a.gif", max_pixels=limit)


def test_comments_of_a_gif_cost_no_time(tmp_path):
    data = animation(tmp_path / "a.gif").read_bytes()
    at = data.rindex(b"\x21\xf9")
    comment = b"\x21\xfe" + (b"\xff" + bytes(255)) * 40_000 + b"\0"
    (tmp_path / "b.gif").write_bytes(data[:at] + comment + data[at:])
    plain, long = (clip_of(tmp_path / f"{name}.gif", max_pixels=LIMIT) for name in "ab")
    for one, other in zip(plain.frames(0), long.frames(0), strict=True):
        assert torch.equal(one.image, other.image)


def test_a_frame_that_says_no_time_is_shown_as_browsers_do(tmp_path):
    stream = io.BytesIO()
    frames = [to_pil(image) for image in pictures()[:2]]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=0)
    (tmp_path / "a.gif").write_bytes(stream.getvalue())
    assert milliseconds(clip_of(tmp_path / "a.gif", max_pixels=LIMIT)) == [(0, 100), (100, 100)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_video_takes_no_more_memory_the_longer_it_is():
    few, many = numbers_of("video_memory.py", 12, 48)
    # 36 frames are 12 MB, and as much again is what became of them.
    assert many - few < 8e6
