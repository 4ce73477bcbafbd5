"""A run that was cut off, and what its visitor can go on with."""

import json
import os
import shutil
import time
from threading import Event

import pytest
import torch
from PIL import Image

from nst_core.errors import CheckpointError, OutOfMemory, SettingsError
from nst_core.page.folder import AGE
from nst_core.page.job import TIME_UP
from nst_core.page.kinds import STYLIZE, TEXTURE
from nst_core.page.remembered import document_of, request_in
from nst_core.page.runs import Runs
from nst_core.page.unfinished import UnfinishedRuns


@pytest.fixture
def kept(tmp_path):
    """The folder of checkpoints."""
    return tmp_path / "checkpoints"


@pytest.fixture
def opened(network, samples, limits, folder, kept):
    """`opened()`: a page's runs; what was cut off on one is there on the next."""
    every = []

    def start():
        every.append(Runs(network, samples, limits, folder, kept))
        return every[-1]

    yield start
    for runs in every:
        runs.close()


@pytest.fixture
def runs(opened):
    return opened()


def cut_off(runs, begin, happens, at=4):
    """The job of a run to which something happens after its evaluation `at`, once it is over."""
    gate, over = Event(), Event()
    runs.device.measure(lambda: gate.wait(60))
    job = begin()
    watch = job.watch

    def happening(progress):
        if progress.latest.evaluation == at:
            happens(job)
        watch(progress)

    job.watch = happening
    job.future.add_done_callback(lambda _: over.set())  # after those of the page
    gate.set()
    assert over.wait(60)
    return job


def stop(job):
    job.stop()


def time_is_up(job):
    job._deadline = 0.0


def memory_is_full(job):
    raise torch.OutOfMemoryError("out of memory")


def gone_on(runs, key="me", kind=STYLIZE):
    job = runs.resume(key, kind)
    job.result()
    return job


@pytest.mark.parametrize("happens", [stop, time_is_up, memory_is_full])
def test_going_on_ends_with_the_same_bytes_as_never_being_cut_off(happens, runs, ask, made, kept):
    request = ask(size=32, steps=6, init="noise", styles=("ink", "waves"), shares=[1.0, 0.5])
    _, whole = made(request)
    job = cut_off(runs, lambda: runs.begin("me", request), happens)
    assert (job.error() is None) == (happens is not memory_is_full)
    files = gone_on(runs).finished.files
    assert files.picture.read_bytes() == whole.picture.read_bytes()
    assert files.workflow.read_bytes() == whole.workflow.read_bytes()
    assert runs.unfinished_of("me") is None  # it is done
    assert list(kept.iterdir()) == []


def test_a_run_may_be_cut_off_again_and_its_limit_of_minutes_is_the_same(runs, ask, made):
    request = ask(size=32, steps=6)
    cut_off(runs, lambda: runs.begin("me", request), time_is_up, at=3)
    again = cut_off(runs, lambda: runs.resume("me", STYLIZE), time_is_up, at=6)
    assert again.why == TIME_UP
    assert [record.evaluation for record in again.result().records] == [1, 2, 3, 4, 5, 6]
    assert "Continue" not in runs.finished_of("me").status  # said where it can be gone on with
    assert gone_on(runs).result().image.equal(made(request)[0].result().image)


def test_nobody_goes_on_with_the_run_of_another_and_only_on_its_tab(runs, ask):
    cut_off(runs, lambda: runs.begin("me", ask(size=32, steps=6)), stop)
    assert runs.unfinished_of("you") is None
    for key, kind in (("you", STYLIZE), ("me", TEXTURE), ("me/program", STYLIZE)):
        with pytest.raises(SettingsError, match="nothing to go on with"):
            runs.resume(key, kind)
    assert runs.unfinished_of("me")


def test_going_on_waits_in_line_and_stopping_there_loses_nothing(runs, ask, limits):
    cut_off(runs, lambda: runs.begin("me", ask(size=32, steps=6)), stop)
    found, ended = runs.unfinished_of("me"), runs.finished_of("me")
    ahead = runs.begin("ahead", ask(size=64, steps=40, tolerance=0.0))
    job = runs.resume("me", STYLIZE)
    assert runs.device.before(job) == 1
    with pytest.raises(SettingsError, match="already"):
        runs.resume("me", STYLIZE)
    job.stop()
    assert job.result() is None
    assert (runs.unfinished_of("me"), runs.finished_of("me")) == (found, ended)
    ahead.stop()
    assert gone_on(runs).finished


def test_a_new_run_takes_the_place_of_the_one_that_was_cut_off(runs, ask, kept):
    cut_off(runs, lambda: runs.begin("me", ask(size=32, steps=6)), stop)
    first = runs.unfinished_of("me")
    cut_off(runs, lambda: runs.begin("me", ask(size=48, steps=6)), stop)
    second = runs.unfinished_of("me")
    assert second is not first
    assert second.request.settings.size == 48
    assert [path.name for path in kept.iterdir()] == [second.folder.name]


def test_a_run_that_never_began_a_program_and_who_left_keep_nothing(runs, ask, kept, tmp_path):
    cut_off(runs, lambda: runs.begin("me/program", ask(size=32, steps=6)), stop)
    cut_off(runs, lambda: runs.begin("leaver", ask(size=32, steps=6)), stop)
    runs.leave("leaver")
    cut_off(runs, lambda: runs.begin("leaver", ask(size=32)), lambda job: runs.end("leaver"))
    Image.new("RGB", (3, 3)).save(tmp_path / "tiny.png")
    sizes = {"size": 48, "steps": 1}
    paths = {"content": str(tmp_path / "tiny.png"), "styles": [str(tmp_path / "tiny.png")]}
    request = runs.request(STYLIZE, **paths, given=sizes)
    cut_off(runs, lambda: runs.begin("me", request), stop)
    assert runs.unfinished_of("me") is None
    assert list(kept.iterdir()) == []


def test_its_pictures_stay_when_the_uploads_are_cleared(runs, ask_for, made, tmp_path):
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    for name, color in (("a.png", "teal"), ("b.png", "orange")):
        Image.new("RGB", (64, 48), color).save(uploads / name)
    request = ask_for(str(uploads / "a.png"), str(uploads / "b.png"), size=32, steps=6, init="gray")
    _, whole = made(request)
    cut_off(runs, lambda: runs.begin("me", request), stop)
    shutil.rmtree(uploads)
    files = gone_on(runs).finished.files
    assert files.picture.read_bytes() == whole.picture.read_bytes()  # names of pictures too


def test_a_page_that_is_started_again_goes_on_with_what_the_one_before_left(
    opened, ask, made, kept, tmp_path
):
    request = ask(size=32, steps=6, preset="strong style", strength=0.5)
    _, whole = made(request)
    first = opened()
    cut_off(first, lambda: first.begin("me", request), stop)
    cut_off(first, lambda: first.begin("killed", request), stop)
    checkpoint = first.unfinished_of("killed").saver.path
    first.close()
    checkpoint.unlink()  # killed before there was one
    (kept / "notes.txt").touch()
    second = opened()
    assert second.kind_left("me") is STYLIZE
    assert second.unfinished_of("killed") is None
    assert gone_on(second).finished.files.picture.read_bytes() == whole.picture.read_bytes()
    assert [path.name for path in kept.iterdir()] == ["notes.txt"]  # of somebody else


def test_a_page_that_ends_keeps_the_checkpoint_of_the_run_at_work(opened, ask, made):
    request = ask(size=32, steps=6)
    runs = opened()
    job = cut_off(runs, lambda: runs.begin("me", request), lambda job: closing(runs), at=3)
    assert len(job.result().records) == 3
    runs.close()
    assert gone_on(opened()).result().image.equal(made(request)[0].result().image)


def closing(runs):
    """What `Runs.close` does before it waits for the device, whose thread this is."""
    for job in runs._jobs.values():
        job.stop()


def test_a_request_comes_back_from_its_document_as_it_was(ask, samples, tmp_path):
    request = ask(styles=("ink", "waves"), shares=[0.25, 1.0], seed=7, colors="luminance")
    document = json.loads(json.dumps(document_of(request)))
    assert request_in(document, tmp_path, samples) == request
    document["settings"]["size"] = "large"
    with pytest.raises(SettingsError):
        request_in(document, tmp_path, samples)


def test_a_damaged_checkpoint_is_told_without_the_servers_folders_and_forgotten(runs, ask, kept):
    cut_off(runs, lambda: runs.begin("me", ask(size=32, steps=6)), stop)
    runs.unfinished_of("me").saver.path.write_bytes(b"damaged")
    job = cut_off(runs, lambda: runs.resume("me", STYLIZE), stop)
    with pytest.raises(CheckpointError, match="Run begins anew") as caught:
        job.result()
    assert str(kept) not in str(caught.value)
    assert runs.unfinished_of("me") is None
    assert runs.finished_of("me")  # the picture so far


def test_a_run_goes_on_where_no_checkpoint_can_be_written(runs, ask, kept, caplog):
    request = ask(size=32, steps=6)
    job = cut_off(
        runs,
        lambda: runs.begin("me", request),
        lambda job: (shutil.rmtree(job.unfinished.folder), job.stop()),
    )
    assert job.finished
    assert runs.unfinished_of("me") is None
    assert "The run itself is not affected" in caplog.text


def test_only_so_many_and_so_large_runs_are_kept(runs, ask, samples, tmp_path):
    request = ask(size=48, steps=1)

    def filled(most, megabytes, count=5):
        store = UnfinishedRuns(tmp_path / f"{most} {megabytes}", samples, most, megabytes)
        for number in range(count):
            run = store.begin(str(number), request)
            run.saver.path.write_bytes(bytes(400_000))
            run.saver.saved = True
            for path in run.folder.iterdir():
                os.utime(path, (1000 + number, 1000 + number))
        return store

    def there(store):
        return [number for number in range(5) if store.of(str(number))]

    many, large = filled(3, 100), filled(9, 1)
    many.tidy(1004.0, {many.of("0")})
    assert there(many) == [0, 2, 3, 4]
    large.tidy(1004.0, set())
    assert there(large) == [3, 4]
    large.tidy(1003.5 + AGE, set())
    assert there(large) == [4]
    assert len(list((tmp_path / "9 1").iterdir())) == 1
    assert UnfinishedRuns(tmp_path / "none", samples, 9, 0).begin("me", request) is None


def test_an_error_is_told_to_who_comes_back_later_until_the_next_run(runs, ask, monkeypatch):
    job = cut_off(runs, lambda: runs.begin("me", ask(size=32)), memory_is_full, at=1)
    with pytest.raises(OutOfMemory):
        job.result()
    assert "memory is full" in runs.failed_of("me").status
    assert runs.kind_left("me") is STYLIZE
    assert runs.failed_of("you") is None
    runs.begin("me", ask(steps=1)).result()
    assert runs.failed_of("me") is None
    cut_off(runs, lambda: runs.begin("me", ask(size=32)), memory_is_full, at=1)
    hour_later = time.time() + AGE + 1
    monkeypatch.setattr("nst_core.page.runs.time.time", lambda: hour_later)
    runs.tidy()
    assert runs.failed_of("me") is None
