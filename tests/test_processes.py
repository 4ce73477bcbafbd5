"""Several processes for one picture: started by torchrun, on this machine's loopback."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from inspect import signature
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import picture
from torch.distributed import HashStore
from torch.distributed.run import get_args_parser

import nst_core
from nst_core import load_image, save_image
from nst_core.cli.sharing import threads_each
from nst_core.cli.stylize import stylize_order
from nst_core.control.blocks import ALIGNMENT, blocks_of
from nst_core.processes import ALONE, Processes
from nst_core.run.checkpoint import load_checkpoint
from nst_core.run.heartbeat import Heartbeat

TESTS = Path(__file__).parent
EXAMPLES = TESTS.parent / "examples"
SIDES = st.integers(1, 700)
SHORT = ("--weights", "untrained", "--size", "48", "--scales", "1", "--tolerance", "0")
SHORT += ("--style-layers", "relu1_1,relu2_1", "--content-layers", "relu2_2")
# Runs that are killed take long; the usual suite has one of each kind.
KILLS = int(os.environ.get("NST_KILLS", "1"))


@given(SIDES, SIDES, st.integers(1, 9), st.sampled_from([16, 64]), st.booleans())
def test_every_pixel_is_in_one_block(height, width, count, margin, wrap):
    blocks = blocks_of(height, width, margin, count, wrap=wrap)
    assert len(blocks) == count
    assert sum(len(rows) * len(columns) for rows, columns in blocks) == height * width
    for rows, columns in blocks:
        assert rows.start % ALIGNMENT == columns.start % ALIGNMENT == 0
        assert rows.stop in (0, height) or rows.stop % ALIGNMENT == 0
        assert columns.stop in (0, width) or columns.stop % ALIGNMENT == 0


def test_blocks_at_the_edge_are_larger_because_they_read_less_beyond_themselves():
    outer, inner, other = (len(columns) for _, columns in blocks_of(64, 1024, 64, 3))
    assert outer == other > inner
    assert abs((outer + 64) - (inner + 128)) <= ALIGNMENT


@given(st.integers(0, 100), st.integers(1, 9))
def test_shares_are_all_of_it(length, size):
    shares = [Processes(rank, size).share_of(length) for rank in range(size)]
    assert [place for share in shares for place in range(length)[share]] == list(range(length))


def test_a_process_alone_exchanges_nothing():
    assert ALONE.told("word") == ["word"]
    assert list(ALONE.taken_from([1, 2])) == [1, 2]


def test_cores_are_shared_out_unless_it_is_said_how_many_threads():
    assert threads_each({"LOCAL_WORLD_SIZE": "1"}) is None
    assert threads_each({"LOCAL_WORLD_SIZE": "2", "OMP_NUM_THREADS": "3"}) is None
    assert threads_each({"LOCAL_WORLD_SIZE": "100000"}) == 1


def test_a_process_that_gives_no_sign_of_life_is_named(monkeypatch):
    monkeypatch.setattr("nst_core.run.heartbeat._PERIOD", 0.01)
    store = HashStore()
    alive, silent = (Heartbeat(store, rank, 2) for rank in range(2))
    assert alive.lost is None
    silent.end()
    for thread in threading.enumerate():
        if thread.name == "heartbeat":
            thread.join(timeout=60)  # the other one's ends as soon as it knows
    assert alive.lost.startswith("process 0 " if alive._rank else "process 1 ")


def test_the_examples_for_clusters_have_flags_that_there_are():
    yaml = pytest.importorskip("yaml")
    script = (EXAMPLES / "slurm.sh").read_text()
    subprocess.run(["bash", "-n", EXAMPLES / "slurm.sh"], check=True)
    services = yaml.safe_load((EXAMPLES / "compose.yaml").read_text())["services"]
    commands = [service["command"] for service in services.values()]
    assert len(commands) == 2
    for text in (script[script.index("torchrun") :].replace("\\\n", " "), *commands):
        ours, theirs = (
            set(re.findall("--[a-z-]+", part)) for part in text.split("-m nst_core")[::-1]
        )
        assert theirs <= set(get_args_parser()._option_string_actions)
        assert ours <= {
            f"--{name.replace('_', '-')}" for name in signature(stylize_order).parameters
        }


def torchrun(count, *words, **options):
    """A started torchrun of so many processes; PYTHONPATH leads to the package and to the tests."""
    paths = os.pathsep.join([str(Path(nst_core.__file__).parents[1]), str(TESTS)])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    return subprocess.Popen(
        [*command, str(count), *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def ended(process):
    """Exit code, stdout and stderr; it ends."""
    try:
        out, err = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate(timeout=60)
        raise
    return process.returncode, out, err


def test_a_shared_picture_is_the_one_made_alone():
    code, out, err = ended(torchrun(3, TESTS / "programs" / "shared_picture.py"))
    assert code == 0, err
    rows = [line.split(": ") for line in out.splitlines()]
    assert len(rows) >= 8
    for name, change, same in rows:
        assert same == "True", name  # all processes have the same bits
        assert float(change) <= (1e-4 if name == "float32" else 1e-7), name


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with content.png and style.png."""
    for seed, name in enumerate(("content", "style")):
        save_image(picture(40, 40, seed=seed), tmp_path / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stylizing(count, output, *flags, restarts=0):
    words = ("--max-restarts", restarts, "-m", "nst_core", "stylize", "content.png", "style.png")
    return torchrun(count, *words, "-o", output, *SHORT, *flags)


def workers_of(process):
    """Process ids of what torchrun has started, by rank."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True
    )
    return sorted(map(int, listed.stdout.split()))


def wait_for(path, process):
    """Until a file is there."""
    began = time.monotonic()
    while not path.exists():
        assert time.monotonic() - began < 60
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
            raise AssertionError(process.communicate())


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes with ps")
def test_after_a_process_was_killed_the_others_end_and_the_run_goes_on_to_the_same_bytes(folder):
    steps = ("--steps", "40")
    code, _, err = ended(stylizing(2, "whole.png", *steps))
    assert code == 0, err
    assert not list(folder.glob("*.checkpoint"))
    process = stylizing(2, "out.png", *steps)
    wait_for(folder / "out.png.checkpoint", process)
    os.kill(workers_of(process)[-1], signal.SIGKILL)
    code, _, err = ended(process)
    assert code != 0
    assert not (folder / "out.png").exists()
    assert "nst resume 'out.png.checkpoint'" in err
    code, _, err = ended(torchrun(2, "-m", "nst_core", "resume", "out.png.checkpoint"))
    assert code == 0, err
    assert (folder / "out.png").read_bytes() == (folder / "whole.png").read_bytes()


@pytest.mark.skipif(KILLS < 2, reason="set NST_KILLS to 2 or more")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_torchrun_starts_the_run_anew_from_its_checkpoint(folder, sent):
    assert ended(stylizing(4, "whole.png", "--steps", "60"))[0] == 0
    process = stylizing(4, "out.png", "--steps", "60", restarts=2)
    wait_for(folder / "out.png.checkpoint", process)
    began = time.monotonic()
    os.kill(workers_of(process)[0], sent)
    code, _, err = ended(process)
    assert code == 0, err
    assert time.monotonic() - began < 60
    assert (folder / "out.png").read_bytes() == (folder / "whole.png").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_sigterm_ends_all_with_the_picture_so_far_and_a_checkpoint(folder):
    process = stylizing(2, "out.png", "--steps", "4000")
    wait_for(folder / "out.png.checkpoint", process)
    process.send_signal(signal.SIGTERM)
    code, out, err = ended(process)
    assert code != 0
    assert out.split() == ["out.png"]
    assert "To go on: nst resume" in err
    assert load_image(folder / "out.png", max_pixels=10**6).shape == (1, 3, 48, 48)
    assert load_checkpoint(folder / "out.png.checkpoint").records


def test_a_folder_is_shared_out_and_reported_once(folder):
    (folder / "photos").mkdir()
    for name in "abc":
        save_image(picture(40, 40, seed=ord(name)), folder / "photos" / f"{name}.png")
    words = ("stylize", "photos", "style.png", "-o", "made", *SHORT, "--steps", "2")
    code, _, err = ended(torchrun(2, "-m", "nst_core", *words))
    assert code == 0, err
    assert sorted(path.name for path in (folder / "made").iterdir()) == ["a.png", "b.png", "c.png"]
    assert len(re.findall("Done: 3 of 3 pictures made", err)) == 1


def test_processes_with_other_pictures_refuse_to_work_together(folder):
    (folder / "each.sh").write_text(
        'exec "$0" -m nst_core stylize content.png "$1$RANK.png" "${@:2}"'  # a style of its own
    )
    for rank in range(2):
        save_image(picture(40, 40, seed=rank), folder / f"style{rank}.png")
    words = ("--no-python", "bash", "-c", (folder / "each.sh").read_text(), sys.executable, "style")
    code, _, err = ended(torchrun(2, *words, "-o", "out.png", *SHORT, "--steps", "2"))
    assert code != 0
    assert "Process 1 has other pictures than process 0" in err
    assert not (folder / "out.png").exists()
