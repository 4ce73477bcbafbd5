import re
import sys
from pathlib import Path

import pytest
import torch
from small import seeded_vgg

from nst_core.control.statistics import EXTRA_BYTES, STATISTICS
from nst_core.errors import OutOfMemory, SettingsError
from nst_core.kernels.mapped_memory import empty_mapped, memory_kept
from nst_core.run import placing
from nst_core.run.estimate import TILES, Load, away_bytes, estimate
from nst_core.run.memory import free_memory, give_back_memory, peak_memory
from nst_core.run.placing import Place, place_for
from nst_core.run.runtime import Runtime

CPU = torch.device("cpu")
LAYERS = ("relu1_1", "relu4_2", "relu5_1")


def test_the_processor_is_always_there_and_other_names_are_refused():
    assert Runtime.choose("cpu", "bfloat16").dtype == torch.bfloat16
    for name in ("tpu9", "cuda:99"):
        with pytest.raises(SettingsError, match="Use auto or cpu"):
            Runtime.choose(name)


def load(height, width, **more):
    return Load(height=height, width=width, layers=LAYERS, **more)


def test_a_picture_that_fits_is_one_tile_and_unknown_memory_never_tiles():
    assert place_for(load(512, 512), Runtime(CPU, memory=10**12)) == Place(0)
    assert place_for(load(10**5, 10**5), Runtime(CPU)) == Place(0)


def placed(load, memory):
    place = place_for(load, Runtime(CPU, memory=memory))
    return place.tile, place.away


@pytest.fixture
def room(monkeypatch):
    """On disk, whatever this machine has."""
    monkeypatch.setattr(placing, "room_on_disk", lambda: 10**12)


def test_less_memory_means_smaller_tiles_then_a_history_on_disk_until_nothing_fits(room):
    large = load(4096, 4096)
    found = [placed(large, memory * 10**9) for memory in (40, 20, 10, 5, 4)]
    assert found[0] == (0, False)
    assert found[0] < found[1]
    tiles = [tile for tile, away in found if away]
    assert len(tiles) >= 2
    assert tiles == sorted(tiles, reverse=True)
    with pytest.raises(OutOfMemory, match=r"Use a size up to \d+"):
        placed(large, 10**9)


def test_without_room_on_disk_tiles_become_as_small_as_they_get(monkeypatch):
    monkeypatch.setattr(placing, "room_on_disk", lambda: 10**6)
    large, runtime = load(4096, 4096), Runtime(CPU)
    barely = estimate(large, runtime, TILES[-1]) / 0.8 + 1
    tile, away = placed(large, barely)
    assert 0 < tile < 1024
    assert not away
    with pytest.raises(OutOfMemory, match="on disk, where"):
        placed(large, barely - 2)


def test_a_place_is_the_first_whose_estimate_fits(room):
    large, runtime = load(4096, 4096), Runtime(CPU, memory=8 * 10**9)
    place = place_for(large, runtime)
    fits = estimate(large, runtime, place.tile, away=place.away)
    assert fits <= runtime.budget < estimate(large, runtime)
    assert runtime.budget == 0.8 * runtime.memory


def test_what_is_kept_elsewhere_is_not_in_memory_but_for_a_part(room):
    large, runtime = load(4096, 4096), Runtime(CPU)
    here, away = (estimate(large, runtime, 512, away=away) for away in (False, True))
    assert here - away == pytest.approx(away_bytes(large, runtime), rel=0.05)
    assert away_bytes(large, runtime) == 4096 * 4096 * (20 * 12 + 32)


@pytest.mark.parametrize("styles", [(), ((4096, 4096), (8192, 8192))])
def test_the_size_that_the_message_names_would_fit(styles, room):
    runtime = Runtime(CPU, memory=10**9)
    large = load(3000, 4096, styles=styles)
    with pytest.raises(OutOfMemory) as caught:
        place_for(large, runtime)
    size = int(re.search(r"up to (\d+)", str(caught.value)).group(1))
    assert place_for(large.times(size / 4096), runtime).tile >= 0
    with pytest.raises(OutOfMemory):
        place_for(large.times(1.05 * size / 4096), runtime)
    assert ("style_scale" in str(caught.value)) == bool(styles)


def test_large_style_pictures_need_memory_while_their_targets_are_made():
    small, runtime = load(64, 64), Runtime(CPU)
    plain, one, two, given = (
        estimate(load(64, 64, **more), runtime)
        for more in (
            {},
            {"styles": [(2048, 2048)]},
            {"styles": [(2048, 2048)] * 2},
            {"given": 10**6},
        )
    )
    assert plain == estimate(small, runtime)
    assert two - one <= 2**21 * 12, "what is larger is made where it is looked at"
    assert one - plain < 2048 * 2048 * 100, "the features of a large one are made in tiles"
    assert given - plain == 10**6


def test_bfloat16_needs_less_than_float32():
    half = estimate(load(512, 512), Runtime(CPU, torch.bfloat16))
    assert half < estimate(load(512, 512), Runtime(CPU))


def test_distributions_of_the_style_need_more_and_so_smaller_tiles():
    runtime, extra = Runtime(CPU, memory=14 * 10**9), EXTRA_BYTES["sliced-wasserstein"]
    more = estimate(load(512, 512, extra=extra), runtime) - estimate(load(512, 512), runtime)
    assert more == 512 * 512 * extra
    assert place_for(load(2000, 2000, extra=extra), runtime) != Place(0)
    assert place_for(load(2000, 2000), runtime) == Place(0)
    assert set(EXTRA_BYTES) == set(STATISTICS)


def test_the_system_is_asked_for_its_memory():
    assert free_memory(CPU) is None or free_memory(CPU) > 0
    assert peak_memory(CPU) is None or peak_memory(CPU) > 10**7


def test_a_placed_network_computes_the_same_and_leaves_the_given_one_alone():
    vgg = seeded_vgg()
    image = torch.rand(1, 3, 32, 32)
    expected = vgg(image, ["relu3_1"])["relu3_1"]
    rounded = Runtime(CPU, torch.bfloat16).place(vgg)
    placed = Runtime(CPU).place(vgg)
    torch.testing.assert_close(placed(image, ["relu3_1"])["relu3_1"], expected)
    assert rounded.convolutions["conv1_1"].weight.dtype == torch.bfloat16
    assert vgg(image, ["relu3_1"])["relu3_1"].equal(expected)
    assert not any(weight.requires_grad for weight in placed.parameters())


def test_weights_that_are_where_they_are_wanted_are_there_once():
    placed = Runtime(CPU).place(seeded_vgg())
    again = Runtime(CPU).place(placed)
    for one, other in zip(placed.parameters(), again.parameters(), strict=True):
        assert one.data_ptr() == other.data_ptr()


def test_a_network_made_in_inference_mode_is_copied_out_of_it():
    with torch.inference_mode():
        vgg = seeded_vgg()
    placed = Runtime(CPU).place(vgg)
    assert not any(weight.is_inference() for weight in placed.parameters())


def held() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told to keep memory")
def test_memory_is_kept_while_a_run_lasts_and_given_back_at_its_end():
    give_back_memory()
    before = held()
    with memory_kept(below=32 << 20):
        blocks = [torch.ones(2**20) for _ in range(50)]  # 210 MB
        del blocks
        assert held() - before > 150e6
    assert held() - before < 60e6


@pytest.mark.skipif(sys.platform != "linux", reason="only there are blocks mapped beside the heap")
def test_a_large_block_goes_back_with_its_last_user_even_while_memory_is_kept():
    hole = [torch.ones(2**18) for _ in range(80)]  # of 84 MB in the heap, with one behind it
    with memory_kept(below=4 << 20):
        behind = torch.ones(2**18)
        del hole
        before = held()
        block = empty_mapped(behind, 2**24).fill_(1)  # 67 MB
        part = block[-1:]
        del block
        assert held() - before > 60e6
        assert part == 1
        del part
        assert held() - before < 10e6
