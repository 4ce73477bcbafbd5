"""Bytes that a run takes at its peak beside the network, and what is said before.

Arguments: longer side in pixels, precision and style scale. The precision "auto" is that of a
processor without bfloat16.
"""

import sys
from pathlib import Path

import torch
from small import picture

from nst_core import Runtime, Settings, losses_of, stylize
from nst_core.files.weights.assemble import assembled
from nst_core.files.weights.names import SHAPES
from nst_core.gatys.preprocessing import CAFFE
from nst_core.run.memory import give_back_memory
from nst_core.run.plan import needs


def bytes_of(name: str) -> int:
    """Of this process alone: `getrusage` also knows the peak of whoever started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


size, precision, style_scale = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
device = torch.device("cpu")
runtime = Runtime(device) if precision == "float32" else Runtime(device).exact()
# One by one in the layout they stay in: making them must not be the peak.
weights = {
    name: torch.randn(shape)
    .mul_(0.05)
    .contiguous(memory_format=torch.channels_last if len(shape) == 4 else torch.contiguous_format)
    for name, shape in SHAPES.items()
}
network = assembled(weights, CAFFE, copy=False)
settings = Settings(size=size, steps=1, scales=1, style_scale=style_scale)
losses = losses_of(picture(size, size, seed=1), [picture(size, size, seed=2)], settings)
give_back_memory()
before, peak_before = bytes_of("VmRSS"), bytes_of("VmHWM")
stylize(losses, vgg=network, settings=settings, runtime=runtime)
peak = bytes_of("VmHWM")
assert peak > peak_before  # or it was not this run's
print(peak - before, needs(losses, settings=settings, runtime=runtime).memory)  # noqa: T201
