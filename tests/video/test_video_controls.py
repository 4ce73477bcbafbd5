"""What painters ask for, in videos as in stills: colors, masks, regions, statistics, styles."""

from dataclasses import replace

import pytest
import torch
from small import picture

from nst_core import Region, Settings, load_vgg16, losses_of, stylize
from nst_core.control.flow import inside
from nst_core.control.statistics import STATISTICS
from nst_core.files.samples import sample
from nst_core.run.recipes import losses_of_regions
from nst_core.settings.video import VideoSettings
from nst_core.video.flows import Frame
from nst_core.video.folder import FramesFolder
from nst_core.video.frames import Painter, stylize_frames
from nst_core.video.moving_mask import moving_masks

HEIGHT, WIDTH = 24, 32
VGG = load_vgg16("untrained")
SETTINGS = Settings(
    size=WIDTH,
    steps=4,
    scales=1,
    precision="float32",
    tolerance=0,
    content_layers="relu2_1",
    style_layers="relu1_1,relu2_1,relu3_1",
    feather=0,
)
VIDEO = VideoSettings(frame_steps=2, frame_tolerance=0)
STYLES = (sample("mosaic", 32), sample("waves", 32))
WHOLE = picture(HEIGHT, WIDTH + 16, 5)
# A picture that moves two pixels to the left each frame.
FRAMES = [Frame(i, WHOLE[..., 2 * i : 2 * i + WIDTH].contiguous()) for i in range(3)]
HALF = torch.zeros(HEIGHT, WIDTH)
HALF[:, :16] = 1


def flow(first, second):
    moved = torch.zeros(1, 2, HEIGHT, WIDTH)
    moved[:, 0] = -2.0 * (second.index - first.index)
    return moved


def still(first, second):
    return torch.zeros(1, 2, HEIGHT, WIDTH)


def usual(settings, styles=STYLES[:1]):
    return lambda frame: losses_of(frame.image, styles, settings)


def painted(losses_at, settings=SETTINGS, frames=FRAMES, flow=flow, video=VIDEO, **changes):
    painter = Painter(
        losses_at=losses_at, vgg=VGG, settings=settings, video=video, flow=flow, **changes
    )
    return list(stylize_frames(frames, painter))


def as_a_still(losses_at, settings=SETTINGS):
    return stylize(losses_at(FRAMES[0]), vgg=VGG, settings=settings).image


def chroma(image):
    return image - image.mean(1, keepdim=True)


COLORS = [("luminance", "after"), ("luminance", "before"), ("cholesky", "after")]
COLORS += [("histogram", "after"), ("pca", "before")]


@pytest.mark.parametrize(("colors", "when"), COLORS)
def test_the_first_frame_has_the_colors_of_a_still(colors, when):
    settings = replace(SETTINGS, colors=colors, color_when=when)
    first = painted(usual(settings), settings, FRAMES[:1])[0]
    assert torch.equal(first.image, as_a_still(usual(settings), settings))


@pytest.mark.parametrize("when", ["after", "before"])
def test_every_frame_has_its_own_chroma(when):
    settings = replace(SETTINGS, colors="luminance", color_when=when)
    for frame, one in zip(FRAMES, painted(usual(settings), settings), strict=True):
        assert torch.allclose(chroma(one.image), chroma(frame.image), atol=1e-5)
        assert not torch.allclose(one.image, frame.image, atol=0.02)


def test_frames_go_on_from_what_was_found_and_not_from_its_colors():
    settings = replace(SETTINGS, colors="luminance")
    plain, colored = painted(usual(SETTINGS)), painted(usual(settings), settings)
    for one, other in zip(plain, colored, strict=True):
        assert torch.equal(one.image, other.found)
        assert not torch.equal(other.image, other.found)


def test_previews_have_the_colors_that_the_frame_will_have():
    settings, seen = replace(SETTINGS, colors="luminance"), []
    found = painted(
        usual(settings), settings, on_progress=lambda progress: seen.append(progress.preview())
    )
    assert torch.allclose(chroma(seen[-1]), chroma(FRAMES[-1].image), atol=1e-5)
    assert torch.equal(seen[-1], found[-1].image)


def test_on_disk_a_frame_has_its_colors_and_the_next_one_goes_on_without_them(tmp_path):
    settings = replace(SETTINGS, colors="luminance")
    one = painted(usual(settings), settings, FRAMES[:1])[0]
    folder = FramesFolder(tmp_path)
    kept = folder.save(one, 0)
    assert torch.allclose(kept.image, one.found, atol=1e-5)
    assert torch.allclose(folder.load(0, 0).image, one.image, atol=1e-5)


def masked(masks, styles=STYLES[:1]):
    """Painted where the mask of each frame is; the rest is kept."""

    def losses_at(frame):
        region = Region(styles=styles, mask=masks[frame.index])
        return losses_of_regions(frame.image, [region], SETTINGS)

    return losses_at


def test_a_mask_of_each_frame_says_where_it_is_painted():
    masks = [HALF, HALF.roll(-4, 1), HALF.roll(-8, 1)]
    for frame, one in zip(FRAMES, painted(masked(masks)), strict=True):
        change = (one.image - frame.image).abs().amax((0, 1))
        assert float(change[masks[frame.index] == 0].max()) < 1e-6
        assert float(change[masks[frame.index] == 1].mean()) > 0.01


def test_what_a_mask_lets_go_of_is_painted_however_strong_the_temporal_loss_is():
    frames = [Frame(index, FRAMES[0].image) for index in range(2)]
    video = replace(VIDEO, temporal_weight=1e6, frame_steps=6)
    first, second = painted(
        masked([HALF, torch.ones_like(HALF)]), frames=frames, flow=still, video=video
    )
    change = (second.image - first.image).abs().mean((0, 1))
    assert float(change[:, 16:].mean()) > 20 * float(change[:, :16].mean())


def test_regions_have_styles_of_their_own():
    def losses_at(frame):
        regions = [Region(styles=STYLES[:1], mask=HALF), Region(styles=STYLES[1:], mask=1 - HALF)]
        return losses_of_regions(frame.image, regions, SETTINGS)

    found = painted(losses_at)
    assert torch.equal(found[0].image, as_a_still(losses_at))
    names = set(found[-1].records[-1].parts)
    assert {"style 1 relu1_1", "style 2 relu1_1", "temporal"} <= names


@pytest.mark.parametrize("statistics", STATISTICS)
def test_frames_take_every_statistic(statistics):
    settings = replace(SETTINGS, statistics=statistics)
    found = painted(usual(settings), settings, FRAMES[:2])
    assert torch.equal(found[0].image, as_a_still(usual(settings), settings))
    losses = [record.loss for record in found[1].records]
    assert min(losses) < losses[0]


def test_frames_take_several_styles_with_shares():
    settings = replace(SETTINGS, style_shares="3,1")
    found = painted(usual(settings, STYLES), settings)
    assert torch.equal(found[0].image, as_a_still(usual(settings, STYLES), settings))
    other = replace(SETTINGS, style_shares="1,3")
    assert not torch.equal(found[-1].image, painted(usual(other, STYLES), other)[-1].image)


def test_a_mask_moves_with_what_it_lies_on_and_stays_sharp():
    frames = [Frame(i, FRAMES[0].image) for i in range(6)]  # the flow alone counts
    masks = list(moving_masks(HALF.roll(8, 1), frames, flow))
    assert torch.equal(masks[0], HALF.roll(8, 1))
    assert torch.allclose(masks[2], HALF.roll(4, 1) * inside(flow(frames[2], frames[0]))[0, 0])
    assert set(masks[3].unique().tolist()) == {0, 1}


def test_a_mask_of_another_size_lies_on_the_first_frame():
    small = torch.zeros(12, 16)
    small[:, :8] = 1
    assert torch.equal(next(moving_masks(small, FRAMES, flow)), HALF)


def test_a_mask_ends_at_a_cut_with_a_word(caplog):
    def cut(first, second):
        return flow(first, second) + 1e6 * (max(first.index, second.index) == 2)

    frames = [*FRAMES, Frame(3, FRAMES[2].image)]
    masks = list(moving_masks(HALF, frames, cut))
    assert [bool(mask.any()) for mask in masks] == [True, True, False, False]
    assert "changes at frame 3: the mask ends" in caplog.text
