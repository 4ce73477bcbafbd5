import logging
import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import objective_of, picture
from torch.testing import assert_close

from nst_core.control.losses import ContentLoss, LaplacianLoss, StyleLoss, TotalVariationLoss
from nst_core.control.targets import TargetMaker
from nst_core.errors import ImageTooSmall, SettingsError
from nst_core.gatys.functions import Sums, squared_error_sum
from nst_core.gatys.objective import Objective
from nst_core.kernels.network import fast_network
from nst_core.settings.layers import LAYER_NAMES

HEIGHT, WIDTH = 85, 107  # neither is a multiple of anything
DOUBLE = torch.float64
SOFT_MASK = torch.linspace(0, 1, HEIGHT * WIDTH, dtype=DOUBLE).view(HEIGHT, WIDTH)
CONTENT = picture(HEIGHT, WIDTH, seed=1, dtype=DOUBLE)
STYLE = picture(70, 93, seed=2, dtype=DOUBLE)
IMAGE = picture(HEIGHT, WIDTH, seed=3, dtype=DOUBLE)


def content(**kwargs):
    return ContentLoss(**{"image": CONTENT, "weight": 1.0, "layers": "relu3_2,relu4_2"} | kwargs)


def style(**kwargs):
    return StyleLoss(**{"images": (STYLE,), "weight": 10.0} | kwargs)


LOSSES = {
    "content": [content()],
    "style": [style()],
    "total variation": [TotalVariationLoss(weight=1.0)],
    "laplacian": [LaplacianLoss(image=CONTENT, weight=1.0)],
    "masked": [content(mask=SOFT_MASK), style(mask=1 - SOFT_MASK)],
    "gatys": [content(normalization="gatys"), style(normalization="gatys", weight=1e3)],
    "mean": [content(normalization="mean"), style(normalization="mean")],
    "all": [content(), style(), TotalVariationLoss(weight=5.0)],
}


def agree(losses, vgg, image=IMAGE, *, tile, wrap=False):
    """The picture in tiles has the loss and the gradient of the whole, to rounding."""
    kwargs = {"height": image.shape[-2], "width": image.shape[-1], "wrap": wrap}
    whole = objective(losses, vgg, **kwargs).evaluate(image)
    tiled = objective(losses, vgg, tile=tile, **kwargs).evaluate(image)
    assert_close(tiled.loss, whole.loss, rtol=1e-10, atol=0)
    assert (tiled.gradient - whole.gradient).abs().max() <= 1e-10 * whole.gradient.abs().max()


def objective(losses, vgg, height=HEIGHT, width=WIDTH, **kwargs):
    return objective_of(losses, vgg=vgg, height=height, width=width, **kwargs)


@pytest.mark.parametrize("losses", LOSSES.values(), ids=LOSSES)
def test_the_gradient_is_the_derivative_of_the_loss(losses, vgg64):
    evaluate = objective(losses, vgg64).evaluate
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(IMAGE.shape, dtype=DOUBLE, generator=generator)
    slope = float((evaluate(IMAGE).gradient * direction).sum())
    # Central differences; larger steps cross kinks of ReLU and max pooling.
    step = 1e-8
    rise = evaluate(IMAGE + step * direction).loss - evaluate(IMAGE - step * direction).loss
    assert slope == pytest.approx(rise / (2 * step), rel=1e-4)


@pytest.mark.parametrize(("name", "tile"), [*((name, 48) for name in LOSSES), ("all", 32)])
def test_many_tiles_are_one_tile(name, tile, vgg64):
    agree(LOSSES[name], vgg64, tile=tile)


@pytest.mark.parametrize(("tile", "size"), [(64, (70, 133)), (128, (139, 40)), (256, (37, 270))])
def test_large_tiles_are_one_tile_too(tile, size, vgg64):
    image = picture(*size, seed=3, dtype=DOUBLE)
    losses = [content(image=image.flip(-1), layers="relu2_2"), style(layers="relu1_1,relu3_1")]
    agree(losses, vgg64, image, tile=tile)


@pytest.mark.parametrize("size", [(64, 48), (32, 16)])
def test_many_tiles_of_a_seamless_picture_are_one_tile(size, vgg64):
    image = picture(*size, seed=3, dtype=DOUBLE)
    losses = [style(layers="relu1_1,relu4_1"), content(image=image.flip(-1), layers="relu2_2")]
    agree(losses, vgg64, image, tile=32, wrap=True)


@settings(max_examples=5, deadline=None)
@given(st.tuples(st.integers(16, 70), st.integers(16, 70)), st.integers(16, 48), st.data())
def test_tiles_of_any_size_are_one_tile(vgg64, size, tile, data):
    names = [name for name in LAYER_NAMES if name < "relu5_2"]
    layers = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    image = picture(*size, seed=3, dtype=DOUBLE)
    agree([style(layers=layers)], vgg64, image, tile=tile)


def test_many_tiles_are_one_tile_in_float32(vgg):
    losses = [
        content(image=CONTENT.float()),
        style(images=(STYLE.float(),)),
    ]
    whole = objective(losses, vgg).evaluate(IMAGE.float())
    tiled = objective(losses, vgg, tile=48).evaluate(IMAGE.float())
    assert_close(tiled.loss, whole.loss, rtol=1e-4, atol=0)
    assert (tiled.gradient - whole.gradient).abs().max() <= 1e-4 * whole.gradient.abs().max()


def test_the_parts_add_up_to_the_loss_and_are_named(vgg64):
    evaluation = objective(LOSSES["all"], vgg64).evaluate(IMAGE)
    assert sum(evaluation.parts.values()) == pytest.approx(evaluation.loss)
    assert {"content relu4_2", "style relu1_1", "style relu5_1", "total variation"} <= set(
        evaluation.parts
    )


def test_scaling_all_weights_changes_no_bit(vgg64):
    one = objective([content(weight=0.3), style(weight=7.0)], vgg64)
    thousand = objective([content(weight=300.0), style(weight=7000.0)], vgg64)
    assert torch.equal(one.evaluate(IMAGE).gradient, thousand.evaluate(IMAGE).gradient)
    assert thousand.unit == 1000 * one.unit


def same(one, other):
    a, b = one.evaluate(IMAGE), other.evaluate(IMAGE)
    assert_close(a.gradient * one.unit, b.gradient * other.unit, rtol=1e-9, atol=1e-18)
    assert a.loss * one.unit == pytest.approx(b.loss * other.unit, rel=1e-9)


def test_a_zero_weight_is_absence(vgg64):
    absent = objective([content()], vgg64)
    same(objective([content(), style(weight=0.0), TotalVariationLoss(weight=0.0)], vgg64), absent)
    layers = {"relu1_1": 1.0, "relu3_1": 0.0}
    same(
        objective([style(layers=layers)], vgg64),
        objective([style(layers={"relu1_1": 1.0})], vgg64),
    )


def test_a_full_mask_is_no_mask(vgg64):
    full = torch.ones(HEIGHT, WIDTH, dtype=DOUBLE)
    same(
        objective([content(mask=full), style(mask=full)], vgg64),
        objective([content(), style()], vgg64),
    )


def test_an_empty_mask_is_absence_and_says_so(vgg64, caplog):
    empty = torch.zeros(HEIGHT, WIDTH, dtype=DOUBLE)
    with caplog.at_level(logging.WARNING):
        masked = objective([content(), style(mask=empty)], vgg64)
    assert "mask of the style loss is empty" in caplog.text
    same(masked, objective([content()], vgg64))


def test_a_mask_of_another_size_is_stretched_over_the_picture(vgg64):
    half = torch.zeros(HEIGHT, WIDTH, dtype=DOUBLE)
    half[:, : WIDTH // 2] = 1
    small = torch.tensor([[1.0, 0.0]], dtype=DOUBLE)
    gradient = objective([style(mask=half, layers="relu1_1")], vgg64).evaluate(IMAGE).gradient
    assert gradient[..., WIDTH // 2 + 4 :].abs().max() == 0  # no influence outside
    stretched = objective([style(mask=small, layers="relu1_1")], vgg64).evaluate(IMAGE).gradient
    assert stretched[..., :40].abs().mean() > 10 * stretched[..., -40:].abs().mean()


def test_shares_blend_the_target_between_styles(vgg64):
    other = picture(50, 60, seed=5, dtype=DOUBLE)
    same(
        objective([style(images=(STYLE, other), shares=(2.0, 0.0))], vgg64),
        objective([style()], vgg64),
    )
    same(
        objective([style(images=(STYLE, STYLE))], vgg64),
        objective([style()], vgg64),
    )


def test_the_losses_own_picture_is_the_optimum(vgg64):
    evaluation = objective([content(image=IMAGE), style(images=(IMAGE,))], vgg64).evaluate(IMAGE)
    assert evaluation.loss == 0
    assert evaluation.gradient.abs().max() == 0


def test_the_content_has_no_laplacian_loss_and_neither_has_a_brighter_one(vgg64):
    detail = [LaplacianLoss(image=IMAGE, weight=1.0)]
    assert objective(detail, vgg64).evaluate(IMAGE).loss == 0
    assert objective(detail, vgg64).evaluate(IMAGE + 0.1).loss == pytest.approx(0, abs=1e-25)


def test_a_mask_on_a_style_picture_hides_part_of_it(vgg64):
    left, right = IMAGE[..., :48], STYLE.repeat(1, 1, 2, 1)[..., :HEIGHT, :48]
    both = torch.cat([left, right], dim=-1)
    mask = torch.zeros(HEIGHT, 96, dtype=DOUBLE)
    mask[:, :48] = 1
    low = {"layers": "relu1_1"}
    hidden = objective([style(images=(both,), image_masks=(mask,), **low)], vgg64)
    alone = objective([style(images=(left,), **low)], vgg64)
    # At relu1_1 only the last column sees across the edge.
    assert hidden.evaluate(IMAGE).loss == pytest.approx(alone.evaluate(IMAGE).loss, rel=0.2)
    shown = objective([style(images=(both,), **low)], vgg64).evaluate(IMAGE).loss
    assert abs(shown / alone.evaluate(IMAGE).loss - 1) > 0.3


def test_a_full_mask_on_a_style_picture_is_no_mask_and_an_empty_one_is_absence(vgg64, caplog):
    ones, zeros = torch.ones(9, 9, dtype=DOUBLE), torch.zeros(9, 9, dtype=DOUBLE)
    same(objective([style(image_masks=(ones,))], vgg64), objective([style()], vgg64))
    other = style(images=(STYLE, IMAGE), image_masks=(None, zeros))
    same(objective([other], vgg64), objective([style()], vgg64))
    assert "mask of a picture of the style loss is empty" in caplog.text
    gone = objective([content(), style(image_masks=(zeros,))], vgg64)
    same(gone, objective([content()], vgg64))


def test_a_style_much_larger_than_the_picture_is_looked_at_in_tiles(vgg):
    tiles = []
    large = picture(1200, 600, seed=4)
    objective_of(
        [style(images=(large,), layers="relu1_1")],
        vgg=vgg,
        height=64,
        width=64,
        on_tile=lambda: tiles.append(1),
    )
    assert len(tiles) == 6


def test_the_backward_pass_frees_the_features_that_it_has_passed(vgg64):
    leaves, alive = weakref.WeakValueDictionary(), []

    def watched(features, target, guide=None):
        leaves[features.shape] = features
        return squared_error_sum(features, target, guide)

    sums = Sums(squared_error=watched)
    maker = TargetMaker(vgg=vgg64, height=HEIGHT, width=WIDTH, sums=sums)
    targets = maker.targets_of([content(layers="relu2_1,relu3_2,relu4_2")])
    network = fast_network(vgg64, lambda: alive.append(set(leaves)))
    evaluate = Objective(targets, network).evaluate
    leaves.clear()
    evaluate(IMAGE)
    assert alive[0] == {(1, 256, 21, 26), (1, 128, 42, 53)}  # not the deepest any more
    assert alive[-1] == set()


def test_each_loss_of_a_kind_has_parts_of_its_own(vgg64):
    parts = objective([style(), style(layers="low")], vgg64).evaluate(IMAGE).parts
    assert {"style 1 relu5_1", "style 1 relu1_1", "style 2 relu1_1"} <= set(parts)


def test_a_black_style_has_a_finite_loss(vgg64):
    black = style(images=(torch.zeros_like(STYLE),))
    assert objective([black], vgg64).evaluate(IMAGE).loss < float("inf")


def test_a_cancel_between_tiles_comes_through(vgg):
    class Stop(Exception):
        pass

    def stop():
        raise Stop

    with pytest.raises(Stop):
        objective([style(images=(STYLE.float(),))], vgg, tile=48, on_tile=stop)


@pytest.mark.parametrize("losses", [[], [style(weight=0.0)], [style(layers={"relu1_1": 0.0})]])
def test_nothing_to_do_is_an_error(losses, vgg64):
    with pytest.raises(SettingsError, match="No loss has a weight above 0"):
        objective(losses, vgg64)


def test_pictures_too_small_for_a_layer_are_refused(vgg64):
    tiny = picture(15, 40, dtype=DOUBLE)
    with pytest.raises(ImageTooSmall, match="style picture is 40x15 px, but relu5_1"):
        objective([style(images=(tiny,))], vgg64)
    with pytest.raises(ImageTooSmall, match="result is 40x15 px"):
        objective([style()], vgg64, height=15, width=40)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weights_that_are_no_weights_are_refused(weight):
    with pytest.raises(SettingsError, match="Use a finite number, 0 or more"):
        style(weight=weight)
    with pytest.raises(SettingsError, match="weight of relu2_1"):
        style(layers={"relu2_1": weight})
    with pytest.raises(SettingsError, match="share"):
        style(shares=(weight,))
