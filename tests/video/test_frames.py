"""A pass over frames."""

from dataclasses import replace

import pytest
import torch
from small import picture

from nst_core import Settings, losses_of, stylize
from nst_core.control.temporal import TemporalLoss
from nst_core.errors import SettingsError
from nst_core.files.samples import sample
from nst_core.files.samples.scenes import moving_sample
from nst_core.files.weights import load_vgg16
from nst_core.settings.video import VideoSettings
from nst_core.video.flows import Frame, dis_flow
from nst_core.video.frames import Painter, stylize_frames

SIZE, STEP = 48, 1 / 12
VGG = load_vgg16("untrained")
SETTINGS = Settings(size=SIZE, steps=12, scales=1, precision="float32", tolerance=0)
STYLE = sample("mosaic", SIZE)


def losses_at(frame):
    return losses_of(frame.image, [STYLE], SETTINGS)


def no_flow(first, second):
    height, width = first.image.shape[-2:]
    return torch.zeros(1, 2, height, width)


def painter(**changes):
    kept = {"flow": no_flow, "video": VideoSettings(), "settings": SETTINGS}
    return Painter(losses_at=losses_at, vgg=VGG, **kept | changes)


def frames_of(scene, count, size=SIZE):
    return [Frame(i, scene.frame(i * STEP, size)) for i in range(count)]


def painted(frames, **changes):
    return list(stylize_frames(frames, painter(**changes)))


def test_the_first_frame_is_a_still():
    (first,) = painted(frames_of(moving_sample("harbor"), 1))
    still = stylize(
        losses_at(Frame(0, moving_sample("harbor").frame(0, SIZE))), vgg=VGG, settings=SETTINGS
    )
    assert torch.equal(first.image, still.image)
    assert first.began_anew


def test_without_motion_and_without_steps_a_frame_is_the_one_before():
    image = picture(36, 48)
    video = VideoSettings(frame_steps=1, temporal_weight=1e9)
    first, second, third = painted([Frame(i, image) for i in range(3)], video=video)
    assert float((second.image - first.image).abs().max()) < 1e-3
    assert float((third.image - first.image).abs().max()) < 1e-3


@pytest.mark.parametrize("weight", [0.0, 50.0])
def test_without_motion_a_frame_is_a_still_that_starts_from_the_one_before(weight):
    before, after = picture(36, 48, 1), picture(36, 48, 2)
    video = VideoSettings(temporal_weight=weight, frame_steps=3, frame_tolerance=0)
    first, second = painted([Frame(0, before), Frame(1, after)], video=video)
    held = [TemporalLoss(image=first.image, mask=torch.ones(36, 48), weight=weight)]
    still = stylize(
        [*losses_at(Frame(1, after)), *(held if weight else [])],
        vgg=VGG,
        settings=replace(SETTINGS, steps=3),
        start=first.image,
    )
    assert torch.equal(second.image, still.image)
    assert ("temporal" in second.records[0].parts) == (weight > 0)


def test_frames_after_the_first_are_held_to_what_they_show():
    scene = moving_sample("meadow")
    frames = frames_of(scene, 3)

    def exact(first, second):
        return scene.flow(first.index * STEP, second.index * STEP, SIZE)[0].float()

    def change(found):
        from nst_core.control.flow import warped

        flow, seen = scene.flow(2 * STEP, STEP, SIZE)
        return float(((warped(found[1].image, flow.float()) - found[2].image) ** 2 * seen).mean())

    held = painted(frames, flow=exact, video=VideoSettings(frame_steps=4, temporal_weight=1000))
    alone = [stylize(losses_at(f), vgg=VGG, settings=SETTINGS) for f in frames]
    assert change(held) < 0.3 * change(alone)
    assert [one.began_anew for one in held] == [True, False, False]


def test_a_cut_begins_anew_and_looks_as_if_the_video_began_there():
    before, after = moving_sample("harbor"), moving_sample("meadow")
    frames = [Frame(0, before.frame(0, SIZE)), Frame(1, before.frame(STEP, SIZE))]
    height, width = frames[0].image.shape[-2:]
    other = torch.nn.functional.interpolate(after.frame(0, SIZE), (height, width), mode="area")
    cut = [*frames, Frame(2, other)]
    found = painted(cut, flow=dis_flow(), video=VideoSettings(frame_steps=2))
    assert [one.began_anew for one in found] == [True, False, True]
    assert torch.equal(found[2].image, stylize(losses_at(cut[2]), vgg=VGG, settings=SETTINGS).image)


def test_no_more_frames_are_remembered_than_count():
    one = painter(video=VideoSettings(earlier="1,3", frame_steps=1))
    for frame in frames_of(moving_sample("portrait"), 6):
        list(stylize_frames([frame], one))
    assert [done.frame.index for done in one.done] == [3, 4, 5]


def test_a_frame_takes_far_fewer_evaluations_than_the_first():
    settings = replace(SETTINGS, steps=40)
    found = painted(frames_of(moving_sample("harbor"), 2), settings=settings)
    assert len(found[1].records) <= len(found[0].records) / 4


@pytest.mark.parametrize("earlier", ["", "0", "1,x", "1,100", "1;2", "2,4", "-1,1"])
def test_earlier_frames_that_cannot_be_are_refused(earlier):
    with pytest.raises(SettingsError, match="Earlier frames"):
        VideoSettings(earlier=earlier)
