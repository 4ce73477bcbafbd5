"""A run that plans with all of the machine's memory, in a process that gets little of it.

Prints the tiles in which it was finished, and 1 if its picture has only numbers.
"""

import resource

import torch
from small import picture, seeded_vgg

from nst_core import Runtime, Settings, losses_of, stylize
from nst_core.run.system_memory import held_by_process

SIZE, MORE = 512, 170_000_000
settings = Settings(size=SIZE, steps=0, scales=1, history=1, init="noise", style_layers="low")
losses = losses_of(None, [picture(SIZE, SIZE, seed=2)], settings)
network, runtime = seeded_vgg(), Runtime(torch.device("cpu"))
network(picture(32, 32), ["relu2_1"])  # libraries have what they want
limit = held_by_process()["VmData"] + MORE
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
result = stylize(losses, vgg=network, settings=settings, runtime=runtime)
print(result.tile, int(result.image.isfinite().all()))  # noqa: T201
