"""The domain transform, and flow that it is used for."""

import torch

from nst_core.control.edge_filter import spread
from nst_core.video.sharp_flow import with_sharp_edges

FLAT = torch.full((1, 3, 24, 32), 0.5)


def halves(height=24, width=32):
    """Dark on the left, bright on the right."""
    picture = torch.zeros(1, 3, height, width)
    picture[..., width // 2 :] = 1
    return picture


def noise(channels=2):
    return torch.randn(1, channels, 24, 32, generator=torch.Generator().manual_seed(0))


def test_what_is_the_same_everywhere_stays():
    values = torch.full((1, 2, 24, 32), 3.0)
    picture = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(spread(values, picture, pixels=9, colors=0.1), values)


def test_nothing_crosses_an_edge_and_all_is_spread_on_its_sides():
    values = torch.cat([noise()[..., :16], 100 + noise()[..., 16:]], -1)
    found = spread(values, halves(), pixels=50, colors=0.02)
    for side, middle in ((found[..., :16], 0.0), (found[..., 16:], 100.0)):
        assert float((side - middle).abs().max()) < 1
        assert float(side.std((-1, -2)).max()) < 0.2


def test_without_edges_a_point_is_spread_as_far_as_asked():
    values = torch.zeros(1, 1, 121, 121)
    values[..., 60, 60] = 1
    found = spread(values, torch.zeros(1, 3, 121, 121), pixels=6, colors=0.1)[0, 0]
    along = torch.arange(-60.0, 61)
    for line in (found.sum(0), found.sum(1)):
        torch.testing.assert_close(line.sum(), torch.tensor(1.0), atol=2e-3, rtol=0)
        assert abs(float((line * along.square()).sum()) ** 0.5 - 6) < 0.4


def test_flow_that_was_carried_over_an_edge_ends_at_it():
    moving = torch.zeros(1, 2, 24, 32)
    moving[:, 0, :, 16:] = 4
    carried = moving.clone()
    carried[:, 0, :, 12:16] = torch.tensor([1.0, 2.0, 3.0, 4.0])  # over what stands still
    found = with_sharp_edges(carried, halves())
    assert float((carried - moving).abs().max()) == 4
    torch.testing.assert_close(found, moving, atol=0.01, rtol=0)


def test_flow_without_edges_is_the_same_to_the_last_bit():
    rows, columns = torch.meshgrid(torch.arange(24.0), torch.arange(32.0), indexing="ij")
    larger_and_turned = torch.stack([0.3 * columns - 0.2 * rows, 0.2 * columns + 0.3 * rows])[None]
    for flow in (torch.full((1, 2, 24, 32), 3.7), larger_and_turned):
        assert torch.equal(with_sharp_edges(flow, halves()), flow)


def test_what_moves_before_a_camera_that_turns_has_edges_too():
    rows, columns = torch.meshgrid(torch.arange(24.0), torch.arange(32.0), indexing="ij")
    turned = torch.stack([-0.2 * rows, 0.2 * columns])[None]
    moving = turned.clone()
    moving[:, 0, :, 18:] += 4
    carried = turned.clone()
    carried[:, 0, :, 15:] += 4
    picture = torch.zeros(1, 3, 24, 32)
    picture[..., 18:] = 1
    torch.testing.assert_close(with_sharp_edges(carried, picture), moving, atol=0.05, rtol=0)


def test_flow_that_is_steep_everywhere_stays_finite():
    found = with_sharp_edges(noise() * 10, FLAT)
    assert bool(found.isfinite().all())
    assert float(found.abs().max()) <= float((noise() * 10).abs().max())
