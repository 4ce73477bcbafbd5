import torch
from hypothesis import given
from hypothesis import strategies as st

from nst_core.control.tiles import ALIGNMENT, margin_of, plan_tiles, reach_of
from nst_core.gatys.vgg import LAYERS

SIZES = st.integers(1, 700)


@given(SIZES, SIZES, st.integers(16, 800), st.sets(st.sampled_from(sorted(LAYERS)), min_size=1))
def test_every_feature_is_owned_once(height, width, tile, layers):
    tiles = plan_tiles(height, width, tile, layers)
    for layer in layers:
        stride = LAYERS[layer].stride
        owners = torch.zeros(height // stride, width // stride)
        for part in tiles:
            owners[part.owned_in_picture(layer)] += 1
        assert (owners == 1).all()


@given(SIZES, SIZES, st.integers(16, 800))
def test_what_a_tile_owns_lies_in_its_crop_and_sees_nothing_beyond_it(height, width, tile):
    layer, reach = LAYERS["relu5_1"], reach_of("relu5_1")
    for part in plan_tiles(height, width, tile, [layer.name]):
        for span, length in ((part.rows, height), (part.columns, width)):
            assert span.start % ALIGNMENT == 0
            first = span.core // layer.stride
            last = span.core_stop // layer.stride - 1
            if last < first:
                continue  # no whole feature in this core
            assert span.start <= max(0, first * layer.stride - reach)
            assert span.stop >= min(length, (last + 1) * layer.stride + reach)


@given(SIZES, SIZES)
def test_one_tile_is_exactly_the_picture(height, width):
    for tile in (0, max(height, width)):
        (part,) = plan_tiles(height, width, tile, ["relu5_1"])
        assert part.crop == (..., slice(0, height), slice(0, width))


def test_the_margin_is_no_wider_than_the_network_reaches():
    assert margin_of(["relu1_1"]) == 16
    assert margin_of(["relu1_1", "relu5_1"]) == 64
    assert margin_of([]) == 0
