"""Sizes that are too small are refused before the first evaluation, or scales stop above them."""

import logging
import re
from dataclasses import replace

import pytest
import torch
from small import picture

from nst_core import (
    Keep,
    Region,
    Runtime,
    Settings,
    StyleLoss,
    losses_of,
    losses_of_regions,
    plan,
    stylize,
)
from nst_core.control.pyramid import Scale, plan_scales
from nst_core.errors import ImageTooSmall, NSTError, OutOfMemory, SettingsError
from nst_core.run.pace import Pace
from nst_core.run.scales import evaluations_of, place_of, scales_of
from nst_core.run.sizes import views_at
from nst_core.run.staging import result_size

CPU = Runtime(torch.device("cpu"))
# One step, so that a run is over soon wherever it gets through.
SETTINGS = Settings(size=64, steps=1)


def blank(height, width):
    """Sizes alone count."""
    return torch.zeros(1, 1, 1, 1).expand(1, 3, height, width)


def scales(content, styles, **settings):
    settings = replace(Settings(), **settings)
    losses = losses_of(blank(*content), [blank(*style) for style in styles], settings)
    return scales_of(losses, settings, *result_size(losses, settings))


def refused(losses, settings, vgg, runtime=CPU, **more):
    """What a run says, which is refused before its first evaluation, as its plan is."""
    seen = []
    with pytest.raises(NSTError) as planned:
        plan(losses, vgg=vgg, settings=settings, runtime=runtime, pace=Pace(0, 0), **more)
    with pytest.raises(type(planned.value)) as caught:
        stylize(
            losses, vgg=vgg, settings=settings, runtime=runtime, on_progress=seen.append, **more
        )
    assert str(caught.value) == str(planned.value)
    assert not seen
    return caught.value


@pytest.mark.parametrize("content", [(768, 1024), (576, 1024), (512, 1024)])
@pytest.mark.parametrize("size", [256, 384, 512, 768, 1024])
def test_usual_proportions_have_the_scales_that_their_sides_allow(content, size):
    found = scales(content, [(600, 800)], size=size)
    height, width = found[-1].height, found[-1].width
    assert found == plan_scales(height, width, scales=0, steps=300)


@pytest.mark.parametrize(
    ("content", "styles", "settings"),
    [
        ((96, 1600), [(600, 800)], {"size": 1024}),
        ((1600, 96), [(600, 800)], {"size": 1024, "views": 0}),
        ((24, 512), [(600, 800)], {"size": 512}),
        ((200, 800), [(600, 800)], {"size": 768, "style_scale": 0.1, "views": 0}),
        ((300, 400), [(600, 800)], {"size": 1024, "views": 2}),
        ((300, 400), [(600, 800)], {"size": 1024, "views": 3, "seamless": True}),
        ((96, 1600), [(600, 800)], {"size": 1024, "seamless": True, "views": 0}),
        ((1, 300), [(600, 800)], {"style_layers": "relu1_1", "content_layers": "relu1_2"}),
        ((1, 300), [(600, 800)], {"shape": "square"}),
        ((300, 400), [(2000, 16)], {"style_scale": 5.0}),
    ],
)
def test_scales_stop_where_something_would_be_too_small(content, styles, settings):
    found = scales(content, styles, **settings)
    for count in range(1, len(found) + 1):
        # They are those of fewer scales that were asked for, of which none is refused.
        asked = scales(content, styles, **settings, scales=count)
        assert [(s.height, s.width) for s in asked] == [(s.height, s.width) for s in found[-count:]]


def test_a_narrow_style_has_no_view_in_which_it_is_too_small():
    losses = losses_of(blank(768, 1024), [blank(600, 800)], SETTINGS)
    assert views_at(losses, replace(SETTINGS, views=0), 768, 1024) == 2
    losses = losses_of(blank(768, 1024), [blank(800, 80)], SETTINGS)
    assert views_at(losses, replace(SETTINGS, views=0), 768, 1024) == 1


@pytest.mark.parametrize(
    ("content", "style", "settings", "words"),
    [
        ((6, 64), (48, 64), {}, "result is 64x6 px, but relu5_1 .* a size from 187 up"),
        ((1, 64), (48, 64), {}, "Use a picture less narrow"),
        ((48, 64), (48, 64), {"scales": 4}, "4 scales begin at 8x6 px.*fewer scales"),
        ((48, 64), (48, 64), {"style_scale": 0.1},
         "64x48 px at style_scale 0.1 .*Use style_scale 0.34"),
        ((48, 64), (4, 512), {}, "A style picture of 512x4 px .* less narrow"),
        ((48, 64), (48, 64), {"views": 3, "scales": 1}, "in view 2 .*fewer views than 2"),
        ((48, 64), (48, 64), {"max_evaluations": 1, "scales": 2, "style_layers": "low",
          "content_layers": "low"}, "max_evaluations is 1, but 2 scales"),
        ((48, 64), (48, 64), {"content_weight": 0.0, "style_weight": 0.0}, "weight above 0"),
    ],
)  # fmt: skip
def test_what_is_refused_names_the_setting_that_did_it(content, style, settings, words, vgg):
    settings = replace(SETTINGS, **settings)
    losses = losses_of(picture(*content), [picture(*style)], settings)
    assert re.search(words, str(refused(losses, settings, vgg)))


def test_a_size_or_a_style_scale_that_is_named_is_enough():
    with pytest.raises(ImageTooSmall, match="from 357 up"):
        scales((24, 512), [(60, 80)], size=256)
    assert scales((24, 512), [(60, 80)], size=357)
    with pytest.raises(ImageTooSmall, match=r"style_scale 3\.91,"):
        scales((300, 400), [(2000, 16)])
    assert scales((300, 400), [(2000, 16)], style_scale=3.91)


def test_a_narrow_texture_is_told_of_its_aspect(vgg):
    settings = replace(SETTINGS, aspect=16.0, init="noise", content_weight=0.0)
    losses = losses_of_regions(None, [Region(styles=(picture(48, 64),))], settings)
    assert "an aspect nearer 1" in str(refused(losses, settings, vgg))


def test_a_last_scale_without_memory_is_refused_before_the_first_is_computed(vgg):
    settings = replace(SETTINGS, size=768, scales=2)
    losses = losses_of(picture(192, 768), [picture(60, 80)], settings)
    small = Runtime(torch.device("cpu"), memory=250 * 10**6)
    assert place_of(losses, Scale(96, 384, 1), settings, small).tile == 0
    assert isinstance(refused(losses, settings, vgg, runtime=small), OutOfMemory)


def test_a_start_or_colors_of_no_picture_are_refused_by_the_plan_too(vgg):
    textures = losses_of_regions(None, [Region(styles=(picture(48, 64),))], SETTINGS)
    assert isinstance(refused(textures, SETTINGS, vgg), SettingsError)
    colored = replace(SETTINGS, colors="pca", init="noise")
    assert isinstance(refused(textures, colored, vgg), SettingsError)


def test_masks_that_leave_nothing_are_refused(vgg):
    mask = torch.zeros(40, 64)
    mask[39] = 1  # relu4_1 has no position there: 8 rows make one, and 36 are cut to 32
    settings = replace(SETTINGS, size=58, scales=1, init="noise")
    style = StyleLoss(images=(picture(48, 64),), layers="relu4_1", mask=mask)
    error = refused([style], settings, vgg, start=picture(36, 58))
    assert "masks leave no loss a place" in str(error)


def test_a_style_mask_that_pooling_drops_leaves_that_layer_out(vgg, caplog):
    mask = torch.zeros(35, 48)
    mask[34] = 1
    settings = replace(SETTINGS, size=48, scales=1, style_layers="relu1_1,relu2_1")
    region = Region(styles=(picture(35, 48, seed=1),), style_masks=(mask,))
    losses = losses_of_regions(picture(48, 48), [region], settings)
    with caplog.at_level(logging.WARNING):
        result = stylize(losses, vgg=vgg, settings=settings, runtime=CPU)
    assert result.image.isfinite().all()
    assert {"style relu1_1"} == {part for part in result.records[0].parts if "style" in part}
    assert "empty at relu2_1; the picture is left out there" in caplog.text


def test_of_two_styles_the_other_has_the_layer_alone_that_a_mask_leaves_out(vgg):
    mask = torch.zeros(35, 48)
    mask[34] = 1
    settings = replace(SETTINGS, size=48, scales=1, style_layers="relu2_1")
    one, other = picture(35, 48, seed=1), picture(35, 48, seed=2)
    both = Region(styles=(one, other), style_masks=(mask, None))
    images = [
        stylize(
            losses_of_regions(picture(48, 48), [region], settings),
            vgg=vgg,
            settings=settings,
            runtime=CPU,
        ).image
        for region in (both, Region(styles=(other,)))
    ]
    assert torch.equal(*images)


@pytest.mark.parametrize("size", [(9, 16), (18, 32), (72, 128), (31, 45)])
def test_kept_pixels_stay_whatever_the_size_of_their_mask(size, vgg):
    content = picture(36, 64)
    mask = torch.zeros(size)
    mask[:, : size[1] // 2] = 1
    covered = 64 * (size[1] // 2) // size[1]
    settings = replace(
        SETTINGS, steps=3, scales=1, style_layers="low", content_layers="low", style_weight=1e4
    )
    losses = [*losses_of(content, [picture(48, 64, seed=3)], settings)]
    losses.append(Keep(image=content, mask=mask))
    image = stylize(losses, vgg=vgg, settings=settings, runtime=CPU).image
    assert torch.equal(image[..., :covered], content[..., :covered])
    assert not torch.equal(image[..., covered:], content[..., covered:])


def test_regions_of_maps_of_other_sizes_keep_what_neither_covers():
    small, large = torch.zeros(6, 8), torch.zeros(48, 64)
    small[:, :2] = 1
    large[:, 48:] = 1
    regions = [Region(styles=(picture(8, 8),), mask=mask) for mask in (small, large)]
    losses = losses_of_regions(picture(48, 64), regions, replace(SETTINGS, feather=0.0))
    (keep,) = (loss for loss in losses if isinstance(loss, Keep))
    assert torch.equal(keep.mask[0], (torch.arange(64) // 16 % 3 > 0).float())


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_there_are_no_more_evaluations_than_are_asked_for(most, vgg):
    settings = replace(
        SETTINGS, size=128, steps=50, max_evaluations=most, style_layers="low", content_layers="low"
    )
    losses = losses_of(picture(96, 128), [picture(96, 128, seed=1)], settings)
    rounded = Runtime(torch.device("cpu"), torch.bfloat16, finish=True)
    result = stylize(losses, vgg=vgg, settings=settings, runtime=rounded)
    assert len(result.records) == most
    assert sum(evaluations_of(result.scales, most)) == most


@pytest.mark.parametrize("height", [1, 2, 5])
def test_a_picture_of_a_few_rows_is_painted_with_the_first_layers(height, vgg):
    settings = replace(
        SETTINGS,
        steps=3,
        style_layers="relu1_1",
        content_layers="relu1_2",
        laplacian_weight=1.0,
        tv_weight=1.0,
    )
    losses = losses_of(picture(height, 64), [picture(48, 64, seed=1)], settings)
    for tile in (0, 16):
        result = stylize(losses, vgg=vgg, settings=replace(settings, tile=tile), runtime=CPU)
        assert result.image.shape == (1, 3, height, 64)
        assert result.image.isfinite().all()
