"""Optical flow: warping, consistency, and the moving samples whose flow is known."""

import pytest
import torch

from nst_core.control.flow import consistent, inside, long_term, resized_flow, warped
from nst_core.errors import SettingsError
from nst_core.files.samples.scenes import moving_sample


def shift(x, y, height=24, width=32):
    return torch.tensor([x, y])[None, :, None, None].expand(1, 2, height, width).float()


def picture(height=24, width=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, height, width, generator=generator)


def test_no_flow_changes_no_bit_by_more_than_rounding():
    image = picture()
    assert torch.allclose(warped(image, shift(0, 0)), image, atol=1e-6)


def test_a_flow_of_whole_pixels_moves_them():
    image = picture()
    moved = warped(image, shift(3, -2))
    assert torch.allclose(moved[..., 2:, :-3], image[..., :-2, 3:], atol=1e-5)


def test_a_flow_in_another_size_moves_by_the_same_part_of_the_picture():
    flow = resized_flow(shift(3.0, -2.0), 48, 96)
    assert flow.shape == (1, 2, 48, 96)
    assert torch.allclose(flow, shift(9.0, -4.0, 48, 96), atol=1e-5)


def test_flows_that_are_each_others_way_back_agree_inside_the_picture():
    mask = consistent(shift(3, 1), shift(-3, -1))
    assert torch.equal(mask.bool(), inside(shift(-3, -1))[0, 0])
    assert mask[1:, 3:].all()
    assert not mask[:, :3].any()


def test_flows_that_contradict_each_other_are_nowhere_trusted():
    assert not consistent(shift(3, 0), shift(3, 0)).any()


def test_a_motion_boundary_is_not_trusted():
    forward, backward = shift(0, 0).clone(), shift(0, 0).clone()
    forward[:, 0, :, 16:], backward[:, 0, :, 16:] = 2, -2
    mask = consistent(forward, backward)
    assert not mask[:, 15:17].any()
    assert mask[:, :14].all()


def test_an_earlier_frame_counts_only_where_no_nearer_one_does():
    near, far = torch.zeros(4, 4), torch.ones(4, 4)
    near[:2] = 1
    kept = long_term([near, far])
    assert torch.equal(kept[0], near)
    assert torch.equal(kept[1], 1 - near)


@pytest.mark.parametrize("name", ["harbor", "portrait", "meadow"])
def test_moving_samples_follow_their_flow(name):
    scene = moving_sample(name)
    first, second = scene.frame(0.0, 96), scene.frame(0.125, 96)
    flow, seen = scene.flow(0.125, 0.0, 96)
    change = (warped(first, flow.float()) - second).square().mean(1)[0]
    still = (first - second).square().mean(1)[0]
    assert float((change * seen).sum()) < 0.25 * float((still * seen).sum())


def test_what_a_boat_uncovers_is_known():
    scene = moving_sample("harbor")
    _, seen = scene.flow(0.5, 0.0, 128)
    assert 0.01 < 1 - float(seen.mean()) < 0.2


def test_a_frame_is_the_same_composition_at_every_size():
    scene = moving_sample("harbor")
    small, large = scene.frame(0.3, 96), scene.frame(0.3, 192)
    shrunk = torch.nn.functional.interpolate(large, small.shape[-2:], mode="area")
    assert float((shrunk - small).abs().mean()) < 0.02


def test_an_unknown_moving_sample_names_those_there_are():
    with pytest.raises(SettingsError, match="harbor, portrait, meadow"):
        moving_sample("sea")
