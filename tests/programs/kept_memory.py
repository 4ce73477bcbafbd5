"""Bytes that stay with the process of 200 MB, allocated and freed within a search of one picture.

Prints: of 2 MB blocks in the search, of 20 MB blocks there, and all that is left after it.
"""

from pathlib import Path

import torch
from small import picture, seeded_vgg

from nst_core import Runtime, Settings, losses_of, stylize


def held() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def left_of(count: int, size: int) -> int:
    """Bytes that stay of `count` blocks of `size` bytes."""
    before = held()
    blocks = [torch.ones(size, dtype=torch.uint8) for _ in range(count)]
    del blocks
    return held() - before


settings = Settings(size=32, steps=0, scales=1, content_layers="low", style_layers="low")
losses = losses_of(picture(32, 32, seed=1), [picture(32, 32, seed=2)], settings)
network, left = seeded_vgg(), []
before = held()
stylize(
    losses,
    vgg=network,
    settings=settings,
    runtime=Runtime(torch.device("cpu")),
    on_progress=lambda progress: left.extend([left_of(10, 20 << 20), left_of(100, 2 << 20)]),
)
larger, kept = left
print(kept, larger, held() - before)  # noqa: T201
