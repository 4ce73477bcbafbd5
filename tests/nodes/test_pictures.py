"""The host's pictures and masks, of every kind it has."""

import sys

import pytest
import torch
from standin import image
from torch.testing import assert_close


def picture_of(chain):
    return chain[-1][0].image


def test_a_picture_arrives_as_it_is(run, content):
    loss = run("NST_ContentLoss", image=content)[0][0]
    assert torch.equal(loss.image, content.movedim(-1, 1))


def test_half_precision_is_widened_when_its_turn_comes(run, small, content, style):
    def result(image):
        chain = run("NST_StyleLoss", image=style, losses=run("NST_ContentLoss", image=image))
        return small(chain, steps=1)[0]

    assert torch.equal(result(content.half()), result(content.half().float()))


def test_the_frames_of_a_video_are_not_copied_into_the_losses(run):
    frames, masks = image(batch=4), torch.rand(4, 8, 8)
    link = run("NST_ContentLoss", image=frames, mask=masks)[0]
    for frame, mask, loss in zip(frames, masks, link, strict=True):
        assert loss.image.data_ptr() == frame.data_ptr()
        assert loss.mask.data_ptr() == mask.data_ptr()


def test_values_that_a_resize_brought_out_of_range_are_clamped_and_the_frame_left_alone(run):
    frames = image(batch=2)
    frames[1, 0, 0, 0], frames[1, 0, 0, 1] = 1.5, -0.5
    link = run("NST_ContentLoss", image=frames)[0]
    assert link[1].image[0, :2, 0, 0].tolist() == [1.0, 0.0]
    assert frames[1, 0, 0, 0] == 1.5


def test_a_result_has_the_precision_that_the_host_passes_around(small, chain, host):
    host.dtype = torch.float16
    assert small(chain, steps=0)[0].dtype == torch.float16


@pytest.fixture
def cutout(content):
    """The content with its upper half transparent, and red there."""
    alpha = torch.ones(1, 32, 40, 1)
    alpha[:, :16] = 0
    red = torch.tensor([1.0, 0.0, 0.0]).expand_as(content)
    return torch.cat([torch.where(alpha > 0, content, red), alpha], dim=-1)


def test_opaque_colors_go_on_beneath_what_is_transparent(run, content, cutout):
    shown = picture_of(run("NST_ContentLoss", image=cutout))
    lower = content.movedim(-1, 1)[:, :, 16:]
    assert torch.equal(shown[:, :, 16:], lower)
    for channel in range(3):  # means of what is opaque
        beneath = shown[:, channel, :16]
        assert lower[:, channel].min() <= beneath.min()
        assert beneath.max() <= lower[:, channel].max()


def test_the_alpha_of_a_content_comes_out_as_a_mask(run, small, cutout, style):
    chain = run("NST_StyleLoss", image=style, losses=run("NST_ContentLoss", image=cutout))
    image, _, mask = small(chain, size=40, steps=1)
    assert image.shape == (1, 32, 40, 3)
    assert torch.equal(mask, 1 - cutout[..., 3])


def test_the_one_box_keeps_an_alpha_too(run, vgg, cutout, style):
    boxes = {"style": style, "size": 40, "steps": 1, "vgg": vgg}
    *_, mask = run("NST_NeuralStyleTransfer", content=cutout, **boxes)
    assert torch.equal(mask, 1 - cutout[..., 3])


def test_the_mask_of_an_opaque_result_is_black(small, chain):
    image, _, mask = small(chain, steps=0)
    assert mask.shape == image.shape[:3]
    assert mask.max() == 0


def test_an_opaque_alpha_channel_changes_nothing(run, small, content, style):
    opaque = torch.cat([content, torch.ones(1, 32, 40, 1)], dim=-1)
    results = [
        small(run("NST_StyleLoss", image=style, losses=run("NST_ContentLoss", image=image)))[0]
        for image in (content, opaque)
    ]
    assert torch.equal(*results)


def test_only_what_is_opaque_in_a_style_counts(run, cutout):
    (loss,) = run("NST_StyleLoss", image=cutout)[0]
    assert torch.equal(loss.image_masks[0], cutout[0, ..., 3])


def test_a_picture_that_is_transparent_everywhere_is_refused_in_a_sentence(run, engine, content):
    nothing = torch.cat([content, torch.zeros(1, 32, 40, 1)], dim=-1)
    with pytest.raises(engine.NSTError, match="The content picture is transparent everywhere"):
        run("NST_ContentLoss", image=nothing)


def test_gray_becomes_rgb(run, content):
    gray = picture_of(run("NST_ContentLoss", image=content[..., :1]))
    assert gray.shape == (1, 3, 32, 40)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("node_id", ["NST_ContentLoss", "NST_StyleLoss"])
def test_pixels_that_are_not_numbers_are_refused_in_a_sentence(
    run, engine, content, node_id, value
):
    content[0, 3, 3, 0] = value
    with pytest.raises(engine.NSTError, match=r"not numbers.*change its settings"):
        run(node_id, image=content)


@pytest.mark.parametrize("node_id", ["NST_ContentLoss", "NST_StyleLoss"])
@pytest.mark.parametrize("side", [1, 6])
def test_a_picture_smaller_than_a_layer_sees_is_refused_in_a_sentence(run, engine, node_id, side):
    with pytest.raises(engine.NSTError, match=r"needs at least .* Use a larger picture"):
        run(node_id, image=image(side, side))


def test_a_layer_with_a_typo_is_refused_on_the_node_that_names_it(run, engine, content):
    with pytest.raises(engine.NSTError, match="Did you mean relu4_2"):
        run("NST_ContentLoss", image=content, content_layers="relu4_22")


def test_what_is_no_picture_is_refused_in_a_sentence(run, engine):
    with pytest.raises(engine.NSTError, match="1, 3 or 4 channels"):
        run("NST_ContentLoss", image=torch.rand(1, 32, 32, 7))


@pytest.mark.parametrize("mask", [torch.zeros(1, 64, 64), torch.full((64, 64), 0.0039)])
def test_the_mask_of_an_opaque_picture_is_no_mask_and_the_node_says_so(run, host, content, mask):
    loss = run("NST_ContentLoss", image=content, mask=mask)[0][0]
    assert loss.mask is None
    assert "empty (all black)" in host.notes[-1]
    assert "Paint white" in host.notes[-1]


def test_a_mask_of_another_size_is_stretched(run, small, content, style):
    half = torch.zeros(1, 7, 100)
    half[..., 50:] = 1
    chain = run("NST_StyleLoss", image=style, mask=half)
    result, *_ = small(run("NST_ContentLoss", image=content, losses=chain), steps=1)
    assert result.shape == (1, 26, 32, 3)


def test_a_full_mask_is_no_mask(run, small, content, style):
    plain = run("NST_StyleLoss", image=style, losses=run("NST_ContentLoss", image=content))
    masked = run(
        "NST_StyleLoss",
        image=style,
        mask=torch.ones(1, 64, 64),
        losses=run("NST_ContentLoss", image=content),
    )
    assert_close(small(plain, steps=1)[0], small(masked, steps=1)[0], atol=1e-3, rtol=0)


HALVES = torch.zeros(1, 64, 80)
HALVES[..., 40:] = 1


@pytest.mark.parametrize("node_id", ["NST_ContentLoss", "NST_StyleLoss", "NST_KeepPixels"])
def test_the_edges_of_a_mask_are_as_soft_as_asked(run, content, engine, node_id):
    hard = run(node_id, image=content, mask=HALVES, feather=0.0)[0][0].mask
    assert torch.equal(hard, HALVES[0])
    soft = run(node_id, image=content, mask=HALVES, feather=0.2)[0][0].mask
    feathered = sys.modules[f"{engine.__name__}.control.regions"].feathered
    assert torch.equal(soft, feathered(HALVES[0], 0.2))
    assert 0.4 < float(soft[32, 39:41].mean()) < 0.6
    assert (float(soft[32, 0]), float(soft[32, -1])) == (0.0, 1.0)


def test_a_mask_says_where_is_painted_and_not_how_strongly(run, content):
    masked = run("NST_StyleLoss", image=content, style_weight=80.0, mask=HALVES)[0][0]
    assert masked.weight == pytest.approx(40.0)


def test_masked_losses_by_hand_give_the_picture_of_the_one_box_with_that_mask(
    run, small, vgg, content, style
):
    by_hand = run("NST_ContentLoss", image=content)
    by_hand = run("NST_StyleLoss", image=style, mask=HALVES, losses=by_hand)
    by_hand = run("NST_KeepPixels", image=content, mask=1 - HALVES, losses=by_hand)
    box, *_ = run(
        "NST_NeuralStyleTransfer",
        content=content,
        style=style,
        mask=HALVES,
        size=32,
        steps=3,
        vgg=vgg,
    )
    assert_close(small(by_hand)[0], box, atol=1e-4, rtol=0)


def test_a_black_mask_keeps_nothing_and_the_node_says_so(run, host, content):
    kept = run("NST_KeepPixels", image=content, mask=torch.zeros(1, 64, 64))[0][0]
    assert float(kept.mask.max()) == 0
    assert "nothing is kept" in host.notes[-1]


def test_what_is_no_mask_is_refused_in_a_sentence(run, engine, content):
    with pytest.raises(engine.NSTError, match="Connect a mask"):
        run("NST_ContentLoss", image=content, mask=torch.ones(4))
    with pytest.raises(engine.NSTError, match="not numbers"):
        run("NST_ContentLoss", image=content, mask=torch.full((1, 8, 8), float("nan")))


@pytest.mark.parametrize("channel", [1, 3])
def test_a_mask_may_have_a_channel(run, channel):
    masks = torch.rand(2, 5, 7)
    link = run("NST_ContentLoss", image=image(batch=2), mask=masks.unsqueeze(channel))[0]
    assert all(torch.equal(loss.mask, mask) for loss, mask in zip(link, masks, strict=True))


def test_a_mask_for_each_picture_goes_with_it(run, host):
    masks = torch.stack([torch.ones(8, 8), torch.eye(8)])
    link = run("NST_ContentLoss", image=image(batch=2), mask=masks)[0]
    assert all(torch.equal(loss.mask, mask) for loss, mask in zip(link, masks, strict=True))


def test_a_black_mask_beside_others_is_meant_as_where_something_leaves_a_video(run, host):
    masks = torch.stack([torch.ones(8, 8), torch.zeros(8, 8)])
    _, second = run("NST_StyleLoss", image=image(), mask=masks)[0]
    assert float(second.mask.max()) == second.weight == 0
    assert host.notes == []


def test_a_style_picture_with_a_black_mask_counts_whole_beside_others_too(run):
    masks = torch.stack([torch.ones(8, 8), torch.zeros(8, 8)])
    (loss,) = run("NST_StyleLoss", image=image(batch=2), image_mask=masks)[0]
    assert loss.image_masks[0] is not None
    assert loss.image_masks[1] is None


def test_batches_that_do_not_match_are_refused_in_a_sentence(run, engine):
    with pytest.raises(engine.NSTError, match="batches of 2 and 3"):
        run("NST_ContentLoss", image=image(batch=2), mask=torch.ones(3, 8, 8))
