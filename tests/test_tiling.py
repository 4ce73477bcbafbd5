import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nst_core.control.tiles import margin_of, plan_tiles, reach_of
from nst_core.gatys.vgg import LAYERS
from nst_core.settings.layers import LAYER_NAMES

SIZES = st.integers(1, 700)
LAYER_SETS = st.sets(st.sampled_from(LAYER_NAMES), min_size=1)


@given(SIZES, SIZES, st.integers(16, 800), LAYER_SETS)
def test_every_feature_is_owned_once(height, width, tile, layers):
    tiles = plan_tiles(height, width, tile, layers)
    for layer in layers:
        stride = LAYERS[layer].stride
        owners = torch.zeros(height // stride, width // stride)
        for part in tiles:
            owners[part.owned_in_picture(layer)] += 1
        assert (owners == 1).all()


@given(SIZES, st.integers(16, 800), LAYER_SETS)
def test_what_a_tile_owns_lies_in_what_it_keeps_and_sees_nothing_beyond_it(length, tile, layers):
    for part in plan_tiles(length, 16, tile, layers):
        for layer in layers:
            stride, reach = LAYERS[layer].stride, reach_of(layer)
            first, last = part.rows.owned(layer)
            if last == first:
                continue  # no whole feature in this core
            start, stop = part.rows.kept[layer]
            assert start <= first < last <= stop
            assert part.rows.pixels[0] <= max(0, first * stride - reach)
            assert part.rows.pixels[1] >= min(length // stride * stride, last * stride + reach)


@given(st.integers(16, 700), st.integers(16, 800), LAYER_SETS, st.booleans())
def test_a_layer_is_cropped_where_it_can_be_and_pooling_windows_line_up(length, tile, layers, wrap):
    length = length // 16 * 16 if wrap else length
    for part in plan_tiles(length, 16, tile, layers, wrap=wrap):
        span, before = part.rows, part.rows.pixels
        for layer, (start, stop) in span.kept.items():
            if LAYERS[layer].index == 1 and LAYERS[layer].block > 1:
                assert before[0] % 2 == 0
                before = before[0] // 2, before[1] // 2
            assert min(span.dropped(layer)) >= 0
            # What is kept sees only what was kept, or the zeros beyond the picture's edge.
            edges = (0, length // LAYERS[layer].stride)
            assert wrap or start - 1 >= before[0] or before[0] == edges[0]
            assert wrap or stop + 1 <= before[1] or before[1] == edges[1]
            assert not wrap or before[0] < start < stop < before[1]
            before = start, stop


def test_the_rim_narrows_from_the_pixels_to_the_deepest_layer():
    inner = plan_tiles(512, 512, 128, ["relu1_1", "relu4_2", "relu5_1"])[5]
    rims = {
        layer: LAYERS[layer].stride * (128 // LAYERS[layer].stride - start)
        for layer, (start, _) in inner.rows.kept.items()
    }
    assert list(rims.values()) == [57, 56, 54, 52, 48, 44, 40, 32, 24, 16, 0]
    assert inner.rows.pixels == (128 - reach_of("relu5_1"), 256 + reach_of("relu5_1"))


@given(SIZES, SIZES)
def test_one_tile_is_exactly_the_picture(height, width):
    for tile in (0, max(height, width)):
        (part,) = plan_tiles(height, width, tile, ["relu5_1"])
        assert part.crop == (..., slice(0, height), slice(0, width))
        assert not part.crops


def test_a_tile_does_the_work_of_its_core_and_of_a_rim_that_narrows():
    layers = ["relu1_1", "relu4_2", "relu5_1"]
    for tile, rim in ((512, 39), (1024, 39)):
        inner = plan_tiles(3 * tile, 3 * tile, tile, layers)[4]
        assert inner.work**0.5 == pytest.approx(tile + 2 * rim, abs=1)
    (whole,) = plan_tiles(37, 53, 0, layers)
    assert whole.work == 37 * 53


def test_the_margin_is_no_wider_than_the_network_reaches():
    assert margin_of(["relu1_1"]) == 16
    assert margin_of(["relu1_1", "relu5_1"]) == 64
    assert margin_of([]) == 0
