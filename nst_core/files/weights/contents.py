"""What the readers of weights files share."""

import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

RETRY = "Download or copy the file again."
SAVE_WEIGHTS = "Save the network's state_dict(), best as safetensors, and use that."

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
