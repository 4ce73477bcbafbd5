import logging
from dataclasses import replace

import pytest
import torch
from small import picture
from torch.testing import assert_close

from nst_core import (
    Keep,
    Region,
    Runtime,
    Settings,
    StyleLoss,
    losses_of,
    losses_of_regions,
    stylize,
)
from nst_core.control.regions import _spread, colors_in, feathered, masks_of_map
from nst_core.errors import SettingsError
from nst_core.files.samples import sample
from nst_core.gatys.functions import gram_sum

CONTENT = picture(48, 64, seed=1)
RED, BLUE = (
    picture(40, 40, seed=seed)[:, order] for seed, order in ((2, [0, 1, 2]), (3, [2, 1, 0]))
)
RED, BLUE = RED * torch.tensor([1, 0.3, 0.3]).view(1, 3, 1, 1), BLUE.flip(-1) ** 3
SETTINGS = Settings(
    size=64, steps=12, scales=1, style_layers="low", content_layers="relu2_1", feather=0.1
)
LEFT = torch.zeros(48, 64)
LEFT[:, :32] = 1


def run(vgg, losses, settings=SETTINGS):
    return stylize(losses, vgg=vgg, settings=settings, runtime=Runtime(torch.device("cpu"))).image


def test_a_region_without_style_keeps_its_content_while_the_rest_is_painted(vgg):
    for init in ("content", "noise"):
        settings = replace(SETTINGS, init=init)
        losses = losses_of_regions(CONTENT, [Region(styles=(RED,), mask=LEFT)], settings)
        change = (run(vgg, losses, settings) - CONTENT).abs()
        assert change[..., 40:].max() == 0
        assert change[..., :24].mean() > 10 / 255


def test_soft_edges_move_part_of_the_way(vgg):
    losses = losses_of_regions(CONTENT, [Region(styles=(RED,), mask=LEFT)], SETTINGS)
    (keep,) = (loss for loss in losses if isinstance(loss, Keep))
    change = (run(vgg, losses) - CONTENT).abs().amax((0, 1))
    assert (change <= 1 - keep.mask + 1e-6).all()
    assert 0 < float(keep.mask[:, 31].mean()) < 1


def test_kept_pixels_keep_their_colors_when_the_rest_is_recolored(vgg):
    settings = replace(SETTINGS, colors="histogram", color_source="style")
    losses = losses_of_regions(CONTENT, [Region(styles=(RED,), mask=LEFT)], settings)
    assert torch.equal(run(vgg, losses, settings)[..., 40:], CONTENT[..., 40:])


def gram(vgg, image):
    features = vgg(image, ["relu2_1"])["relu2_1"]
    return gram_sum(features) / features[0, 0].numel()


def test_two_regions_come_closer_each_to_its_own_style(vgg):
    regions = [Region(styles=(RED,), mask=LEFT), Region(styles=(BLUE,), mask=1 - LEFT)]
    losses = losses_of_regions(CONTENT, regions, SETTINGS)
    assert not [loss for loss in losses if isinstance(loss, Keep)]
    image = run(vgg, losses)
    for part, own, other in ((image[..., :28], RED, BLUE), (image[..., 36:], BLUE, RED)):
        distances = [(gram(vgg, part) - gram(vgg, style)).square().sum() for style in (own, other)]
        assert distances[0] < 0.5 * distances[1]


def test_a_full_region_is_the_whole_picture_and_an_empty_one_is_absent(vgg, caplog):
    plain = run(vgg, losses_of(CONTENT, [RED], SETTINGS))
    full = Region(styles=(RED,), mask=torch.ones(3, 4))
    assert torch.equal(run(vgg, losses_of_regions(CONTENT, [full], SETTINGS)), plain)
    empty = Region(styles=(BLUE,), mask=torch.zeros(48, 64))
    with caplog.at_level(logging.WARNING):
        image = run(vgg, losses_of_regions(CONTENT, [full, empty], SETTINGS))
    assert "Region 2 is empty" in caplog.text
    assert torch.equal(image, plain)


def test_the_style_of_a_region_counts_by_its_area():
    quarter = LEFT.clone()
    quarter[:24] = 0
    regions = [Region(styles=(RED,), mask=mask) for mask in (LEFT, quarter)]
    settings = replace(SETTINGS, feather=0.0, style_weight=8.0)
    losses = losses_of_regions(CONTENT, regions, settings)
    assert [loss.weight for loss in losses if isinstance(loss, StyleLoss)] == [4.0, 2.0]


def test_feathered_masks_still_add_up_and_only_their_edges_change():
    soft = feathered(LEFT, 0.2)
    assert_close(soft + feathered(1 - LEFT, 0.2), torch.ones_like(LEFT))
    assert torch.equal(feathered(LEFT, 0.0), LEFT)
    assert (soft[:, :24] == 1).all()
    assert (soft[:, 40:] == 0).all()
    assert (soft.diff(dim=1) <= 1e-6).all()
    assert 0.4 < float(soft[0, 31:33].mean()) < 0.6


def painted_map():
    """Red, blue and black thirds."""
    map_ = torch.zeros(1, 3, 20, 60)
    map_[:, 0, :, :20] = 1
    map_[:, 2, :, 20:40] = 1
    return map_


def test_a_map_is_read_by_color_name():
    red, blue = masks_of_map(painted_map(), ["red", "#0000ff"])
    assert torch.equal(red, (torch.arange(60) < 20).float().expand(20, 60))
    assert blue.sum() == red.sum() == 400


def test_smoothed_edges_and_jpeg_noise_make_no_third_region():
    large = painted_map().repeat_interleave(10, -1)  # (1, 3, 20, 600)
    map_ = torch.nn.functional.avg_pool2d(large, (1, 5), stride=1, padding=(0, 2))
    generator = torch.Generator().manual_seed(0)
    map_ = (map_ + 0.04 * torch.randn(map_.shape, generator=generator)).clamp(0, 1)
    red, blue = masks_of_map(map_, ["red", "blue"])
    assert torch.equal(red + blue, ((red + blue) > 0).float())
    assert ((red + blue)[:, :395] == 1).all()
    assert ((red + blue)[:, 405:] == 0).all()
    assert (red[:, :195] == 1).all()


def spread_slowly(labels):
    """Labels that grow into what has none, by a look at all of the map for each ring of pixels."""
    count = int(labels.max()) + 1
    masks = torch.nn.functional.one_hot(labels.clamp(min=-1) + 1, count + 1).movedim(-1, 0)[1:]
    masks = masks.float()
    while bool((free := masks.sum(0) == 0).any()):
        beside = torch.nn.functional.avg_pool2d(masks[None], 3, stride=1, padding=1)[0]
        chosen = torch.nn.functional.one_hot(beside.argmax(0), count).movedim(-1, 0)
        masks = masks + chosen * (free & (beside.amax(0) > 0))
    return masks.argmax(0)


@pytest.mark.parametrize("sown", [0.001, 0.02, 0.5])
def test_regions_grow_as_if_all_of_the_map_were_looked_at_for_each_ring(sown):
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(5, (61, 83), generator=generator)
    labels[torch.rand(61, 83, generator=generator) >= sown] = -1
    labels[3, 70] = 2
    assert _spread(labels).equal(spread_slowly(labels))


@pytest.mark.parametrize("name", ["harbor", "portrait", "landscape", "noise"])
def test_a_picture_with_shades_is_no_map_even_if_the_color_is_in_it(name):
    image = picture(96, 96, seed=1) if name == "noise" else sample(name, 128)
    image[..., :12, :12] = torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)
    with pytest.raises(SettingsError, match=r"'a\.jpg' has shades all over.*few flat colors"):
        masks_of_map(image, ["red"], name="'a.jpg'")


@pytest.mark.parametrize(
    ("colors", "words"),
    [
        (["red", "green"], r"no green. Its colors are .*#ff0000 \(33%\)"),
        (["red", "#f00"], "twice"),
        (["rouge"], "'rouge' is no color"),
    ],
)
def test_colors_that_the_map_does_not_have_are_refused(colors, words):
    with pytest.raises(SettingsError, match=words):
        masks_of_map(painted_map(), colors)


def test_a_map_has_the_colors_that_are_in_it():
    map_ = torch.ones(1, 3, 8, 8)
    map_[0, :, :2, 0] = torch.tensor([0.95, 0.05, 0.0]).view(3, 1)
    assert colors_in(map_, ["blue", "red", "white", "black"]) == ["red", "white"]
