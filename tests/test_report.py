"""The report of a run: complete, true, and strictly JSON."""

import json
import math
from dataclasses import asdict, replace

import pytest
import torch
from small import picture

from nst_core import Result, Runtime, Settings, losses_of, stylize
from nst_core.control.pyramid import Scale
from nst_core.errors import ImageError
from nst_core.files.paths import check_report
from nst_core.run.progress import Record
from nst_core.run.report import report_of, save_report, summary_of

SETTINGS = Settings(size=64, steps=4, scales=2, tolerance=0.0)
RUNTIME = Runtime(torch.device("cpu"))
NAMES = {"content": "c.png", "styles": ["s.png", "sample:ink"]}


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


def strictly(report):
    """The report as another program reads it."""
    return json.loads(json.dumps(report, allow_nan=False), parse_constant=refuse)


@pytest.fixture(scope="module")
def result(vgg):
    losses = losses_of(picture(48, 64), [picture(32, 32, seed=1)], SETTINGS)
    return stylize(losses, vgg=vgg, settings=SETTINGS, runtime=RUNTIME)


@pytest.fixture
def report(result, vgg):
    return strictly(report_of(result, settings=SETTINGS, vgg=vgg, runtime=RUNTIME, **NAMES))


def made_up(*losses, scale=1):
    """A result with one record for each (step, loss)."""
    records = tuple(Record(scale, step, number, loss, {"a": loss}, number)
                    for number, (step, loss) in enumerate(losses, 1))  # fmt: skip
    return Result(torch.zeros(1, 3, 8, 8), records, (Scale(8, 8, 9),), ("done",), 0, 1.0)


def test_every_evaluation_is_there_with_parts_that_add_up(report, result):
    assert report["evaluations"] == len(report["records"]) == len(result.records)
    for number, record in enumerate(report["records"], 1):
        assert record["evaluation"] == number
        assert sum(record["parts"].values()) == pytest.approx(record["loss"], rel=1e-9)


def test_settings_come_back_as_they_went_in(report):
    assert Settings(**report["settings"]) == SETTINGS
    assert report["settings"] == asdict(SETTINGS)


def test_each_scale_says_its_size_its_losses_and_why_it_ended(report, result):
    assert [(scale["width"], scale["height"]) for scale in report["scales"]] == [(32, 24), (64, 48)]
    assert sum(scale["evaluations"] for scale in report["scales"]) == report["evaluations"]
    for scale, stop in zip(report["scales"], result.stops, strict=True):
        assert scale["stop"] == stop
        assert scale["final_loss"] < scale["first_loss"]


def test_the_final_loss_is_that_of_the_last_scale(report):
    assert report["final_loss"] == report["scales"][-1]["final_loss"]
    assert report["first_loss"] == report["records"][0]["loss"]


def test_it_says_what_the_run_was_made_with(report, vgg):
    assert report["weights"] == vgg.source
    assert report["preprocessing"] == "caffe"
    assert report["device"] == "cpu"
    assert report["versions"]["torch"] == torch.__version__
    assert report["content"] == "c.png"
    assert report["styles"] == ["s.png", "sample:ink"]
    assert report["start"] == "content"
    assert report["peak_memory"] is None or report["peak_memory"] > 1e7
    assert report["interrupted"] is False


def test_a_loss_that_is_no_number_is_null(vgg):
    run = made_up((0, 4.0), (0, math.inf), (0, math.nan), (1, 2.0))
    report = strictly(report_of(run, settings=SETTINGS, vgg=vgg, runtime=RUNTIME, **NAMES))
    assert [record["loss"] for record in report["records"]] == [4.0, None, None, 2.0]
    assert report["records"][1]["parts"] == {"a": None}


def test_a_trial_that_was_no_step_is_not_the_final_loss(vgg):
    run = made_up((0, 4.0), (1, 2.0), (1, 3.0), (1, 1.999999))
    report = strictly(report_of(run, settings=SETTINGS, vgg=vgg, runtime=RUNTIME, **NAMES))
    assert report["final_loss"] == report["best_loss"] == 2.0


def test_an_interrupted_run_has_a_report_too(vgg):
    run = replace(made_up((0, 4.0)), stops=("Ctrl-C",))
    report = report_of(
        run, settings=SETTINGS, vgg=vgg, runtime=RUNTIME, start="x.png", interrupted=True, **NAMES
    )
    assert strictly(report)["interrupted"] is True
    assert report["start"] == "x.png"


def test_the_summary_is_small_enough_for_a_picture(vgg):
    assert len(json.dumps(summary_of(settings=SETTINGS, vgg=vgg, **NAMES))) < 2000


def test_a_report_is_written_whole_and_leaves_nothing_else(tmp_path, report):
    save_report(report, tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=refuse) == report
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize("name", ["r.txt", "missing/r.json", "."])
def test_a_path_that_cannot_be_written_is_told_before(tmp_path, name):
    with pytest.raises(ImageError, match="'"):
        check_report(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("folder", ["/home/ada/pictures/", "C:\\Users\\ada\\", "../ada/", ""])
def test_of_paths_only_the_names_of_files_are_stored(folder, vgg):
    summary = summary_of(
        settings=replace(SETTINGS, weights=f"{folder}mine.pt"),
        vgg=vgg,
        content=f"{folder}c.png",
        styles=[f"{folder}s.png", f"red={folder}t.png", "sample:ink"],
        start=f"{folder}x.png",
    )
    assert summary["content"] == "c.png"
    assert summary["styles"] == ["s.png", "red=t.png", "sample:ink"]
    assert summary["start"] == "x.png"
    assert summary["settings"]["weights"] == "mine.pt"
    assert "ada" not in json.dumps(summary)
