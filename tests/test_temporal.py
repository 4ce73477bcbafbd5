"""The temporal loss: its gradient, its limits, and its part in a search."""

import pytest
import torch
from small import objective_of, picture, seeded_vgg

from nst_core import ContentLoss, RunSettings, Runtime, StyleLoss, stylize
from nst_core.control.temporal import TemporalLoss
from nst_core.errors import SettingsError
from nst_core.files.weights import load_vgg16

EXACT = torch.float64


def test_its_gradient_is_the_numerical_one():
    image, target = picture(20, 24, 1, EXACT), picture(20, 24, 2, EXACT)
    mask = torch.rand(20, 24, generator=torch.Generator().manual_seed(3), dtype=EXACT)
    loss = TemporalLoss(image=target, mask=mask, weight=3.0)
    scored = objective_of([loss], vgg=seeded_vgg(EXACT), height=20, width=24)
    found = scored.evaluate(image)
    assert found.loss * scored.unit == pytest.approx(
        float(3 * (mask * (image - target) ** 2).mean()), rel=1e-12
    )
    step = torch.zeros_like(image)
    step[0, 1, 7, 5] = 1e-5
    slope = (scored.evaluate(image + step).loss - scored.evaluate(image - step).loss) / 2e-5
    assert float(found.gradient[0, 1, 7, 5]) == pytest.approx(slope, rel=1e-6)


def test_masked_out_pixels_do_not_count():
    image, target = picture(16, 16, 1), picture(16, 16, 2)
    mask = torch.ones(16, 16)
    mask[:8] = 0
    loss = TemporalLoss(image=target, mask=mask, weight=1.0)
    gradient = objective_of([loss], vgg=seeded_vgg(), height=16, width=16).evaluate(image).gradient
    assert not gradient[..., :8, :].any()
    assert gradient[..., 8:, :].any()


def found(losses, **kwargs):
    settings = RunSettings(size=32, steps=6, scales=1, precision="float32")
    return stylize(
        losses, vgg=VGG, settings=settings, runtime=Runtime(torch.device("cpu")), **kwargs
    ).image


VGG = load_vgg16("untrained")
USUAL = (ContentLoss(image=picture(32, 32, 1)), StyleLoss(images=(picture(32, 32, 2),), weight=50))
EARLIER = picture(32, 32, 3)


def test_a_weight_of_zero_changes_no_bit():
    absent = TemporalLoss(image=EARLIER, mask=torch.ones(32, 32), weight=0.0)
    assert torch.equal(found(USUAL), found([*USUAL, absent]))


def test_a_large_weight_holds_the_picture_where_the_mask_counts():
    mask = torch.zeros(32, 32)
    mask[:, 16:] = 1
    held = TemporalLoss(image=EARLIER, mask=mask, weight=1e6)
    image = found([*USUAL, held], start=EARLIER)
    change = (image - EARLIER).abs().mean((0, 1))
    assert float(change[:, 16:].mean()) < 1e-3 < float(change[:, :16].mean())


def test_a_negative_weight_is_refused():
    with pytest.raises(SettingsError, match="temporal weight"):
        TemporalLoss(image=EARLIER, mask=torch.ones(32, 32), weight=-1.0)
