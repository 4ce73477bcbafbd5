"""What the readers of weights files share."""

import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from ...errors import WeightsError

RETRY = "Download or copy the file again."
SAVE_WEIGHTS = "Save the network's state_dict(), best as safetensors, and use that."

# VGG-16 with its classifier and the two moments of an optimizer is 1.7 GB.
LARGEST = 2 << 30  # bytes that a file may unpack to

# What libraries let through on damaged files, besides their own errors.
DAMAGE = (RuntimeError, ValueError, EOFError, LookupError, AttributeError, TypeError, OSError,
          AssertionError, ArithmeticError, MemoryError, struct.error, zlib.error,
          zipfile.BadZipFile)  # fmt: skip


@dataclass(frozen=True)
class Contents:
    """Tensors by the names that they have in a file.

    Attributes:
        container: "safetensors", "torch" or "keras".
        tensors: kernels in the order of axes of the file.
        metadata: what the file says beside them.
    """

    container: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)


def too_large(path: Path, size: int, most: int = LARGEST) -> WeightsError:
    """The refusal of a file that would unpack to `size` bytes."""
    return WeightsError(
        f"{path} would unpack to {size / 1e9:,.1f} GB, and at most {most / 1e9:.1f} GB are "
        "read. Save VGG-16's weights alone, in a file of their own."
    )
