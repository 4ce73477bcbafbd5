"""When a frame is done."""

from dataclasses import replace

import pytest
import torch
from small import picture

from nst_core import Settings, load_vgg16, losses_of
from nst_core.files.samples import sample
from nst_core.files.samples.scenes import moving_sample
from nst_core.run.progress import Record
from nst_core.settings.video import VideoSettings
from nst_core.video.flows import Frame
from nst_core.video.frame_done import FrameDone, comparable, next_aim, own_loss
from nst_core.video.frames import Painter, stylize_frames

SIZE, STEP = 48, 1 / 12
VGG = load_vgg16("untrained")
SETTINGS = Settings(size=SIZE, steps=12, scales=1, precision="float32", tolerance=0)
STYLE = sample("mosaic", SIZE)


def record(loss, temporal=0.0, step=0):
    parts = {"style": loss, "temporal": temporal}
    return Record(1, step, step + 1, loss + temporal, parts, 0.0)


def asked(losses, aim=0.0, tolerance=0.01):
    """After how many steps a frame with these losses is done; None is never."""
    done = FrameDone(aim, tolerance)
    records = [record(loss, step=step) for step, loss in enumerate(losses)]
    return next((step for step in range(len(records)) if done(records[: step + 1])), None)


def test_a_start_as_good_as_the_frame_before_is_done():
    assert asked([1.0, 0.5], aim=1.0) == 0
    assert asked([1.001, 0.5], aim=1.0) == 0
    assert asked([1.05, 0.5, 0.3, 0.1], aim=1.0) is None


def test_what_holds_a_frame_to_others_does_not_count_there():
    assert own_loss(record(1.0, temporal=9.0)) == 1.0
    assert FrameDone(1.0, 0.01)([record(1.0, temporal=9.0)])


def test_a_frame_is_done_when_steps_bring_little():
    assert asked([4, 3, 2, 1.995, 1.993, 1.99, 1]) == 5


def test_an_evaluation_that_was_no_step_down_counts_as_none():
    steps = [(4, 0), (9, 0), (3, 1), (2, 2), (8, 2), (7, 2), (1.99, 3), (1.98, 4)]
    records = [record(loss, step=step) for loss, step in steps]
    done = [FrameDone(0.0, 0.3)(records[:count]) for count in range(1, len(records) + 1)]
    assert [count for count, end in enumerate(done) if end] == []
    assert FrameDone(0.0, 0.4)(records)


def test_little_changes_do_not_add_up_unseen():
    aim, own, worked = 1.0, 1.0, []
    for _ in range(10):  # each starts a thousandth worse than the one before
        own *= 1.001
        start = record(own)
        left = FrameDone(aim, 0.01)([start])
        worked.append(not left)
        records = (start,) if left else (start, record(own := 1.0, step=1))
        aim = next_aim(aim, records)
    assert not worked[0]
    assert any(worked)
    assert own < 1.003


def frames_of(images):
    return [Frame(index, image) for index, image in enumerate(images)]


def painted(frames, losses_at=None, **changes):
    def usual(frame):
        return losses_of(frame.image, [STYLE], SETTINGS)

    def no_flow(first, second):
        return torch.zeros(1, 2, *first.image.shape[-2:])

    kept = {"flow": no_flow, "video": VideoSettings(), "settings": SETTINGS}
    return list(
        stylize_frames(frames, Painter(losses_at=losses_at or usual, vgg=VGG, **kept | changes))
    )


def test_a_video_that_stands_still_is_one_picture():
    first, *others = painted(frames_of([picture(36, 48)] * 4))
    for other in others:
        assert torch.equal(other.image, first.image)
        assert len(other.records) == 1


@pytest.mark.parametrize("weight", [0.0, 300.0])
def test_a_video_that_stands_still_is_one_picture_with_any_temporal_weight(weight):
    video = VideoSettings(temporal_weight=weight, earlier="1,2")
    found = painted(frames_of([picture(36, 48)] * 4), video=video)
    assert all(torch.equal(one.image, found[0].image) for one in found)


def test_frames_that_move_are_worked_on():
    scene = moving_sample("harbor")
    frames = frames_of([scene.frame(index * STEP, SIZE) for index in range(2)])
    settings = replace(SETTINGS, steps=50)
    assert len(painted(frames, settings=settings)[1].records) > 3


def test_a_still_goes_on_to_change_where_its_style_does():
    def shares(frame):
        settings = Settings(size=SIZE, style_shares=f"{1 - frame.index / 4},{frame.index / 4}")
        return losses_of(frame.image, [STYLE, sample("waves", SIZE)], settings)

    video = VideoSettings(frame_steps=6)
    found = painted(frames_of([picture(36, 48)] * 3), losses_at=shares, video=video)
    assert all(len(one.records) > 3 for one in found)
    assert not comparable(shares(Frame(0, STYLE)), shares(Frame(1, STYLE)))


def test_a_tolerance_of_zero_does_all_steps():
    video = VideoSettings(frame_steps=2, frame_tolerance=0)
    found = painted(frames_of([picture(36, 48)] * 2), video=video)
    assert found[1].records[-1].step == 2


def test_a_step_count_is_the_most():
    scene = moving_sample("harbor")
    frames = frames_of([scene.frame(index * STEP, SIZE) for index in range(2)])
    video = VideoSettings(frame_steps=2, frame_tolerance=0)
    assert painted(frames, video=video)[1].records[-1].step == 2
