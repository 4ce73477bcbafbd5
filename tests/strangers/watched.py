"""Files read in another process, which may crash or hang without harm to the tests."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

CHILD = Path(__file__).with_name("child.py")
# How many times as many cases as the suite has.
LARGE = int(os.environ.get("NST_STRANGERS", "1"))
# What any file may take, whoever made it.
SECONDS, BYTES = 5.0, 10**9


class Reading(NamedTuple):
    """How it went: see child.py; a process that ended or hung is a fault."""

    seconds: float
    peak: int
    outcome: str

    @property
    def harmless(self):
        """Read or refused, within the limits."""
        fault = self.outcome.startswith("fault")
        return not fault and self.seconds < SECONDS and self.peak < BYTES


class Child:
    """The process; a new one after each that was lost."""

    def __init__(self):
        self._process = None

    def read(self, reader, path, patience=300.0):
        """A `Reading`."""
        process = self._process or self._started(reader, path)
        process.stdin.write(json.dumps([reader, str(path)]) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], patience)[0]:
            self.close()
            return Reading(patience, 0, "fault: it hung")
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            self.close()
            return Reading(0.0, 0, f"fault: the process ended with {code}")
        return Reading(*json.loads(line))

    def _started(self, reader, path):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        return self._process

    def close(self):
        """End it."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None
