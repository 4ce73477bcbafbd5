"""What is painted where something comes into sight."""

import torch

from nst_core.video.flows import Frame
from nst_core.video.guides import Done, guide_of

HEIGHT, WIDTH, MOVED = 32, 64, 6
# A dark box on gray, which moves to the right; paint makes the gray bluer and the box redder.
BLUER, REDDER = ([-0.1, 0.0, 0.2], [0.6, -0.1, -0.1])


def with_box(left, ground, box):
    image = torch.tensor(ground).view(1, 3, 1, 1).repeat(1, 1, HEIGHT, WIDTH)
    image[..., 8:24, left : left + 16] = torch.tensor(box).view(3, 1, 1)
    return image


def moved(first, second):
    """Of the box from one place to the other; the ground stands still."""
    flow = torch.zeros(1, 2, HEIGHT, WIDTH)
    left = 16 + MOVED * first.index
    flow[:, 0, 8:24, left : left + 16] = MOVED * (second.index - first.index)
    return flow


def test_what_comes_into_sight_starts_in_the_colors_of_the_paint_around_it():
    gray, dark = [0.5] * 3, [0.2] * 3
    old, new = Frame(0, with_box(16, gray, dark)), Frame(1, with_box(16 + MOVED, gray, dark))
    painted = old.image + with_box(16, BLUER, REDDER)
    guide = guide_of(Done(old, painted), new, moved)
    start = guide.start(None)
    uncovered = ..., slice(8, 24), slice(16, 16 + MOVED)
    assert not guide.mask[uncovered].any()
    expected = new.image + torch.tensor(BLUER).view(1, 3, 1, 1)
    assert float((start - expected)[uncovered].abs().max()) < 0.06  # and no red of the box
    kept = ..., slice(10, 22), slice(16 + MOVED + 2, 16 + MOVED + 14)
    torch.testing.assert_close(start[kept], (new.image + with_box(16 + MOVED, BLUER, REDDER))[kept])
