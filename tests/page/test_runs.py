"""A run from its request to its files, stopped or not."""

import base64
import io
import json
import os
import queue
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
import torch
from PIL import Image

from nst_core.errors import ImageError, ImageTooSmall, NSTError, SettingsError
from nst_core.files.read_image import load_image, read_metadata
from nst_core.files.samples import sample
from nst_core.files.write_image import save_image
from nst_core.page import live
from nst_core.page.folder import AGE, Results, Uploads
from nst_core.page.job import Job
from nst_core.page.kinds import RECONSTRUCT, TEXTURE
from nst_core.run.recipes import Region, losses_of, losses_of_regions
from nst_core.run.stylize import stylize


def png(path, size=(64, 48)):
    Image.new("RGB", size, "teal").save(path)
    return str(path)


def test_the_page_makes_the_same_picture_as_the_engine(made, ask, network):
    request = ask(size=48, steps=4)
    job, _ = made(request)
    losses = losses_of(sample("harbor", 512), [sample("brushstrokes", 512)], request.settings)
    with ThreadPoolExecutor(1) as thread:  # a new thread too: torch counts its own for each
        run = thread.submit(stylize, losses, vgg=network.vgg, settings=request.settings)
    assert job.future.result().image.equal(run.result().image)


def test_a_finished_picture_holds_what_the_command_line_stores(made, ask):
    _, files = made(ask(size=48, steps=2, seed=7))
    stored = json.loads(read_metadata(files.picture)["nst"])
    assert stored["content"] == "sample:harbor"
    assert stored["styles"] == ["sample:brushstrokes"]
    assert stored["settings"]["seed"] == 7
    assert stored["weights"].startswith("builtin")


@pytest.mark.parametrize("kind", [TEXTURE, RECONSTRUCT], ids=lambda kind: kind.name)
def test_the_other_tabs_make_the_same_pictures_as_the_engine(kind, made, ask, network):
    job, files = made(ask(kind=kind, size=48, steps=3, init="noise"))
    content, style = sample("harbor", 512), sample("brushstrokes", 512)
    settings = job.request.settings
    losses = (
        losses_of_regions(None, [Region(styles=(style,))], settings)
        if kind is TEXTURE
        else losses_of_regions(content, [], settings)
    )
    with ThreadPoolExecutor(1) as thread:
        run = thread.submit(stylize, losses, vgg=network.vgg, settings=settings)
    assert job.future.result().image.equal(run.result().image)
    assert (files.before is None) is (kind is TEXTURE)
    stored = json.loads(read_metadata(files.picture)["nst"])
    assert (stored["content"] is None, stored["styles"] == []) == (
        kind is TEXTURE,
        kind is RECONSTRUCT,
    )


def test_before_and_after_have_the_same_size(made, ask):
    _, files = made(ask(size=48, steps=2))
    before, after = (load_image(p, max_pixels=10**6) for p in (files.before, files.picture))
    assert before.shape == after.shape == (1, 3, 36, 48)


def test_a_cutout_comes_back_as_one_and_is_watched_over_white(made, ask_for, samples, tmp_path):
    alpha = torch.zeros(48, 64)
    alpha[:, :32] = 1
    save_image(sample("harbor", 64), tmp_path / "cut.png", alpha=alpha)
    job, files = made(ask_for(str(tmp_path / "cut.png"), str(samples.files["ink"])))
    for path in (files.before, files.picture):
        with Image.open(path) as picture:
            shown = torch.from_numpy(np.array(picture))  # (36, 48, 4)
        assert shown[:, :23, 3].min() == 255
        assert shown[:, 25:, 3].max() == 0
    assert "JoinImageWithAlpha" in files.workflow.read_text()
    url = live.picture_html(job.future.result().image, "", job.alpha).split('"')[-2]
    with Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))) as picture:
        assert np.array(picture)[:, 32:].min() > 250  # white
    white = ask_for(str(tmp_path / "cut.png"), str(samples.files["ink"]), transparency=False)
    with Image.open(made(white)[1].picture) as picture:
        assert picture.mode == "RGB"


def test_a_picture_may_have_16_bits(made, ask):
    assert made(ask(steps=1, bits=16))[1].picture.read_bytes()[24] == 16  # of IHDR


def test_files_of_two_runs_lie_in_folders_that_nobody_can_guess(made, ask):
    one, two = (made(ask(steps=1))[1].picture.parent for _ in range(2))
    assert one != two
    assert min(len(one.name), len(two.name)) >= 20


def test_a_style_with_share_zero_is_the_same_as_none(runs, ask):
    request = ask(styles=("brushstrokes", "waves"), shares=[1.0, 0.0])
    assert [one.name for one in request.pictures] == ["sample:harbor", "sample:brushstrokes"]


def test_shares_change_the_picture(made, ask):
    images = [
        made(ask(styles=("brushstrokes", "ink"), shares=s))[0].future.result().image
        for s in ([1.0, 0.1], [0.1, 1.0])
    ]
    assert not images[0].equal(images[1])


def test_a_stopped_run_keeps_the_best_picture_so_far(runs, ask):
    job, seen = Job(ask(size=64, steps=40, tolerance=0.0)), Event()
    watch = job.watch

    def stop_at_the_third(progress):
        if progress.latest.evaluation == 3:
            job.stop()
            seen.set()
        watch(progress)

    job.watch = stop_at_the_third
    runs.device.submit(job)
    assert seen.wait(60)
    result = job.future.result()
    assert len(result.records) == 3
    assert result.stops[-1] == job.why == "Stop"
    assert runs.picture_of(job).exists()


def test_a_run_stopped_while_it_waits_leaves_the_line_and_gives_no_picture(runs, ask):
    working, waiting, last = Job(ask(size=64, steps=40, tolerance=0.0)), Job(ask()), Job(ask())
    for job in (working, waiting, last):
        runs.device.submit(job)
    assert runs.device.before(last) == 2
    waiting.stop()
    assert waiting.result() is None  # at once: it does not wait for its turn
    assert not working.future.done()
    assert runs.device.before(last) == 1
    working.stop()
    assert runs.picture_of(last)


def test_a_run_ends_with_its_picture_when_its_time_is_up(runs, ask):
    job = Job(ask(size=64, steps=40))
    watch = job.watch

    def time_is_up(progress):
        job._deadline = 0.0
        watch(progress)

    job.watch = time_is_up
    runs.device.submit(job)
    assert len(job.future.result().records) == 1
    assert "time limit" in job.why


def test_runs_take_turns(runs, ask):
    jobs = [Job(ask(steps=1)) for _ in range(3)]
    done: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number, job in enumerate(jobs):
        runs.device.submit(job)
        job.future.add_done_callback(lambda _, number=number: done.put(number))
    # A future's result is there before its callbacks were called, so the callbacks are waited for.
    assert [done.get(timeout=60) for _ in jobs] == [0, 1, 2]


def test_a_visitor_has_one_run_and_others_are_told_when_it_is_full(runs, ask, limits):
    long = ask(size=64, steps=40, tolerance=0.0)
    runs.begin("first", long)
    with pytest.raises(SettingsError, match="already"):
        runs.begin("first", long)
    for number in range(limits.max_waiting - 1):
        runs.begin(f"other {number}", long)
    with pytest.raises(SettingsError, match="visitors are waiting"):
        runs.begin("too late", long)
    runs.end("other 1")
    runs.begin("too late", long)
    for key in ("first", "too late", *(f"other {n}" for n in range(limits.max_waiting))):
        runs.end(key)


def test_leaving_ends_all_runs_of_a_visitor_and_no_other(runs, ask):
    mine, program, other = (runs.begin(k, ask(steps=40)) for k in ("me", "me/program", "mellow"))
    runs.leave("me")
    assert runs.of("mellow") is other
    assert [runs.of(key) for key in ("me", "me/program")] == [None, None]
    for job, stopped in ((mine, True), (program, True), (other, False)):
        assert job._stop.is_set() is stopped


def test_who_comes_back_finds_the_run_and_then_its_result_until_the_next_one(runs, ask):
    ahead = runs.begin("ahead", ask(steps=40, size=64))
    job = runs.begin("me", ask(steps=1))
    assert runs.of("me") is job
    assert runs.finished_of("me") is None
    ahead.stop()
    job.future.result()
    assert runs.of("me") is None
    first = runs.finished_of("me")
    assert "data:image" in first.curve
    assert runs.finished_of("another") is None
    runs.begin("me", ask(steps=1)).future.result()
    assert runs.finished_of("me").files != first.files
    assert first.files.picture.exists()  # another window may still show it


def test_a_result_is_forgotten_with_its_files(runs, ask, made, monkeypatch):
    runs.begin("me", ask(steps=1)).future.result()
    path = runs.finished_of("me").files.picture
    days_later, hour_later = time.time() + 1e6, time.monotonic() + AGE + 1
    with monkeypatch.context() as patch:
        patch.setattr("nst_core.page.runs.time.time", lambda: days_later)  # somebody set the clock
        runs.tidy()
        assert runs.finished_of("me").files.picture == path
        patch.setattr("nst_core.page.runs.time.monotonic", lambda: hour_later)
        runs.tidy()
    assert runs.finished_of("me") is None
    assert not path.parent.exists()


def test_a_result_that_cannot_be_written_is_told_and_leaves_nothing(runs, ask, monkeypatch):
    def full(path, text):
        raise ImageError(f"'{path}' could not be written: No space left on device.")

    monkeypatch.setattr("nst_core.page.result.write_text", full)
    job = runs.begin("me", ask(steps=1))
    with pytest.raises(ImageError, match="its disk may be full") as told:
        job.future.result()
    assert "workflow" not in str(told.value)  # where it lies is for nobody
    assert runs.finished_of("me") is None
    assert not [one for one in runs._results._made if one[1].exists()]
    monkeypatch.undo()
    runs.begin("me", ask(steps=1)).future.result()
    assert runs.finished_of("me").files.picture.exists()


def test_only_so_many_results_and_uploads_are_kept(tmp_path):
    (tmp_path / "sample.jpg").touch()
    results, uploads = Results(tmp_path / "results", 3), Uploads(tmp_path, 4)
    folders = [results.new() for _ in range(5)]
    assert [folder.exists() for folder in folders] == [False, False, True, True, True]
    brought = [tmp_path / f"{number}" for number in range(8)]
    for number, path in enumerate(brought):
        path.mkdir() if number % 2 else path.touch()
        os.utime(path, (1000 + number, 1000 + number))
    uploads.tidy(1000 + AGE, used={brought[1]})
    assert [path.exists() for path in brought] == [n == 1 or n >= 4 for n in range(8)]
    uploads.tidy(1006 + AGE, used=set())
    assert [path.exists() for path in brought] == [n >= 6 for n in range(8)]
    assert (tmp_path / "sample.jpg").exists()
    assert folders[-1].exists()
    results.tidy(time.monotonic() + AGE + 1)
    assert list((tmp_path / "results").iterdir()) == []


def test_pictures_that_are_too_large_together_are_refused(made, ask_for, tmp_path):
    paths = [png(tmp_path / f"{name}.png", (1200, 1000)) for name in "ab"]
    with pytest.raises(ImageError, match="together"):
        made(ask_for(*paths))


def test_a_file_that_was_cleared_is_asked_for_again(ask_for, samples, tmp_path):
    with pytest.raises(SettingsError, match=r"'gone\.png' is no longer here"):
        ask_for(str(tmp_path / "gone.png"), str(samples.files["ink"]))


def test_without_a_picture_a_request_says_which(ask, ask_for, samples):
    harbor = str(samples.files["harbor"])
    with pytest.raises(SettingsError, match="no content picture"):
        ask_for(None, harbor)
    with pytest.raises(SettingsError, match="no style picture"):
        ask_for(harbor, None)
    with pytest.raises(SettingsError, match="shares"):
        ask(shares=[0.0])


def test_a_huge_size_is_refused_before_any_work(runs, ask):
    with pytest.raises(SettingsError, match="more than this page gives"):
        ask(size=16384)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda p: p.write_text("not a picture"), ImageError),
        (lambda p: p.write_bytes(b""), ImageError),
        (lambda p: png(p, (2000, 2000)), ImageError),
        (lambda p: png(p, (3, 3)), ImageTooSmall),
        (lambda p: (png(p), p.write_bytes(p.read_bytes()[:90])), ImageError),
    ],
    ids=["text", "empty", "too large", "tiny", "cut off"],
)
def test_a_bad_picture_is_told_in_a_sentence_without_the_servers_folders(
    make, kind, made, ask_for, samples, tmp_path
):
    path, ink = tmp_path / "mine.png", str(samples.files["ink"])
    make(path)
    with pytest.raises(kind) as caught:
        made(ask_for(str(path), ink))
    assert isinstance(caught.value, NSTError)
    assert "mine.png" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    made(ask_for(ink, ink))


def test_an_animated_gif_is_its_first_picture(made, ask_for, samples, tmp_path):
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    paths = str(tmp_path / "moving.gif"), str(samples.files["ink"])
    request = ask_for(*paths, strength=0, steps=0)
    image = made(request)[0].future.result().image
    assert image[0, 0].mean() > 0.9
    assert image[0, 2].mean() < 0.1


def test_an_upload_with_a_samples_name_is_not_taken_for_it(samples, tmp_path):
    mine = tmp_path / "harbor.jpg"
    Image.new("RGB", (64, 48), "teal").save(mine)
    assert samples.name_of(str(mine)) == "harbor.jpg"
    mine.write_bytes(samples.files["harbor"].read_bytes())
    assert samples.name_of(str(mine)) == "sample:harbor"


def test_both_kinds_of_pooling_share_their_weights(network):
    other = network.pooled("average")
    assert other.pooling == "average"
    ours, theirs = network.vgg.weights(), other.weights()
    assert all(ours[name].data_ptr() == theirs[name].data_ptr() for name in ours)


def test_the_line_about_weights_says_how_to_get_trained_ones(network):
    assert "builtin" in network.line()
    assert "nst weights get keras" in network.line()
