"""Transparency: kept apart, painted under the mask alone, and given back as it came."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from small import picture
from torch.testing import assert_close

from nst_core import (
    Region,
    Settings,
    load_image,
    load_with_alpha,
    losses_of,
    losses_of_regions,
    save_image,
    stylize,
)
from nst_core.control.alpha import alpha_of, both, where_opaque
from nst_core.control.losses import ContentLoss, Keep, StyleLoss
from nst_core.errors import ImageError
from nst_core.files.read_image import read_metadata

LIMIT = 10**6
SIDE = 48
CONTENT, STYLE = picture(SIDE, SIDE, seed=1), picture(40, SIDE, seed=2)
SETTINGS = Settings(
    size=SIDE,
    steps=4,
    scales=1,
    content_layers="relu2_1",
    style_layers="relu1_1,relu2_1",
    device="cpu",
    precision="float32",
)


def disk(side=SIDE, radius=0.7):
    """(side, side) alpha of a disk with a soft edge of some pixels."""
    at = torch.linspace(-1, 1, side)
    apart = (at[:, None] ** 2 + at**2).sqrt()
    return ((radius - apart) * side / 6 + 0.5).clamp(0, 1)


def saved(path, colors, alpha):
    """The path of an RGBA file; colors are (1, 3, H, W), of transparent pixels too."""
    rgba = torch.cat([colors[0], alpha[None]]).mul(255).round().byte()
    Image.fromarray(rgba.permute(1, 2, 0).numpy()).save(path)
    return path


@pytest.fixture
def cutout(tmp_path):
    """A disk cut out of the content, with bright green in all that is transparent."""
    green = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1)
    return saved(tmp_path / "cut.png", torch.where(disk() > 0, CONTENT, green), disk())


def run(content, alpha, vgg, settings=SETTINGS, styles=(STYLE,)):
    losses = losses_of(content, styles, settings, alpha=alpha)
    return stylize(losses, vgg=vgg, settings=settings).image


# --- reading ----------------------------------------------------------------------------------


def test_alpha_and_opaque_colors_come_as_they_are(cutout):
    colors, alpha = load_with_alpha(cutout, max_pixels=LIMIT)
    assert colors.shape == (1, 3, SIDE, SIDE)
    assert_close(alpha, disk(), atol=0.51 / 255, rtol=0)
    sure = (alpha > 0.1).expand_as(colors)
    assert_close(colors[sure], CONTENT[sure], atol=0.51 / 255, rtol=0)


def test_what_was_behind_a_cutout_is_nowhere_in_it(tmp_path, cutout):
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    other = saved(tmp_path / "other.png", torch.where(disk() > 0, CONTENT, red), disk())
    one, two = (load_with_alpha(path, max_pixels=LIMIT)[0] for path in (cutout, other))
    assert torch.equal(one, two)


def test_beneath_what_is_transparent_is_the_color_of_the_edge_beside_it(tmp_path):
    halves = torch.zeros(1, 3, 16, 32)
    halves[:, 0, :, :16], halves[:, 2, :, 16:] = 1, 1  # red, then blue
    alpha = torch.zeros(16, 32)
    alpha[:, 12:20] = 1
    path = saved(tmp_path / "a.png", halves, alpha)
    colors, _ = load_with_alpha(path, max_pixels=LIMIT)
    assert_close(colors[0, :, :, 8:12], halves[0, :, :, 8:12])
    assert colors[0, 0, :, 0].min() > 0.6
    assert colors[0, 2, :, -1].min() > 0.6


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3), (33, 17), (64, 64)])
def test_a_single_opaque_pixel_colors_a_picture_of_any_size(tmp_path, size):
    alpha = torch.zeros(size)
    alpha[-1, -1] = 1
    colors = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    path = saved(tmp_path / "a.png", colors, torch.ones(size) if size == (1, 1) else alpha)
    read, _ = load_with_alpha(path, max_pixels=LIMIT)
    assert_close(read, read[..., -1:, -1:].expand_as(read))


@pytest.mark.parametrize("kind", ["gray", "palette", "color key"])
def test_every_kind_of_transparency_is_kept(tmp_path, kind):
    path = tmp_path / "a.png"
    levels = np.full((6, 8), 200, np.uint8)
    levels[:, :4] = 10
    if kind == "gray":
        Image.fromarray(np.dstack([levels, 255 * (levels > 99)]).astype(np.uint8)).save(path)
    elif kind == "palette":
        indices = Image.fromarray((levels > 99).astype(np.uint8), "P")
        indices.putpalette([10, 10, 10, 200, 200, 200])
        indices.save(path, transparency=0)
    else:
        Image.fromarray(np.dstack([levels] * 3)).save(path, transparency=(10, 10, 10))
    colors, alpha = load_with_alpha(path, max_pixels=LIMIT)
    assert torch.equal(alpha, torch.from_numpy(levels > 99).float())
    assert_close(colors, torch.full_like(colors, 200 / 255))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P"])
def test_an_opaque_picture_is_what_it_is_without_alpha(tmp_path, mode):
    path = tmp_path / "a.png"
    Image.fromarray((CONTENT[0] * 255).byte().permute(1, 2, 0).numpy()).convert(mode).save(path)
    colors, alpha = load_with_alpha(path, max_pixels=LIMIT)
    assert alpha is None
    assert torch.equal(colors, load_image(path, max_pixels=LIMIT))


def test_a_picture_that_is_transparent_everywhere_is_refused(tmp_path):
    path = saved(tmp_path / "a.png", CONTENT, torch.zeros(SIDE, SIDE))
    with pytest.raises(ImageError, match=r"a\.png' is transparent everywhere"):
        load_with_alpha(path, max_pixels=LIMIT)


# --- the losses -------------------------------------------------------------------------------


def test_an_opaque_alpha_is_no_alpha(vgg):
    assert_close(
        run(CONTENT, torch.ones(SIDE, SIDE), vgg), run(CONTENT, None, vgg), atol=1e-3, rtol=0
    )


def test_losses_without_alpha_are_left_as_they_are():
    losses = losses_of(CONTENT, [STYLE], SETTINGS)
    assert all(one is other for one, other in zip(losses, where_opaque(losses), strict=True))


def test_features_count_by_the_opaque_area_within_their_masks():
    alpha, mask = torch.zeros(SIDE, SIDE), torch.zeros(24, 24)
    alpha[:, :24], mask[:12] = 1, 1  # the left half, and the upper half
    whole = ContentLoss(image=CONTENT, weight=8.0, alpha=alpha)
    half = StyleLoss(images=(STYLE,), weight=4.0, mask=mask)
    content, style = where_opaque([whole, half])
    assert (content.weight, style.weight) == (pytest.approx(4.0), pytest.approx(2.0))
    assert torch.equal(content.mask, alpha)
    assert style.mask[:20, :20].min() == 1
    assert style.mask[28:].max() == style.mask[:, 24:].max() == 0


def test_a_mask_and_an_alpha_meet_at_the_size_of_the_alpha():
    assert both(None, None) is None
    assert torch.equal(both(torch.ones(3, 5), disk()), disk())
    assert torch.equal(both(disk(), None), disk())


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"tile": 16},
        {"scales": 2, "steps": 8},
        {"seamless": True},
        {"shape": "square"},
        {"views": 2, "size": 64},
    ],
    ids=str,
)
def test_what_is_transparent_is_not_painted(cutout, vgg, beside):
    settings = replace(SETTINGS, init="content", **beside)
    colors, alpha = load_with_alpha(cutout, max_pixels=LIMIT)
    image = run(colors, alpha, vgg, settings)
    subject = torch.nn.functional.interpolate(alpha[None, None], image.shape[-2:]) > 0.9
    change = (image - torch.nn.functional.interpolate(colors, image.shape[-2:])).abs().mean(1)
    assert change[subject[:, 0]].mean() > 4 * change[..., :2, :2].mean()


def test_style_only_counts_where_it_is_opaque(vgg):
    """As if the transparent half had another picture in it."""
    alpha = torch.zeros(40, SIDE)
    alpha[:, :24] = 1
    other = STYLE.clone()
    other[..., 40:] = 1  # as far from the opaque half as these layers look
    pictures = []
    for style in (STYLE, other):
        region = Region(styles=(style,), style_masks=(alpha,))
        losses = losses_of_regions(CONTENT, [region], SETTINGS)
        pictures.append(stylize(losses, vgg=vgg, settings=SETTINGS).image)
    assert_close(*pictures, atol=1e-5, rtol=0)


def test_kept_pixels_of_a_cutout_are_the_content_s(cutout, vgg):
    colors, alpha = load_with_alpha(cutout, max_pixels=LIMIT)
    mask = torch.zeros(SIDE, SIDE)
    mask[:, :24] = 1
    settings = replace(SETTINGS, feather=0.0)
    losses = losses_of_regions(colors, [Region(styles=(STYLE,), mask=mask)], settings, alpha=alpha)
    image = stylize(losses, vgg=vgg, settings=settings).image
    assert any(isinstance(loss, Keep) for loss in losses)
    assert torch.equal(alpha_of(losses), alpha)
    assert torch.equal(image[..., 24:], colors[..., 24:])
    assert not torch.equal(image[..., :24], colors[..., :24])


def test_colors_are_those_of_what_shows(cutout, vgg):
    colors, alpha = load_with_alpha(cutout, max_pixels=LIMIT)
    image = run(colors, alpha, vgg, replace(SETTINGS, colors="cholesky"))
    there = alpha > 0
    assert_close(image[..., there].mean(-1), colors[..., there].mean(-1), atol=2e-3, rtol=0)


# --- writing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", [".png", ".webp", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_comes_back_as_it_was(tmp_path, extension, bits):
    if (extension, bits) == (".webp", 16):
        pytest.skip("WebP has 8 bits")
    alpha = disk().mul(255).round() / 255
    path = tmp_path / f"a{extension}"
    save_image(CONTENT, path, alpha=alpha, bits=bits)
    with Image.open(path) as found:
        assert found.mode == "RGBA"
        assert torch.equal(torch.from_numpy(np.array(found)[..., 3]), alpha.mul(255).byte())
    _, again = load_with_alpha(path, max_pixels=LIMIT)
    assert_close(again, alpha)


def test_alpha_is_stretched_over_the_result(tmp_path):
    half = torch.zeros(4 * SIDE, 2 * SIDE)
    half[:, SIDE:] = 1
    save_image(CONTENT, tmp_path / "a.png", alpha=half)
    _, alpha = load_with_alpha(tmp_path / "a.png", max_pixels=LIMIT)
    assert alpha.shape == (SIDE, SIDE)
    assert alpha[:, : SIDE // 2 - 2].max() == 0
    assert alpha[:, SIDE // 2 + 2 :].min() == 1


@pytest.mark.parametrize("extension", [".jpg", ".bmp"])
def test_formats_without_alpha_get_white_and_a_line_in_the_log(tmp_path, extension, caplog):
    save_image(torch.zeros(1, 3, 16, 16), tmp_path / f"a{extension}", alpha=torch.zeros(16, 16))
    assert load_image(tmp_path / f"a{extension}", max_pixels=LIMIT).min() > 0.99
    assert len(caplog.records) == 1
    assert "laid over white" in caplog.text


def test_texts_are_stored_beside_alpha_at_any_depth(tmp_path):
    texts = {"nst": json.dumps({"a": [0.1] * 10}), "other": "ünïcode ☃"}
    for bits in (8, 16):
        save_image(CONTENT, tmp_path / "a.png", metadata=texts, alpha=disk(), bits=bits)
        assert read_metadata(tmp_path / "a.png") == texts
