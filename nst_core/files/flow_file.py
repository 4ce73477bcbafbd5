"""Optical flow in files: Middlebury's .flo and the 16-bit PNG of KITTI.

Formats: https://vision.middlebury.edu/flow/code/flow-code/README.txt and the development kit of
https://www.cvlibs.net/datasets/kitti/eval_flow.php.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..errors import ImageError
from .damage import DAMAGE
from .deep import keeps_16_bits, sixteen_bits
from .paths import check_readable

_MAGIC = 202021.25
# Middlebury's mark for what is not known: greater values are none.
_UNKNOWN = 1e9
# What is not known points far out of the picture, where nothing is trusted.
FAR_OUT = 1e6
# As a video of 8192x8192 px has.
MAX_PIXELS = 2**26


def read_flow(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Tensor:
    """(1, 2, H, W) in pixels, x then y; `FAR_OUT` where the file says that nothing is known.

    Args:
        path: of the file.
        max_pixels: the most that it may have.

    Raises:
        ImageError: it cannot be read, is no flow, or is too large.
    """
    path = Path(path)
    check_readable(path)
    read = _png if path.suffix.lower() == ".png" else _flo
    try:
        flow = read(path, max_pixels)
    except DAMAGE as error:
        raise ImageError(f"The flow '{path}' could not be read: {error}.") from error
    known = np.isfinite(flow).all(0) & (np.abs(flow) < _UNKNOWN).all(0)
    return torch.from_numpy(np.where(known, flow, np.float32(FAR_OUT)))[None].contiguous()


def write_flow(flow: Tensor, path: str | Path) -> None:
    """A (1, 2, H, W) flow as .flo."""
    values = flow[0].permute(1, 2, 0).contiguous().to("cpu", torch.float32).numpy()
    height, width = values.shape[:2]
    head = np.float32(_MAGIC).tobytes() + np.array([width, height], "<i4").tobytes()
    Path(path).write_bytes(head + values.astype("<f4").tobytes())


def _flo(path: Path, max_pixels: int) -> NDArray[np.float32]:
    with path.open("rb") as stream:
        head = stream.read(12)
        if len(head) < 12 or np.frombuffer(head, "<f4", 1)[0] != np.float32(_MAGIC):
            raise ValueError("it is no .flo file")
        width, height = np.frombuffer(head, "<i4", 2, offset=4).tolist()
        _check_size(width, height, max_pixels)
        wanted = 8 * width * height
        if path.stat().st_size != 12 + wanted:
            raise ValueError(f"{width}x{height} pixels are {12 + wanted} bytes, and it has others")
        values = np.frombuffer(stream.read(wanted), "<f4").reshape(height, width, 2)
    return np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32)


def _png(path: Path, max_pixels: int) -> NDArray[np.float32]:
    with Image.open(path, formats=["PNG"]) as picture:
        _check_size(*picture.size, max_pixels)
        if not keeps_16_bits(picture) or picture.mode != "RGB":
            raise ValueError("a flow in PNG has 16 bits and three channels")
    levels = sixteen_bits(lambda: Image.open(path, formats=["PNG"])).astype(np.float32)
    flow = (levels[..., :2] - 32768) / 64
    flow[levels[..., 2] == 0] = np.nan
    return np.ascontiguousarray(flow.transpose(2, 0, 1))


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise ValueError(f"it says that it has {width}x{height} pixels")
    if width * height > max_pixels:
        raise ValueError(f"it has {width}x{height} pixels, and the limit is {max_pixels:,}")
