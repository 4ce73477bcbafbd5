"""A process of its own that reads files and says how each went: one line in, one line out.

In: a reader and a path. Out, as JSON: seconds of processor time, bytes at the peak above those at
the start, and "read", "refused: ...", or "fault: ...". To run a program, to connect, or to write
outside of the file's folder is a fault too.
"""

import json
import logging
import os
import re
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

from readers import READERS  # noqa: E402

from nst_core.errors import NSTError  # noqa: E402

_RUNS = {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "os.fork"}
_RUNS |= {"socket.connect", "socket.bind", "ctypes.dlopen", "os.startfile"}
_CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod"}
_TEMPORARY = os.path.realpath(tempfile.gettempdir()) + os.sep  # asked now: it takes a lock
_tried = []
_folder = ""


def _watch(event, args):
    """An audit hook (PEP 578): raising does not help, for readers may catch it; so it is noted."""
    if not _folder:
        return
    if event in _RUNS:
        _tried.append(f"{event} {args!r}"[:200])
    elif event == "open" and isinstance(args[0], str | bytes):
        writes = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and not _is_own(args[0]):
            _tried.append(f"open {args!r}"[:200])
    elif event in _CHANGES and not _is_own(args[0]):
        _tried.append(f"{event} {args!r}"[:200])


def _is_own(path):
    full = os.path.realpath(os.fsdecode(path)) + os.sep
    return full.startswith((_folder, _TEMPORARY, os.devnull))


def _peak():
    """The most memory since `_reset`, and what is in use, in bytes (proc(5))."""
    status = Path("/proc/self/status").read_text()
    return tuple(
        1024 * int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmHWM", "VmRSS")
    )


def _reset():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def _outcome(reader, path):
    global _folder
    _folder = os.path.realpath(path.parent) + os.sep
    try:
        READERS[reader](path)
    except NSTError as error:
        words = str(error)
        return f"refused: {words[:300]}" if words else "fault: no words"
    except BaseException as error:  # noqa: BLE001  told to the parent, whatever it is
        frames = "".join(traceback.format_exception(error)[-6:])
        return f"fault: {frames[-1500:]}"
    finally:
        _folder = ""
    return "read"


def main():
    """Until the lines end."""
    sys.addaudithook(_watch)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        reader, path = json.loads(line)
        _reset()
        before, began = _peak()[1], time.process_time()
        outcome = _outcome(reader, Path(path))
        seconds = time.process_time() - began
        if _tried:
            outcome = f"fault: it tried {_tried}"
            _tried.clear()
        answer = json.dumps([seconds, max(0, _peak()[0] - before), outcome])
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
