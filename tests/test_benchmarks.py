import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small import seeded_vgg

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
# The pictures are so small that a second thread costs more than it brings.
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}


def test_what_a_step_costs_is_measured_for_every_size():
    command = [sys.executable, BENCHMARKS / "cost.py", "--sizes", "32,64", "--steps", "4"]
    printed = subprocess.run(
        command, env=ONE_THREAD, capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split("|")[1].strip() for line in printed.splitlines()[2:]]
    assert rows == ["32 px", "64 px"]


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_the_memory_of_a_cell_is_measured_beside_what_was_estimated():
    command = [sys.executable, BENCHMARKS / "memory.py", "--one", "size=64, tile=32"]
    printed = subprocess.run(
        command, env=ONE_THREAD, capture_output=True, text=True, check=True
    ).stdout
    row = json.loads(printed)
    assert row["tile"] == 32
    assert 0 < row["used"] < row["all"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_tiles_cost_is_printed_beside_an_untiled_picture():
    command = [sys.executable, BENCHMARKS / "tiles.py", "--small", "32", "--size", "64"]
    command += ["--tiles", "32", "--precisions", "float32", "--rounds", "1"]
    printed = subprocess.run(
        command, env=ONE_THREAD, capture_output=True, text=True, check=True
    ).stdout
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines()[2:]]
    assert [row[:3] for row in rows] == [
        ["32 px", "untiled", "float32"],
        ["64 px", "32", "float32"],
    ]
    assert all(float(row[4]) > 0 for row in rows)


def test_the_work_for_plain_l_bfgs_losses_is_printed_for_each_cell_and_on_average():
    # The smallest that all layers have features of; a hundred evaluations each.
    command = [sys.executable, BENCHMARKS / "path.py", "--size", "32"]
    command += ["--pair", "harbor,brushstrokes", "--objective", "mean", "--start", "content"]
    printed = subprocess.run(
        command, env=ONE_THREAD, capture_output=True, text=True, check=True
    ).stdout
    heads, _, row, *means = printed.splitlines()
    assert heads.split("|")[-4:-1] == [" 25 ", " 50 ", " 100 "]
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[:5] == ["builtin", "32", "harbor,brushstrokes", "mean", "content"]
    shares = [float(cell) for cell in cells[5:]]
    assert len(shares) == 3
    assert all(0 < share < math.inf for share in shares)
    mean = math.prod(shares) ** (1 / 3)
    assert [line.split(":")[0] for line in means] == ["builtin", "all"]
    for line in means:
        found, largest = map(float, re.findall(r"[\d.]+", line))
        assert found == pytest.approx(mean, abs=0.01)  # of shares with two digits
        assert largest == max(shares)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """What a comparison of four with a weights file printed, and its report."""
    folder = tmp_path_factory.mktemp("compared")
    torch.save(seeded_vgg().weights(), folder / "vgg16.pth")
    command = [sys.executable, BENCHMARKS / "compare.py", "--size", "48", "--evaluations", "4"]
    command += ["--weights", "vgg16.pth", "--json", "report.json"]
    for name in ("ours", "ours at one scale", "convolutions", "convolutions in float32"):
        command += ["--without", name]
    run = subprocess.run(
        command, cwd=folder, env=ONE_THREAD, capture_output=True, text=True, check=True
    )
    (folder / "vgg16.pth").unlink()  # 59 MB, and pytest keeps the folder
    return run.stdout, json.loads((folder / "report.json").read_text())


def test_all_that_is_compared_begins_with_the_loss_of_the_content(compared):
    _, report = compared
    own = {row["name"]: row["own_start_loss"] for row in report["rows"]}
    assert own.keys() == {"torch-lbfgs", "scipy", "ours in float32", "ours, plain"}
    rounded = own.pop("ours, plain")  # in bfloat16, where there is
    assert list(own.values()) == pytest.approx([report["start_loss"]] * 3, rel=1e-3)
    assert rounded == pytest.approx(report["start_loss"], rel=0.05)


def test_a_comparison_says_what_it_is_of_and_both_losses(compared):
    printed, report = compared
    heading, _, heads, _, *lines = printed.splitlines()
    assert heading.startswith("vgg16.pth (caffe layout); 48x36 px, harbor in brushstrokes")
    columns = [head.strip() for head in heads.split("|")[1:-1]]
    assert columns[6:] == [
        "own loss",
        "8-bit loss",
        "to torch-lbfgs's loss at 4",
        "to ours, plain's loss at 4",
    ]
    for row, line in zip(report["rows"], lines, strict=False):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        assert cells[0] == row["name"]
        assert float(cells[6]) == pytest.approx(row["own_loss"], rel=1e-5)
        assert float(cells[7]) == pytest.approx(row["final_loss"], rel=1e-5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_where_there_is_no_card_its_checks_fail_and_say_so():
    command = [sys.executable, BENCHMARKS / "card.py"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr == "There is no NVIDIA card here. Nothing was checked.\n"


def test_no_benchmark_hides_a_module_of_the_tests_that_benchmarks_import():
    tests = Path(__file__).parent
    borrowed = {path.name for name in ("host", "page") for path in (tests / name).glob("*.py")}
    assert not borrowed & {path.name for path in BENCHMARKS.glob("*.py")}
