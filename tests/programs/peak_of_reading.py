"""Bytes that reading a square picture takes at its peak, shrunk as it is read; a line for each.

Arguments: its side, the side in which it is needed, and files; those that are not there are made.
"""

import sys
from pathlib import Path

import torch
from PIL import Image

from nst_core.files import pixels, read_image


def bytes_of(name: str) -> int:
    """Of this process alone: `getrusage` also knows the peak of whoever started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


side, small = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)
if side <= 4096:  # as large as a test can wait for: it is large, and strips are as much smaller
    read_image.WHOLE_PIXELS = 0
    pixels._STRIP_PIXELS = 1 << 16
for path in map(Path, sys.argv[3:]):
    if not path.exists():
        pattern = Image.frombytes("RGB", (64, 64), bytes(range(256)) * 48)
        pattern.resize((side, side)).save(path)
        del pattern
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = bytes_of("VmRSS")
    read_image.load_image(path, max_pixels=2**30, needed=lambda *_: (small, small))
    print(bytes_of("VmHWM") - before)  # noqa: T201
