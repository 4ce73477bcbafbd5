"""Many jobs in a real ComfyUI, about half of them canceled, and what of them stays behind.

    COMFYUI_PATH=… COMFYUI_PYTHON=… python benchmarks/host_load.py [--jobs 200] [--seed 0]

The jobs are tiny and of every kind; some fail on purpose. They are canceled at random moments in
every way that the page has: interrupted, deleted from the queue, cleared. The first job is the
fresh host's picture; after each cancel the host must give the same one. Clients of the websocket
watch, never read, or vanish. Exits with 1 if something grew by more than 5 % since the warm-up, if
a picture differs, or if a cancel took longer than 2 seconds.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests/host"))

# Found by the line before.
from clients import Client
from jobs import ENDLESS, KINDS
from load import ROUNDS, Load
from real_host import PACK, Comfy

WARM_UP, MARGIN, AT_ONCE = 10, 1.05, 2.0
PREVIEW = "binary 1"
# Handles and threads come and go with each request.
SLACK = {"own": 0, "threads": 2, "handles": 6, "files": 0}


def taken(comfy: Comfy) -> dict[str, float]:
    """What its process has now."""
    process = Path(f"/proc/{comfy.process.pid}")
    facts = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    folders = (comfy.base / "temp", comfy.base / "user", Path(os.environ["TMPDIR"]))
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {
        "resident": comfy.memory(),
        # Without pages of files, which come and go as the machine needs memory.
        "own": int(facts["RssAnon"].split()[0]) / 1024,
        "threads": int(facts["Threads"]),
        "handles": len(list((process / "fd").iterdir())),
        "files": len([path for path in files if "__nst_checkpoints" not in path.parts]),
        "checkpoints": len([path for path in files if "__nst_checkpoints" in path.parts]),
    }


def loaded(comfy: Comfy, jobs: int, seed: int) -> bool:
    """Run them; print the table, and whether all is as it should be."""
    with Client(comfy.url) as watcher:
        load = Load(comfy, random.Random(seed), watcher.id)
        load.fresh = load.run_known()
        for kind in KINDS:
            load.end(load.submit(kind))
        load.interrupt_any_moment(load.submit("resumable", **ENDLESS))
        while load.jobs < WARM_UP:
            load.check_known()
        print(
            f"ComfyUI {comfy.version}\njobs        RSS       own threads handles files checkpoints"
        )
        first, turn = row_of(load), 0
        for goal in (jobs // 4, jobs // 2, jobs * 3 // 4, jobs):
            while load.jobs < goal:
                ROUNDS[turn % len(ROUNDS)](load)
                turn += 1
            last = row_of(load)
        for name, slack in SLACK.items():
            if last[name] > first[name] * MARGIN + slack:
                load.wrong.append(f"{name} grew by more than 5 %")
        return told(load, watcher)


def row_of(load: Load) -> dict[str, float]:
    """What it has once the garbage is collected, which a host does ten seconds after a job."""
    time.sleep(11)
    row = taken(load.comfy)
    columns = (
        "{resident:>7.0f} MB {own:>6.0f} MB {threads:>7} {handles:>7} {files:>5} {checkpoints:>11}"
    )
    print(f"{load.jobs:<5}" + columns.format(**row), flush=True)
    return row


def told(load: Load, watcher: Client) -> bool:
    """Print the rest; False if something is not as it should be."""
    print(f"ends: {dict(load.ends)}; the fresh host's picture {load.again} times")
    waits = sorted(load.waits)
    (median, _), (longest, kind) = waits[len(waits) // 2], waits[-1]
    print(f"{len(waits)} interrupts heard after {median:.3f} s, at most {longest:.3f} s ({kind})")
    print(
        f"the watcher got {sum(watcher.seen.values())} messages, {watcher.seen[PREVIEW]} previews"
    )
    for line in load.wrong:
        print(f"WRONG: {line}")
    return not load.wrong and longest < AT_ONCE


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args()
    checkout = Path(os.environ["COMFYUI_PATH"]).expanduser()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = f"{folder}/tmp"  # the host's own, to be looked at
        Path(os.environ["TMPDIR"]).mkdir()
        python = os.environ.get("COMFYUI_PYTHON", sys.executable)
        comfy = Comfy(checkout, python, Path(folder) / "base", extra=PACK / "tests/host/probe")
        try:
            good = loaded(comfy, arguments.jobs, arguments.seed)
        finally:
            comfy.stop()
    sys.exit(not good)


if __name__ == "__main__":
    main()
