import gc
from dataclasses import replace

import pytest
import torch
from small import picture, seeded_vgg
from torch.testing import assert_close

from nst_core import (
    ContentLoss,
    RunSettings,
    Runtime,
    Settings,
    StyleLoss,
    TotalVariationLoss,
    load_vgg16,
    losses_of,
    preset_named,
    sample,
    stylize,
)
from nst_core.control.pyramid import Scale
from nst_core.errors import ImageError, ImageTooSmall, NotFinite, SettingsError
from nst_core.gatys.vgg import VGG16
from nst_core.run.staging import NOISE, first_picture, resized

CPU = Runtime(torch.device("cpu"))
CONTENT, STYLE = picture(40, 56, seed=1), picture(50, 40, seed=2)
SETTINGS = Settings(size=48, steps=12, scales=1, style_layers="relu1_1,relu2_1,relu3_1")


def run(vgg, settings=SETTINGS, content=CONTENT, styles=(STYLE,), **kwargs):
    losses = losses_of(content, styles, settings)
    return stylize(losses, vgg=vgg, settings=settings, runtime=CPU, **kwargs)


def decibels_rebuilt(vgg, original, preconditioner):
    """How near content alone comes to a picture it was taken from, from gray."""
    settings = RunSettings(
        size=96, init="gray", steps=40, scales=1, tolerance=0, preconditioner=preconditioner
    )
    loss = ContentLoss(image=original, layers="relu4_2", weight=1.0)
    image = stylize([loss], vgg=vgg, settings=settings, runtime=CPU).image
    return float(-10 * (image - original).square().mean().log10())


def test_what_content_does_not_determine_is_filled_in_as_pictures_are():
    vgg, original = load_vgg16("builtin"), sample("portrait", 96)
    assert decibels_rebuilt(vgg, original, "spectral") > 1 + decibels_rebuilt(vgg, original, "none")


def test_the_result_is_a_picture_of_the_contents_proportions_and_the_asked_size(vgg):
    image = run(vgg).image
    assert image.shape == (1, 3, 34, 48)
    assert image.dtype == torch.float32
    assert 0 <= float(image.min()) <= float(image.max()) <= 1


def test_the_loss_falls_and_the_records_tell_how(vgg):
    result = run(vgg)
    first, last = result.records[0], result.records[-1]
    assert last.loss < 0.5 * first.loss
    assert [record.evaluation for record in result.records] == list(
        range(1, len(result.records) + 1)
    )
    assert sum(last.parts.values()) == pytest.approx(last.loss)
    assert result.stops == ("all steps are done",)


def test_the_same_seed_and_settings_give_the_same_bytes_and_another_seed_does_not(vgg):
    settings = replace(SETTINGS, init="noise", seed=3)
    one, two = run(vgg, settings), run(vgg, settings)
    assert torch.equal(one.image, two.image)
    assert not torch.equal(run(vgg, replace(settings, seed=4)).image, one.image)


def test_scaling_all_weights_by_1000_changes_no_pixel(vgg):
    settings = replace(SETTINGS, content_weight=0.3, style_weight=7.0, tv_weight=0.1)
    scaled = replace(settings, content_weight=300.0, style_weight=7000.0, tv_weight=100.0)
    one, thousand = run(vgg, settings), run(vgg, scaled)
    assert torch.equal(one.image, thousand.image)
    assert thousand.records[-1].loss == pytest.approx(1000 * one.records[-1].loss)


def test_style_and_content_alike_give_back_the_content(vgg):
    settings = replace(SETTINGS, size=56)
    result = run(vgg, settings, styles=(CONTENT,))
    assert torch.equal(result.image, CONTENT)
    assert result.stops == ("the loss is zero",)


def test_tiles_give_the_same_picture(vgg):
    settings = replace(SETTINGS, size=56, steps=5)
    whole = run(vgg, settings).image
    tiled = run(vgg, replace(settings, tile=16)).image
    assert_close(tiled, whole, atol=1e-3, rtol=0)


def test_scales_go_from_coarse_to_fine_and_share_the_steps(vgg):
    result = run(vgg, replace(SETTINGS, size=80, scales=3, steps=40))
    assert [(s.height, s.width) for s in result.scales] == [(14, 20), (28, 40), (57, 80)]
    assert [s.steps for s in result.scales] == [1, 6, 33]  # by their longer sides ** 2.5
    assert result.image.shape[-2:] == (57, 80)


@pytest.mark.parametrize(
    ("content", "style", "style_scale"),
    [
        ((30, 160), (64, 64), 1.0),
        ((160, 30), (64, 64), 1.0),
        ((96, 160), (30, 160), 1.0),
        ((96, 160), (160, 160), 0.19),
    ],
    ids=["wide", "tall", "narrow style", "small style"],
)
def test_no_scale_is_added_that_is_too_small_for_the_deepest_layer(
    content, style, style_scale, vgg
):
    # At half of this size something has 15 pixels; relu5_1 needs 16.
    settings = Settings(size=160, steps=1, style_scale=style_scale)
    assert "relu5_1" in losses_of(None, [STYLE], settings)[0].layer_weights
    result = run(vgg, settings, picture(*content), (picture(*style, seed=1),))
    assert [(scale.height, scale.width) for scale in result.scales] == [content]
    with pytest.raises(ImageTooSmall, match="relu5_1"):
        run(vgg, replace(settings, scales=2), picture(*content), (picture(*style, seed=1),))


def test_scales_are_added_down_to_64_pixels_where_all_pictures_are_large_enough(vgg):
    settings = Settings(size=128, steps=4)  # the coarser one has a step
    result = run(vgg, settings, picture(96, 128), (picture(128, 128, seed=1),))
    assert [(scale.height, scale.width) for scale in result.scales] == [(48, 64), (96, 128)]


def test_a_budget_of_evaluations_holds_over_all_scales(vgg):
    settings = replace(SETTINGS, size=80, scales=2, steps=100, max_evaluations=9)
    assert len(run(vgg, settings).records) == 9


def test_no_steps_give_back_the_start(vgg):
    start = picture(34, 48, seed=9)
    assert torch.equal(run(vgg, replace(SETTINGS, steps=0), start=start).image, start)


def noise_of(seed):
    settings = RunSettings(init="noise", seed=seed)
    return first_picture([], Scale(8, 8, 1), settings, torch.device("cpu"))


def test_a_seed_of_32_bits_is_the_seed_of_pytorchs_generator():
    for seed in (0, 7, 2**32 - 1):
        drawn = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
        assert torch.equal(noise_of(seed), (0.5 + NOISE * drawn).clamp(0, 1))


def test_all_of_a_seed_of_64_bits_counts_as_far_as_a_browser_keeps_it():
    assert not torch.equal(noise_of(2**32 + 7), noise_of(7))
    assert not torch.equal(noise_of(2**63), noise_of(0))
    # A browser writes 2^63 + 1 with 16 digits and zeros.
    assert torch.equal(noise_of(9223372036854775809), noise_of(9223372036854776000))
    assert noise_of(2**64 - 1).isfinite().all()


@pytest.mark.parametrize("init", ["content", "gray", "noise", "style"])
def test_every_start_is_what_it_says(vgg, init):
    seen = []
    settings = replace(SETTINGS, init=init, steps=0, size=56)
    run(vgg, settings, on_progress=lambda progress: seen.append(progress.preview()))
    expected = {
        "content": CONTENT,
        "gray": torch.full_like(CONTENT, 0.5),
        "style": torch.nn.functional.interpolate(
            STYLE, (40, 56), mode="bicubic", antialias=True
        ).clamp(0, 1),
    }
    if init == "noise":
        assert seen[0].mean() == pytest.approx(0.5, abs=0.01)
        assert seen[0].std() == pytest.approx(0.15, abs=0.01)
    else:
        assert_close(seen[0], expected[init])


def test_square_makes_everything_square(vgg):
    settings = replace(SETTINGS, shape="square", size=32, steps=1)
    assert run(vgg, settings).image.shape == (1, 3, 32, 32)


def test_style_scale_sizes_the_style_and_not_the_result(vgg):
    small = run(vgg, replace(SETTINGS, style_scale=0.5, steps=2))
    assert small.image.shape == (1, 3, 34, 48)
    losses = [replace(loss, scale=2.0) for loss in losses_of(CONTENT, (STYLE,), SETTINGS)[1:2]]
    (twice,) = (resized(loss, Scale(34, 48, 1), "keep") for loss in losses)
    assert twice.images[0].shape == (1, 3, 96, 77)
    assert not torch.equal(small.image, run(vgg, replace(SETTINGS, steps=2)).image)


def test_the_seed_preset_is_the_seed_project(vgg):
    settings = preset_named("gatys-vgg16").settings
    assert (settings.content_weight, settings.style_weight) == (1, 1 / 1e-3)
    assert (settings.size, settings.shape, settings.init) == (224, "square", "gray")
    losses = losses_of(CONTENT, (STYLE,), settings)
    assert list(losses[1].layer_weights) == ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    assert {loss.normalization for loss in losses[:2]} == {"gatys"}


def test_progress_reaches_one_and_previews_outlive_their_callback(vgg):
    progress = []
    result = run(vgg, replace(SETTINGS, scales=2), on_progress=progress.append)
    fractions = [p.fraction for p in progress]
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < fractions[-1] == 1
    assert [p.stage for p in (progress[0], progress[-1])] == ["scale 1/2", "scale 2/2"]
    assert torch.equal(progress[-1].preview(), result.image)
    assert progress[0].preview().shape == (1, 3, 17, 24)
    assert progress[-1].seconds_left == 0


def test_raising_in_the_callback_cancels_with_that_exception(vgg):
    class Cancel(Exception):
        pass

    def cancel(progress):
        if progress.latest.evaluation == 3:
            raise Cancel

    with pytest.raises(Cancel):
        run(vgg, on_progress=cancel)


def test_it_works_in_a_hosts_inference_mode_and_gives_the_same_picture(vgg):
    expected = run(vgg).image
    with torch.inference_mode():
        network = seeded_vgg().to(torch.float64).to(torch.float32)  # moved by the host
        content, style = CONTENT.clone(), STYLE.clone()
        result = run(network, content=content, styles=(style,))
    assert torch.equal(result.image, expected)
    assert not result.image.is_inference()


def test_the_callers_network_and_pictures_stay_as_they_are():
    network, content = seeded_vgg(), CONTENT.clone()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    losses = losses_of(content, (STYLE,), SETTINGS)
    runtime = Runtime(torch.device("cpu"), torch.bfloat16)
    stylize(losses, vgg=network, settings=SETTINGS, runtime=runtime)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(content, CONTENT)


def test_bfloat16_comes_close_to_float32(vgg):
    losses = losses_of(CONTENT, (STYLE,), SETTINGS)
    half = stylize(
        losses, vgg=vgg, settings=SETTINGS, runtime=Runtime(torch.device("cpu"), torch.bfloat16)
    )
    assert half.image.dtype == torch.float32
    assert_close(half.records[-1].loss, run(vgg).records[-1].loss, rtol=0.1, atol=0)


def test_a_run_in_bfloat16_can_end_in_float32(vgg):
    runtime = Runtime(torch.device("cpu"), torch.bfloat16, finish=True)
    losses = losses_of(CONTENT, (STYLE,), SETTINGS)
    finished = stylize(losses, vgg=vgg, settings=SETTINGS, runtime=runtime)
    assert finished.records[-1].step == SETTINGS.steps
    # Its last loss is the one that float32 has there.
    settings = replace(SETTINGS, steps=0)
    again = run(vgg, settings, start=finished.image)
    assert_close(finished.records[-1].loss, again.records[0].loss, rtol=1e-5, atol=0)


def test_texture_alone_and_content_alone_are_jobs_too(vgg):
    settings = RunSettings(size=40, steps=8, scales=1, init="noise")
    texture = stylize(
        [StyleLoss(images=(STYLE,), layers="low")], vgg=vgg, settings=settings, runtime=CPU
    )
    assert texture.image.shape == (1, 3, 40, 32)
    assert texture.records[-1].loss < 0.5 * texture.records[0].loss
    rebuilt = stylize(
        [ContentLoss(image=CONTENT, layers="low")], vgg=vgg, settings=settings, runtime=CPU
    )
    assert rebuilt.records[-1].loss < 0.5 * rebuilt.records[0].loss


def test_a_picture_that_is_not_finite_is_refused(vgg):
    with pytest.raises(NotFinite, match="not numbers"):
        run(vgg, content=CONTENT * float("nan"))


def test_a_tensor_that_is_no_picture_is_refused(vgg):
    with pytest.raises(ImageError, match=r"\(1, 3, height, width\)"):
        run(vgg, content=CONTENT[0])


def test_a_start_without_its_picture_is_refused(vgg):
    with pytest.raises(SettingsError, match="no content picture to start from"):
        stylize([StyleLoss(images=(STYLE,))], vgg=vgg, settings=SETTINGS, runtime=CPU)
    with pytest.raises(SettingsError, match="There is no picture"):
        stylize([TotalVariationLoss(weight=1.0)], vgg=vgg, settings=SETTINGS, runtime=CPU)


def test_a_kept_preview_keeps_no_network_alive(vgg):
    def networks():
        gc.collect()
        return sum(type(one) is VGG16 for one in gc.get_objects())

    before, kept = networks(), []
    run(vgg, on_progress=kept.append)
    assert networks() == before
    assert kept[0].preview().shape == (1, 3, 34, 48)
