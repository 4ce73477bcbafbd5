import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_what_a_step_costs_is_measured_for_every_size():
    command = [sys.executable, BENCHMARKS / "cost.py", "--sizes", "32,64", "--steps", "4"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split("|")[1].strip() for line in printed.splitlines()[2:]]
    assert rows == ["32 px", "64 px"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_where_there_is_no_card_its_checks_fail_and_say_so():
    command = [sys.executable, BENCHMARKS / "card.py"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr == "There is no NVIDIA card here. Nothing was checked.\n"
