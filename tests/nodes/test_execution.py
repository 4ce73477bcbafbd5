"""What the nodes compute: the engine's picture, in inference mode, stoppable, for every batch."""

import copy
import gc
import json
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from standin import InterruptProcessingException, image


def engine_result(engine, vgg, losses, **settings):
    return engine.stylize(
        losses,
        vgg=vgg,
        settings=engine.RunSettings(**{"size": 32, "steps": 3, **settings}),
        runtime=engine.Runtime.choose("cpu"),
    ).image.movedim(1, -1)


def test_the_graph_gives_the_picture_of_the_engine_bit_for_bit(
    small, chain, engine, vgg, content, style
):
    pictures = content.movedim(-1, 1), [style.movedim(-1, 1)]
    losses = engine.losses_of(*pictures, engine.LossSettings())
    assert torch.equal(small(chain)[0], engine_result(engine, vgg, losses))


def test_the_one_box_gives_the_picture_of_the_losses_by_hand(
    run, small, chain, vgg, content, style
):
    image, *_ = run(
        "NST_NeuralStyleTransfer", content=content, style=style, size=32, steps=3, vgg=vgg
    )
    assert torch.equal(image, small(chain)[0])


def test_without_a_network_the_one_box_loads_one_and_keeps_it(run, modules, host, content, style):
    modules.load._kept.cache_clear()
    boxes = {"content": content, "style": style, "size": 32, "steps": 1}
    first, *_ = run("NST_NeuralStyleTransfer", **boxes)
    assert "builtin" in host.notes[0], "it says which weights it took"
    assert "put a file into models/vgg" in host.notes[0]
    second, *_ = run("NST_NeuralStyleTransfer", **boxes)
    assert torch.equal(first, second)
    assert modules.load._kept.cache_info().hits == 1
    assert host.notes.count(host.notes[0]) == 2, "every run says it"


def test_strength_zero_leaves_the_content_as_it_is(run, vgg, content, style):
    image, *_ = run(
        "NST_NeuralStyleTransfer",
        content=content,
        style=style,
        style_strength=0.0,
        size=40,
        steps=3,
        vgg=vgg,
    )
    assert torch.allclose(image, content, atol=0.01)


def test_a_second_run_gives_the_same_picture_and_changes_no_value(small, chain, vgg):
    weights = {name: tensor.clone() for name, tensor in vgg.state_dict().items()}
    pictures = [link[0].image.clone() for link in chain if hasattr(link[0], "image")]
    first, *_ = small(chain, steps=2)
    second, *_ = small(chain, steps=2)
    assert torch.equal(first, second)
    assert all(torch.equal(t, weights[name]) for name, t in vgg.state_dict().items())
    assert all(
        torch.equal(link[0].image, before) for link, before in zip(chain, pictures, strict=False)
    )


def test_a_network_moved_in_inference_mode_still_works(run, chain, vgg):
    with torch.inference_mode():  # what a host's eviction may do
        moved = copy.deepcopy(vgg).to(torch.float64).to(torch.float32)
    assert next(moved.parameters()).is_inference()
    small = {"losses": chain, "size": 32, "steps": 1}
    image, *_ = run("NST_LBFGSOptimize", vgg=moved, **small)
    assert torch.equal(image, run("NST_LBFGSOptimize", vgg=vgg, **small)[0])


def test_adding_a_loss_leaves_the_chain_before_it_as_it_was(run, chain):
    longer = run("NST_TotalVariationLoss", losses=chain, tv_weight=2.0)
    assert len(chain) == 2
    assert longer[:2] == chain
    assert longer[2][0].weight == 2.0


def test_each_content_of_a_batch_gets_the_result_it_would_get_alone(run, small, style):
    batch = image(batch=2, seed=1)
    style_chain = run("NST_StyleLoss", image=style)
    together, report, _ = small(run("NST_ContentLoss", image=batch, losses=style_chain), steps=1)
    alone = [
        small(run("NST_ContentLoss", image=batch[i : i + 1], losses=style_chain), steps=1)[0]
        for i in range(2)
    ]
    assert torch.equal(together, torch.cat(alone))
    assert len(report.records) == 2


def test_a_batch_of_styles_is_one_style(run, small, content):
    chain = run("NST_StyleLoss", image=image(batch=3), losses=run("NST_ContentLoss", image=content))
    assert len(chain[1][0].images) == 3
    assert small(chain, steps=0)[0].shape[0] == 1


def test_start_pictures_go_with_their_contents(run, small, style):
    chain = run("NST_ContentLoss", image=image(batch=2), losses=run("NST_StyleLoss", image=style))
    result, *_ = small(chain, start=image(batch=2, seed=7), steps=0)
    assert not torch.equal(result[0], result[1])


def test_contents_and_starts_that_do_not_match_are_refused(run, small, engine):
    with pytest.raises(engine.NSTError, match="batches of 2 and 3"):
        small(run("NST_ContentLoss", image=image(batch=2)), start=image(batch=3))


def test_losses_without_a_picture_are_refused_in_a_sentence(run, small, engine):
    with pytest.raises(engine.NSTError, match="Give a content loss or a style loss"):
        small(run("NST_TotalVariationLoss"))


def test_weights_that_are_all_zero_are_refused_in_a_sentence(run, small, engine, content):
    with pytest.raises(engine.NSTError, match="Give content or style a weight"):
        small(run("NST_ContentLoss", image=content, content_weight=0.0))


def test_every_evaluation_is_reported_and_previews_come_as_often_as_asked(small, chain, host):
    _, report, _ = small(chain, preview_interval=1e-9)
    evaluations = len(report.records[0])
    assert len(host.updates) == evaluations
    values = [value for value, _, _ in host.updates]
    assert values == sorted(values)
    assert values[-1] == host.updates[-1][1], "the bar ends full"
    kind, picture, side = host.updates[0][2]
    assert (kind, picture.size, side) == ("JPEG", (32, 26), 32)


def test_interval_zero_sends_no_preview(small, chain, host):
    small(chain, preview_interval=0.0, steps=0)
    assert all(preview is None for _, _, preview in host.updates)


def test_a_page_that_does_not_read_gets_no_more_until_it_does(small, chain, host, modules):
    host.unread = modules.host.WAITING + 1
    picture, *_ = small(chain, preview_interval=1e-9)
    assert host.updates == [], "each would wait in memory, with its pixels"
    host.unread = 0
    again, *_ = small(chain, preview_interval=1e-9)
    assert host.updates
    assert torch.equal(picture, again)


def test_cancel_is_heard_though_no_page_reads(small, chain, host):
    small(chain)
    host.checks, host.cancel_after, host.unread = 0, host.checks - 1, 1000
    with pytest.raises(InterruptProcessingException):
        small(chain)


def test_notes_go_to_whoever_asked_for_the_run(small, chain, host):
    small(chain, steps=0)
    assert host.readers == {"page"}


def test_progress_spans_the_whole_batch(run, small, host):
    small(run("NST_ContentLoss", image=image(batch=2)), init="noise", steps=1)
    values, totals = zip(*((value, total) for value, total, _ in host.updates), strict=True)
    assert list(values) == sorted(values)
    assert set(totals) == {values[-1]}


def test_the_network_can_be_stopped_in_the_middle_of_an_evaluation(small, chain, host):
    small(chain, steps=0)
    targets_and_one_evaluation = host.checks
    assert targets_and_one_evaluation > 40, "13 convolutions, forward and backward"
    for fraction in (0.1, 0.5, 0.9):
        host.checks, host.cancel_after = 0, int(targets_and_one_evaluation * fraction)
        with pytest.raises(InterruptProcessingException):
            small(chain)
        assert host.checks == host.cancel_after + 1, "nothing went on after the check that raised"


def test_cancel_leaves_nothing_of_the_run_behind(small, chain, host, modules, monkeypatch):
    networks = []
    place = modules.host.HostRuntime.place

    def placed(self, vgg):
        networks.append(weakref.ref(network := place(self, vgg)))
        return network

    monkeypatch.setattr(modules.host.HostRuntime, "place", placed)
    host.cancel_after = 60
    with pytest.raises(InterruptProcessingException):
        small(chain)
    gc.collect()
    assert networks
    assert networks[0]() is None
    assert host.emptied == 1


@pytest.fixture
def batch(run, style):
    return run("NST_ContentLoss", image=image(batch=3), losses=run("NST_StyleLoss", image=style))


def saved(host):
    return sorted(path.name for path in host.models.glob("*.png"))


def test_pictures_finished_before_cancel_are_in_the_output_folder(small, batch, host):
    whole, _, _ = small(batch, steps=1)
    host.checks, host.cancel_after = 0, host.checks * 5 // 6
    with pytest.raises(InterruptProcessingException):
        small(batch, steps=1)
    paths = [host.models / f"nst_unfinished_0000{number}_.png" for number in (1, 2)]
    assert saved(host) == [path.name for path in paths]
    assert host.notes[-1].startswith(
        f"It ended after 2 of 3 pictures. Saved: {paths[0]} to {paths[1].name}"
    )
    for path, picture in zip(paths, whole, strict=False):
        with Image.open(path) as file:
            pixels = torch.from_numpy(np.array(file)) / 255
        path.unlink()
        assert (pixels - picture).abs().max() < 1 / 255


def test_cancel_in_the_first_picture_saves_none(small, batch, host):
    host.cancel_after = 20
    with pytest.raises(InterruptProcessingException):
        small(batch)
    assert saved(host) == []


def test_a_full_disk_does_not_hide_why_the_batch_ended(small, batch, host, modules, monkeypatch):
    small(batch, steps=1)
    host.checks, host.cancel_after = 0, host.checks * 5 // 6
    monkeypatch.setattr(host, "output", host.models / "gone")
    with pytest.raises(InterruptProcessingException):
        small(batch, steps=1)
    assert "could not be written" in host.notes[-1]


def test_memory_is_asked_for_before_it_is_taken(small, chain, host, engine, modules):
    small(chain, steps=0)
    settings, runtime = engine.RunSettings(size=32, steps=0), engine.Runtime.choose("cpu")
    losses = [loss for (loss,) in chain]
    assert host.freed == [modules.run.needs(losses, settings=settings, runtime=runtime).memory]


def test_size_and_memory_are_told_before_anything_is_computed(small, chain, host, engine):
    host.cancel_after = 0
    with pytest.raises(InterruptProcessingException):
        small(chain, size=64, scales=2, steps=6)
    assert host.notes[-1] == f"64x51 px: about {host.freed[0] / 1e9:.2f} GB of memory."


def test_the_time_it_takes_is_told_once_the_pace_is_known(small, chain, host):
    small(chain, steps=12, tolerance=0.0)
    assert host.notes[-1].startswith("It takes about "), "on top: a node has little room"


def test_a_full_device_ends_the_node_with_what_to_do(small, chain, engine, modules, monkeypatch):
    def always_full(*_, **__):
        raise engine.errors.OutOfMemory("The memory is full.")

    monkeypatch.setattr(modules.run, "stylize", always_full)
    with pytest.raises(engine.NSTError, match="The memory is full"):
        small(chain)


def test_a_mistake_of_ours_is_not_taken_for_full_memory(small, chain, modules, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(modules.run, "stylize", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        small(chain)


def test_what_the_engine_warns_of_appears_on_the_node(run, small, style, content, host):
    rim = torch.zeros(1, 26, 32)
    rim[:, 20:] = 1  # relu5_1 has one row of features here, over the first 16 rows of pixels
    chain = run("NST_StyleLoss", image=style, mask=rim)
    small(run("NST_ContentLoss", image=content, losses=chain), steps=0)
    assert host.notes[-1].count("empty at relu5_1") == 1


def test_the_notes_of_one_run_stay_together_and_each_is_told_once(small, run, content, style, host):
    black = torch.zeros(2, 64, 64)
    run("NST_ContentLoss", image=image(batch=2), mask=black)
    assert len(host.notes) == 1, "both masks are empty, and one sentence says so"
    rim = torch.zeros(1, 26, 32)
    rim[:, 20:] = 1
    one = run("NST_StyleLoss", image=style, mask=rim)
    two = run("NST_StyleLoss", image=style, mask=rim, losses=one)
    host.notes.clear()
    small(run("NST_ContentLoss", image=content, losses=two), steps=0)
    first, both = host.notes[-2:]  # the page shows the last one
    assert "style 1" in first
    assert both.endswith(first)
    assert "style 2" in both


def test_a_report_is_json_for_nodes_that_show_text(small, chain):
    _, report, _ = small(chain, steps=0)
    told = json.loads(str(report))
    assert told["evaluations"] == len(report.records[0])
    assert [loss["loss"] for loss in told["losses"]] == ["ContentLoss", "StyleLoss"]
    assert told["settings"]["size"] == 32


def test_a_loss_plot_is_a_picture_for_each_run(run, small):
    _, report, _ = small(run("NST_ContentLoss", image=image(batch=2)), init="noise", steps=1)
    plots = run("NST_LossPlot", report=report)
    assert plots.shape == (2, 540, 960, 3)


def test_a_sample_is_the_engines(run, engine):
    assert torch.equal(
        run("NST_SampleImage", name="mosaic", size=64),
        engine.sample("mosaic", 64).movedim(1, -1),
    )


def test_a_canceled_run_that_is_resumable_goes_on_to_the_same_picture(small, chain, host):
    folder = host.output / "user" / "__nst_checkpoints"
    whole, _, _ = small(chain, steps=6)
    host.checks, host.cancel_after = 0, host.checks * 2 // 3
    with pytest.raises(InterruptProcessingException):
        small(chain, steps=6, resumable=True)
    assert list(folder.iterdir())
    assert host.notes[-1].startswith("Run it again to go on from here.")
    host.checks, host.cancel_after = 0, None
    again, _, _ = small(chain, steps=6, resumable=True)
    assert any("It goes on after" in note for note in host.notes)
    assert torch.equal(again, whole)
    assert not list(folder.iterdir())


def test_a_resumable_run_takes_nothing_of_another_run(small, chain, host):
    host.cancel_after = 60
    with pytest.raises(InterruptProcessingException):
        small(chain, resumable=True)
    host.cancel_after = None
    picture, _, _ = small(chain, steps=4, resumable=True)
    assert not any("It goes on after" in note for note in host.notes)
    assert torch.equal(picture, small(chain, steps=4)[0])


def test_a_run_that_goes_on_tells_the_time_of_the_rest(small, chain, host):
    host.cancel_after = 500
    with pytest.raises(InterruptProcessingException):
        small(chain, steps=30, tolerance=0.0, resumable=True)
    host.cancel_after = None
    host.notes.clear()
    small(chain, steps=30, tolerance=0.0, resumable=True)
    assert host.notes[-1].startswith("It takes about ")


def test_large_runs_that_were_stopped_make_room_for_the_next(
    small, chain, host, modules, monkeypatch
):
    folder = host.output / "user" / "__nst_checkpoints"
    monkeypatch.setattr(modules.checkpoints, "BYTES", 1)
    host.cancel_after = 500
    for seed in range(3):
        host.checks = 0
        with pytest.raises(InterruptProcessingException):
            small(chain, steps=30, tolerance=0.0, resumable=True, seed=seed)
    (folder / ".half.checkpoint.part").write_bytes(b"of a host that was killed")
    host.checks, host.cancel_after = 0, None
    host.notes.clear()
    small(chain, steps=30, tolerance=0.0, resumable=True, seed=2)
    assert any("It goes on after" in note for note in host.notes), "its own is none of them"
    assert not list(folder.iterdir())


def test_only_the_last_runs_that_were_stopped_are_kept(small, chain, host):
    folder = host.output / "user" / "__nst_checkpoints"
    host.cancel_after = 60
    for seed in range(8):
        host.checks = 0
        with pytest.raises(InterruptProcessingException):
            small(chain, resumable=True, seed=seed)
    assert len(list(folder.glob("*.checkpoint"))) <= 12


def test_pictures_that_could_not_be_written_leave_no_half_file(modules, host, monkeypatch):
    import errno
    import os

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = Path(modules.host.folder_paths.get_output_directory())
    before = set(folder.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            modules.host.save_pictures(torch.rand(1, 8, 8, 3))
    assert set(folder.iterdir()) == before


def test_a_run_whose_checkpoint_cannot_be_written_ends_with_its_picture(
    small, chain, host, modules, monkeypatch, tmp_path
):
    closed = tmp_path / "file"
    closed.write_text("")  # where a folder should be
    monkeypatch.setattr(modules.host, "checkpoint_folder", lambda: closed / "checkpoints")
    image, *_ = small(chain, resumable=True)
    assert torch.equal(image, small(chain)[0])
    assert any("could not be written" in note for note in host.notes)
