"""Settings of a page that serves others."""

from dataclasses import dataclass

from .option import Checked, option
from .run import MAX_SIZE


@dataclass(frozen=True, kw_only=True)
class ServingSettings(Checked):
    """What one visitor may ask for, so that nobody can take the machine from the others."""

    max_size: int = option(
        1024, "Longest side that may be asked for, in pixels.", minimum=16, maximum=MAX_SIZE
    )
    max_steps: int = option(
        1000, "Most L-BFGS steps that may be asked for.", minimum=1, maximum=100_000
    )
    max_frames: int = option(240, "Most frames of a clip.", minimum=2, maximum=1_000_000)
    max_minutes: float = option(
        15.0,
        "Minutes a run may take; then it ends with the best picture, or the frames, so far.",
        minimum=0.01,
        maximum=1e6,
    )
    max_waiting: int = option(
        30, "Visitors whose runs may wait or work at once.", minimum=1, maximum=10_000
    )
    max_upload: int = option(30, "Megabytes of one file.", minimum=1, maximum=10_000)
    # Five photographs of a telephone, or one of its largest. As float32 and with the engine's own
    # copy they are 1.5 GB while their run works, and one works at a time.
    max_megapixels: int = option(
        64,
        "Millions of pixels of one picture, and of all pictures of a run together.",
        minimum=1,
        maximum=2000,
    )
    max_checkpoints: int = option(
        2000,
        "Megabytes of disk for runs that were cut off, so that their visitors can go on; 0 keeps "
        "none.",
        minimum=0,
        maximum=10_000_000,
    )
