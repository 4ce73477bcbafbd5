"""Videos in files: made here by PyAV, read, and written again."""

import pytest
import torch
from clips import LIMIT, SIZE, TICKS, packets, pictures, seconds
from clips import make_video as make

from nst_core.errors import ImageError
from nst_core.files.video_in import frames_of, video_info
from nst_core.files.video_out import video_to

av = pytest.importorskip("av")


def copied(source, target, **how):
    info = video_info(source, max_pixels=LIMIT)
    with video_to(target, *SIZE, info, **how) as writer:
        for frame in frames_of(source):
            writer.add(frame.image, frame.ticks)
    return target


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_frames_are_read_with_their_colors_and_times(tmp_path, name, full):
    path = make(tmp_path / name, full=full)
    for frame, image in zip(frames_of(path), pictures(), strict=True):
        assert float((frame.image - image).abs().mean()) < 0.006
    assert seconds(path) == pytest.approx([ticks / 1000 for ticks in TICKS])


def test_the_header_says_what_is_in_it(tmp_path):
    info = video_info(make(tmp_path / "a.mp4", sound=True), max_pixels=LIMIT)
    assert (info.height, info.width, info.frames) == (*SIZE, len(TICKS))
    assert (info.bits, info.sound, info.full_range, info.bt709) == (8, True, False, True)


def test_times_are_kept(tmp_path):
    source = make(tmp_path / "a.mp4")
    assert seconds(copied(source, tmp_path / "b.mp4")) == pytest.approx(seconds(source), abs=1e-4)


@pytest.mark.parametrize("name", ["b.mp4", "b.mov", "b.mkv"])
def test_sound_is_copied_byte_for_byte(tmp_path, name):
    source = make(tmp_path / "a.mp4", sound=True)
    target = copied(source, tmp_path / name, sound=source)
    assert [data for _, data in packets(target)] == [data for _, data in packets(source)]
    # Matroska has no times below 0, where AAC begins: there, everything begins later.
    starts = [[start - seconds(path)[0] for start, _ in packets(path)] for path in (source, target)]
    assert starts[1] == pytest.approx(starts[0], abs=2e-3)


def test_colors_come_back(tmp_path):
    source = make(tmp_path / "a.mp4")
    target = copied(source, tmp_path / "b.mp4")
    for old, new in zip(frames_of(source), frames_of(target), strict=True):
        shrunk = [torch.nn.functional.avg_pool2d(one.image, 4) for one in (old, new)]
        assert float((shrunk[0] - shrunk[1]).abs().mean()) < 0.01  # 4:2:0 blurs colors alone


def test_ten_bits_are_kept_where_asked(tmp_path):
    source = make(tmp_path / "a.mkv", pix_fmt="yuv444p10le")
    assert video_info(source, max_pixels=LIMIT).bits == 10
    deep = copied(source, tmp_path / "b.mkv", bits=10)
    assert video_info(deep, max_pixels=LIMIT).bits == 10


def test_a_turned_video_is_upright(tmp_path):
    path = make(tmp_path / "a.mp4", turned=90)
    info = video_info(path, max_pixels=LIMIT)
    assert (info.height, info.width) == (SIZE[1], SIZE[0])
    first = next(iter(frames_of(path)))
    assert float((first.image - pictures()[0].rot90(1, (2, 3))).abs().mean()) < 0.006


def test_reading_goes_on_from_a_frame(tmp_path):
    path = make(tmp_path / "a.mp4")
    rest, every = list(frames_of(path, first=4)), list(frames_of(path))
    assert [frame.ticks for frame in rest] == [frame.ticks for frame in every[4:]]
    assert torch.equal(rest[0].image, every[4].image)


def test_a_codec_that_nobody_knows_is_a_sentence(tmp_path):
    path = make(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    with pytest.raises(ImageError, match=r"'.*a\.mp4' is in a codec that FFmpeg does not know"):
        video_info(path, max_pixels=LIMIT)


def test_what_fails_leaves_the_old_video(tmp_path):
    source = make(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes(b"old")
    info = video_info(source, max_pixels=LIMIT)

    def stopped():
        with video_to(tmp_path / "b.mp4", *SIZE, info) as writer:
            writer.add(pictures()[0], 0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert (tmp_path / "b.mp4").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("data", [b"", b"no video", b"\0" * 5000])
def test_what_is_no_video_is_a_sentence(tmp_path, data):
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.mp4"):
        video_info(tmp_path / "a.mp4", max_pixels=LIMIT)


def test_a_cut_video_is_a_sentence(tmp_path):
    path = make(tmp_path / "a.mkv")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ImageError, match=r"a\.mkv"):
        video_info(path, max_pixels=LIMIT)


def test_too_large_frames_are_refused_before_they_are_decoded(tmp_path):
    with pytest.raises(ImageError, match="limit is 1,000"):
        video_info(make(tmp_path / "a.mp4"), max_pixels=1000)


def test_an_address_is_not_fetched():
    with pytest.raises(ImageError, match="does not exist"):
        video_info("http://127.0.0.1:9/a.mp4", max_pixels=LIMIT)
