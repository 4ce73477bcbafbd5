"""Runs in less memory than they would like: what moves to disk, and smaller tiles on the way."""

import sys
from dataclasses import replace

import pytest
import torch
from small import numbers_of, picture
from torch.testing import assert_close

from nst_core import Runtime, Settings, losses_of, stylize
from nst_core.control import resized
from nst_core.control.preconditioner import Spectral
from nst_core.control.pyramid import resize
from nst_core.control.resized import Resized, resized_picture
from nst_core.errors import OutOfMemory, SettingsError
from nst_core.gatys.objective import Objective
from nst_core.kernels import disk, rows
from nst_core.kernels.history import FastHistory
from nst_core.kernels.maps import MapOnDisk
from nst_core.kernels.rows import Rows, RowsOnDisk, RowsOnHost
from nst_core.run import placing, tiling
from nst_core.run.checkpoint import load_checkpoint
from nst_core.run.saver import Saver
from nst_core.settings.amount import bytes_in

CPU = Runtime(torch.device("cpu"))
SETTINGS = Settings(size=48, steps=4, scales=1, tolerance=0.0, content_layers="relu2_1")
SETTINGS = replace(SETTINGS, style_layers="relu1_1,relu2_1", init="noise")
LOSSES = losses_of(picture(36, 48), [picture(40, 40, seed=1)], SETTINGS)


@pytest.mark.parametrize("amount", ["4 pints", "GB", "-1GB", "4GBB", "1e9"])
def test_what_is_no_amount_of_memory_is_refused(amount):
    with pytest.raises(SettingsError, match="no amount"):
        Settings(memory=amount)


def test_an_amount_of_nothing_is_no_limit():
    assert bytes_in("0") is bytes_in("auto") is None
    assert CPU.within(None) is CPU


def test_a_limit_is_of_all_that_the_process_has_and_is_planned_with_to_its_end():
    limited = CPU.within(10**12)
    assert 0.9e12 < limited.memory < 1e12
    assert limited.budget == limited.memory
    assert replace(CPU, memory=1000).budget == 800


def test_a_limit_that_holds_no_run_is_refused_before_it_begins(vgg):
    with pytest.raises(OutOfMemory, match="Free some memory"):
        stylize(LOSSES, vgg=vgg, settings=replace(SETTINGS, memory="1MB"), runtime=CPU)


def directions(make, image):
    """Of a few steps, with and without values that may not move."""
    generator = torch.Generator().manual_seed(1)

    def noise():
        return torch.randn(image.shape, generator=generator)

    history = FastHistory(3, image, Spectral(*image.shape[-2:], image.device), rows=make)
    found = []
    for _ in range(5):
        s = noise()
        assert history.update(s, s * (0.1 + noise().abs()))
        found += [history.direction(noise(), free) for free in (None, noise() > -1)]
    return history, torch.cat(found)


@pytest.mark.parametrize("elsewhere", [RowsOnDisk, RowsOnHost])
def test_pairs_that_are_kept_elsewhere_give_the_same_direction(elsewhere, monkeypatch, tmp_path):
    monkeypatch.setattr(rows, "_PART", 1000)  # of 5 parts, the last one shorter
    image = torch.zeros(1, 3, 35, 43)
    (kept, expected), (moved, found) = (directions(make, image) for make in (Rows, elsewhere))
    assert_close(found, expected, rtol=1e-4, atol=1e-6)
    tensors, theirs = kept.tensors(), moved.tensors()
    for name in ("steps", "changes"):
        blocks = theirs[name].blocks() if isinstance(theirs[name], Rows) else [theirs[name]]
        assert torch.cat([block.flatten() for block in blocks]).equal(tensors[name].flatten())
    again = FastHistory(3, image, Spectral(35, 43, image.device), rows=elsewhere)
    again.restore(tensors, len(kept))
    assert_close(again.direction(image + 1, None), kept.direction(image + 1, None))
    again.forget()
    assert not len(again)


def test_windows_of_a_map_on_disk_are_what_was_written_there():
    features = torch.rand(1, 5, 7, 9)
    kept = MapOnDisk(features, 5, 7, 9)
    for rows_, columns in ((slice(0, 3), slice(0, 9)), (slice(3, 7), slice(0, 4))):
        kept[..., rows_, columns] = features[..., rows_, columns]
    kept[..., 3:7, 4:9] = features[..., 3:7, 4:9]
    assert kept.shape == features.shape
    assert kept[..., :, :].equal(features)
    assert kept[..., 2:5, 3:8].equal(features[..., 2:5, 3:8])


def test_a_disk_without_room_is_said_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with pytest.raises(OutOfMemory, match=r"TMPDIR"):
        disk.File(1 << 60)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def away(monkeypatch):
    """Everything that can be kept elsewhere is."""
    monkeypatch.setattr(placing, "is_away", lambda *_: True)
    monkeypatch.setattr("nst_core.run.scales.is_away", lambda *_: True)


@pytest.mark.parametrize("steps", [4])
def test_a_run_that_remembers_on_disk_finds_the_same_picture(steps, vgg, away, caplog, tmp_path):
    settings = replace(SETTINGS, steps=steps, tile=32)
    saver = Saver(tmp_path / "run.nst", every=0.0)
    found = stylize(LOSSES, vgg=vgg, settings=settings, runtime=CPU, saver=saver)
    assert "kept on disk" in caplog.text
    resumed = stylize(
        LOSSES, vgg=vgg, settings=settings, runtime=CPU, resume=load_checkpoint(saver.path)
    )
    assert resumed.image.equal(found.image)
    monkeypatched = replace(settings, tile=0)
    whole = stylize(LOSSES, vgg=vgg, settings=monkeypatched, runtime=CPU)
    assert_close(found.image, whole.image, rtol=0, atol=2e-3)


@pytest.fixture
def full(monkeypatch):
    """Memory that ends: from the evaluation of that number on, in tiles larger than allowed."""
    monkeypatch.setattr(tiling, "TILES", (32, 16))
    seen = []

    def fills(*, first, largest):
        inner = Objective.gradient_and_losses

        def gradient_and_losses(self, image):
            seen.append(len(self._tiles))
            if len(seen) >= first and len(self._tiles) < largest:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return inner(self, image)

        monkeypatch.setattr(Objective, "gradient_and_losses", gradient_and_losses)
        return seen

    return fills


def test_a_run_goes_on_from_the_same_step_in_smaller_tiles(
    vgg, full, caplog, tmp_path, monkeypatch
):
    expected = stylize(LOSSES, vgg=vgg, settings=SETTINGS, runtime=CPU)
    seen = full(first=3, largest=6)
    monkeypatch.setattr("nst_core.run.saver._SHARE", 1e9)  # however long writing takes
    saver = Saver(tmp_path / "run.nst", every=0.0)
    found = stylize(LOSSES, vgg=vgg, settings=SETTINGS, runtime=CPU, saver=saver)
    assert seen[:5] == [1, 1, 1, 4, 9]
    assert set(seen[5:]) == {9}
    assert [text.rsplit(" ", 2)[1] for text in caplog.messages] == ["32", "16"]
    assert found.tile == 16
    assert len(found.records) == len(expected.records), "no evaluation counts twice"
    assert_close(found.image, expected.image, rtol=0, atol=1e-3)
    assert load_checkpoint(saver.path).position.tiles == (16,)


def test_what_even_the_smallest_tiles_do_not_hold_is_raised(vgg, full):
    full(first=2, largest=1000)
    with pytest.raises(OutOfMemory, match="The memory is full"):
        stylize(LOSSES, vgg=vgg, settings=SETTINGS, runtime=CPU)


def test_a_run_goes_on_in_the_tiles_that_it_had_and_on_a_smaller_machine_in_smaller_ones(
    vgg, full, caplog, tmp_path, monkeypatch
):
    full(first=2, largest=4)
    monkeypatch.setattr("nst_core.run.saver._SHARE", 1e9)
    saver = Saver(tmp_path / "run.nst", every=0.0)
    stylize(LOSSES, vgg=vgg, settings=SETTINGS, runtime=CPU, saver=saver)
    checkpoint = load_checkpoint(saver.path)
    resumed = {"vgg": vgg, "runtime": CPU, "resume": checkpoint}
    assert stylize(LOSSES, settings=SETTINGS, **resumed).tile == 32
    caplog.clear()
    assert stylize(LOSSES, settings=replace(SETTINGS, tile=16), **resumed).tile == 16
    assert "less memory than where the checkpoint was made" in caplog.text


@pytest.mark.parametrize(
    ("old", "new"), [((20, 31), (90, 77)), ((90, 64), (31, 40)), ((17, 90), (45, 44))]
)
def test_a_crop_of_a_resized_picture_is_that_of_the_whole(old, new):
    image = picture(*old)
    whole, parts = resize(image, *new), Resized(image, *new)
    assert parts.shape == whole.shape
    for window in ((..., slice(None), slice(None)), (..., slice(9, 20), slice(30, new[1]))):
        assert_close(parts[window], whole[window], rtol=0, atol=2e-5)


def test_a_copy_of_a_large_style_is_made_strip_by_strip(monkeypatch):
    image = picture(30, 40)
    whole = resize(resize(image, 300, 400), 150, 200)
    monkeypatch.setattr(resized, "WHOLE_PIXELS", 200 * 200)
    assert_close(
        resized_picture(resized_picture(image, 300, 400), 150, 200), whole, rtol=0, atol=1e-4
    )


def test_styles_that_are_resized_where_they_are_looked_at_have_the_same_statistics(
    vgg, monkeypatch
):
    settings = replace(SETTINGS, steps=0, style_scale=3.0, tile=64)
    losses = losses_of(picture(36, 48), [picture(40, 50, seed=1)], settings)
    whole = stylize(losses, vgg=vgg, settings=settings, runtime=CPU).records[0].parts
    monkeypatch.setattr(resized, "WHOLE_PIXELS", 1)
    parts = stylize(losses, vgg=vgg, settings=settings, runtime=CPU).records[0].parts
    assert parts == pytest.approx(whole, rel=1e-4)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit is not kept")
def test_a_process_that_is_refused_memory_finishes_in_tiles():
    """In a process of its own, whose data may grow by less than the whole picture needs."""
    tile, finite = numbers_of("refused_memory.py")
    assert 0 < tile < 512
    assert finite == 1
