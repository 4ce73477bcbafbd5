import logging
from dataclasses import replace

import pytest
import torch
from small import picture
from torch.testing import assert_close

from nst_core import Runtime, Settings, StyleLoss, losses_of, match_colors, stylize
from nst_core.control.color import COLORS, keep_chroma, luma_of
from nst_core.errors import SettingsError
from nst_core.run.finishing import recolored

IMAGE = picture(30, 40, seed=1)
SOURCE = 0.1 + 0.8 * picture(26, 50, seed=2)[:, [2, 0, 1]]
COVARIANCE = ("cholesky", "pca", "symmetric")
MATCHES = [name for name in COLORS if name not in ("style", "luminance")]


def colors(image):
    return image[0].flatten(1).double()


def off(image, source):
    """How far mean and covariance of the colors are from each other."""
    mean = (colors(image).mean(1) - colors(source).mean(1)).abs().max()
    return max(float(mean), float((colors(image).cov() - colors(source).cov()).abs().max()))


@pytest.mark.parametrize("name", COVARIANCE)
def test_mean_and_covariance_become_the_sources_even_after_clipping(name):
    assert off(IMAGE, SOURCE) > 0.01
    matched = match_colors(IMAGE, SOURCE, name)
    assert 0 <= float(matched.min()) <= float(matched.max()) <= 1
    assert off(matched, SOURCE) < 1e-3
    vivid = (3 * IMAGE - 1).clamp(0, 1)  # much of it black or full
    assert off(match_colors(IMAGE, vivid, name), vivid) < 1e-3


def test_histograms_become_the_sources():
    matched = match_colors(IMAGE, SOURCE, "histogram")
    for ours, theirs in zip(colors(matched), colors(SOURCE), strict=True):
        points = torch.linspace(0, 1, 11, dtype=torch.float64)
        assert_close(ours.quantile(points), theirs.quantile(points), atol=5e-3, rtol=0)


def test_equal_pixels_stay_equal_when_histograms_are_matched():
    flat = IMAGE.clone()
    flat[..., :20] = 0.25
    matched = match_colors(flat, SOURCE, "histogram")
    assert (matched[..., :20] == matched[..., :1, :1]).all()


@pytest.mark.parametrize("name", MATCHES)
def test_a_picture_keeps_its_own_colors(name):
    assert_close(match_colors(IMAGE, IMAGE, name), IMAGE, atol=2e-3, rtol=0)


@pytest.mark.parametrize("name", COLORS)
def test_strength_goes_from_nothing_to_all(name):
    source = SOURCE if name != "luminance" else picture(30, 40, seed=2)
    assert torch.equal(match_colors(IMAGE, source, name, 0.0), IMAGE)
    all_ = match_colors(IMAGE, source, name)
    half = match_colors(IMAGE, source, name, 0.5)
    assert_close(half, (IMAGE + all_) / 2)


def test_chroma_is_the_sources_and_luma_the_pictures_own_where_it_fits():
    source = picture(30, 40, seed=2)
    kept = keep_chroma(IMAGE, source)
    assert 0 <= float(kept.min()) <= float(kept.max()) <= 1
    change = kept - source
    assert_close(change - change.mean(1, keepdim=True), torch.zeros_like(change))  # gray alone
    inside = (kept.amin(1, keepdim=True) > 0) & (kept.amax(1, keepdim=True) < 1)
    assert inside.float().mean() > 0.5
    assert_close(luma_of(kept)[inside], luma_of(IMAGE)[inside])


@pytest.mark.parametrize("name", COVARIANCE)
def test_gray_pictures_cannot_get_colors_and_say_so(name, caplog):
    gray = luma_of(IMAGE).expand_as(IMAGE)
    with caplog.at_level(logging.WARNING):
        matched = match_colors(gray, SOURCE, name)
    assert torch.isfinite(matched).all()
    assert "could not be matched" in caplog.text


SETTINGS = Settings(size=40, steps=3, scales=1, style_layers="low", content_layers="relu2_1")


def run(vgg, **kwargs):
    settings = replace(SETTINGS, **kwargs)
    losses = losses_of(IMAGE, [SOURCE], settings)
    runtime = Runtime(torch.device("cpu"))
    return stylize(losses, vgg=vgg, settings=settings, runtime=runtime).image


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_keeps_the_chroma_of_the_content(when, vgg):
    change = run(vgg, colors="luminance", color_when=when) - IMAGE
    assert change.abs().max() > 0.05
    assert (change - change.mean(1, keepdim=True)).abs().max() < 1 / 255


@pytest.mark.parametrize("source", ["content", "style"])
def test_a_run_ends_with_mean_and_covariance_of_the_chosen_source(source, vgg):
    image = run(vgg, colors="cholesky", color_source=source)
    assert off(image, IMAGE if source == "content" else SOURCE) < 1e-3


def test_previews_have_the_colors_of_the_result(vgg):
    previews = []
    settings = replace(SETTINGS, colors="histogram")
    losses = losses_of(IMAGE, [SOURCE], settings)
    result = stylize(
        losses,
        vgg=vgg,
        settings=settings,
        runtime=Runtime(torch.device("cpu")),
        on_progress=lambda progress: previews.append(progress.preview()),
    )
    assert torch.equal(previews[-1], result.image)


def test_colors_of_no_strength_are_off(vgg):
    assert torch.equal(run(vgg, colors="pca", color_strength=0.0), run(vgg))


def test_before_the_pictures_that_are_not_the_source_are_recolored():
    losses = losses_of(IMAGE, [SOURCE], SETTINGS)
    before = replace(SETTINGS, colors="cholesky", color_when="before")
    content, style = recolored(losses, before)[:2]
    assert torch.equal(content.image, IMAGE)
    assert off(style.images[0], IMAGE) < 1e-3
    content, style = recolored(losses, replace(before, color_source="style"))[:2]
    assert off(content.image, SOURCE) < 1e-3
    assert torch.equal(style.images[0], SOURCE)


@pytest.mark.parametrize("source", ["content", "style"])
def test_luminance_before_makes_the_style_gray_whatever_the_source(source):
    losses = losses_of(IMAGE, [SOURCE], SETTINGS)
    settings = replace(SETTINGS, colors="luminance", color_when="before", color_source=source)
    content, gray = recolored(losses, settings)[:2]
    assert torch.equal(content.image, IMAGE)
    assert torch.equal(gray.images[0][:, 0], gray.images[0][:, 2])
    assert luma_of(gray.images[0]).mean() == pytest.approx(float(luma_of(IMAGE).mean()), abs=1e-3)


def test_colors_without_their_source_are_refused(vgg):
    settings = replace(SETTINGS, colors="histogram", init="gray")
    with pytest.raises(SettingsError, match="no content picture whose colors"):
        stylize([StyleLoss(images=(SOURCE,))], vgg=vgg, settings=settings)
