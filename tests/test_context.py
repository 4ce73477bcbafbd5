import pytest
import torch
from small import objective_of, picture
from torch.testing import assert_close

from nst_core.control.context import shrinking_matrix, shrunk, with_context
from nst_core.control.losses import ContentLoss, StyleLoss, TotalVariationLoss
from nst_core.control.pyramid import enlarged, plan_scales, resize, views_of
from nst_core.control.tiled import unwrapped, wrapped
from nst_core.run.objective import evaluator_of, in_units

DOUBLE = torch.float64
IMAGE = picture(64, 128, seed=3, dtype=DOUBLE)
ROLL = 64, -64  # multiples of the coarsest grid: 16 features of a quarter
STYLE = picture(50, 60, seed=2, dtype=DOUBLE)
LOSSES = [
    StyleLoss(images=(STYLE,), weight=7.0, layers="relu1_1,relu3_1"),
    TotalVariationLoss(weight=1.0),
]


def views(vgg, count, losses=LOSSES, **kwargs):
    def evaluate_of(counting, height, width):
        return evaluator_of(counting, vgg=vgg, height=height, width=width, **kwargs).evaluate

    wrap = kwargs.get("wrap", False)
    size = {"height": 64, "width": 128, "wrap": wrap, "device": IMAGE.device}
    return with_context(evaluate_of, in_units(losses)[0], views=count, **size)


def test_one_size_is_the_objective(vgg64):
    one = views(vgg64, 1).evaluate(IMAGE)
    plain = objective_of(LOSSES, vgg=vgg64, height=64, width=128).evaluate(IMAGE)
    assert one.loss == plain.loss
    assert torch.equal(one.gradient, plain.gradient)


def test_a_copy_counts_eight_times_the_style_loss_of_the_shrunk_picture(vgg64):
    both = views(vgg64, 2).evaluate(IMAGE)
    small = StyleLoss(images=(resize(STYLE, 12, 15),), weight=7.0, layers="relu1_1,relu3_1")
    quarter = objective_of([small], vgg=vgg64, height=16, width=32).evaluate(shrunk(IMAGE, 16, 32))
    one = views(vgg64, 1).evaluate(IMAGE)
    assert both.loss == pytest.approx(one.loss + 8 * quarter.loss)
    assert sum(both.parts.values()) == pytest.approx(both.loss)


@pytest.mark.parametrize("wrap", [False, True], ids=["open", "wrapped"])
def test_the_gradient_is_the_derivative_and_tiles_change_nothing(wrap, vgg64):
    evaluate = views(vgg64, 2, wrap=wrap).evaluate
    evaluation = evaluate(IMAGE)
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(IMAGE.shape, dtype=DOUBLE, generator=generator)
    step = 1e-8
    rise = evaluate(IMAGE + step * direction).loss - evaluate(IMAGE - step * direction).loss
    slope = float((evaluation.gradient * direction).sum())
    assert slope == pytest.approx(rise / (2 * step), rel=1e-4)
    tiled = views(vgg64, 2, wrap=wrap, tile=32).evaluate(IMAGE)
    assert_close(tiled.loss, evaluation.loss, rtol=1e-10, atol=0)
    assert_close(tiled.gradient, evaluation.gradient, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(("wrap", "height"), [(False, 15), (False, 16), (True, 16)])
def test_shrinking_is_a_product_of_matrices(wrap, height):
    down = shrinking_matrix(64, height, wrap=wrap).double()
    across = shrinking_matrix(128, 32, wrap=wrap).double()
    expected = shrunk(IMAGE, height, 32, wrap=wrap)
    assert_close(down @ IMAGE @ across.mT, expected, rtol=0, atol=1e-5)


def test_a_seamless_picture_has_no_border(vgg64):
    content = ContentLoss(image=IMAGE, layers="relu2_1", weight=1.0)
    evaluate = views(vgg64, 2, [*LOSSES, content], wrap=True).evaluate
    moved = [
        *LOSSES,
        ContentLoss(image=IMAGE.roll(ROLL, (-2, -1)), layers="relu2_1", weight=1.0),
    ]
    elsewhere = views(vgg64, 2, moved, wrap=True).evaluate(IMAGE.roll(ROLL, (-2, -1)))
    here = evaluate(IMAGE)
    assert elsewhere.loss == pytest.approx(here.loss, rel=1e-9)
    assert_close(elsewhere.gradient, here.gradient.roll(ROLL, (-2, -1)))
    assert evaluate(IMAGE).parts["content relu2_1"] == 0


@pytest.mark.parametrize("margin", [0, 3, 40])
def test_unwrapping_is_the_adjoint_of_wrapping(margin):
    image = torch.rand(1, 3, 8, 12, dtype=DOUBLE)
    other = torch.rand(1, 3, 8 + 2 * margin, 12 + 2 * margin, dtype=DOUBLE)
    assert_close((wrapped(image, margin) * other).sum(), (image * unwrapped(other, margin)).sum())
    assert_close(wrapped(image, margin)[..., margin : margin + 8, margin : margin + 12], image)


def test_large_pictures_get_views_and_small_ones_none():
    assert views_of(384, 512, 0) == 1
    assert views_of(700, 768, 0) == views_of(768, 1024, 0) == 2
    assert views_of(2048, 4096, 0) == 3
    assert views_of(2048, 4096, 1) == 1


def test_scales_by_another_factor_and_on_a_grid():
    scales = plan_scales(768, 1024, scales=0, steps=10_000, factor=2**0.5)
    widths = [scale.width for scale in scales]
    assert widths == [64, 91, 128, 181, 256, 362, 512, 724, 1024]
    on_grid = plan_scales(700, 1000, scales=2, steps=10, grid=64)
    assert [(scale.height, scale.width) for scale in on_grid] == [(320, 512), (704, 1024)]


def test_enlarging_what_was_not_changed_gives_back_the_content():
    content = picture(64, 96, seed=5)
    assert_close(enlarged(resize(content, 32, 48), content, 64, 96), content)
    plain = enlarged(resize(content, 32, 48), None, 64, 96)
    assert_close(plain, resize(resize(content, 32, 48), 64, 96))
    assert (plain - content).abs().mean() > 0.01
