"""Optical flow that somebody else has computed: in files, or as tensors."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..control.flow import resized_flow, warped_linear
from ..errors import ImageError, SettingsError
from ..files.flow_file import FAR_OUT, read_flow
from .flows import FlowBetween, Frame

log = logging.getLogger(__name__)

# How pairs are called in a folder, from the first frame to the second, counted from 1. The last
# are those of artistic-videos, where each direction has a name of its own.
_NAMES = (
    ("{first:6}-{second:6}.flo", "{first:6}-{second:6}.flo"),
    ("{first:6}-{second:6}.png", "{first:6}-{second:6}.png"),
    ("forward_{first}_{second}.flo", "backward_{first}_{second}.flo"),
)
_FIELD = re.compile(r"\{(first|second)(?::(\d{1,2}))?\}")


@dataclass(frozen=True, eq=False)
class GivenFlow:
    """Flow between any two frames of a video, out of that between neighbors.

    Attributes:
        of: numbers of two frames, counted from 0 -> (1, 2, h, w) in pixels of any size; None if
            there is none for them. Of neighbors it raises instead.
    """

    of: Callable[[int, int], Tensor | None]

    def __call__(self, first: Frame, second: Frame) -> Tensor:
        """In pixels of the frames.

        Raises:
            ImageError, SettingsError: it is not there, or of a picture of another shape.
        """
        size = first.image.shape[-2:]
        direct = self.of(first.index, second.index)
        if direct is not None:
            return _fitted(direct, *size)
        step = 1 if second.index > first.index else -1
        flow = torch.zeros(1, 2, *size)
        for index in range(first.index, second.index, step):
            one = self.of(index, index + step)
            if one is None:
                raise SettingsError(
                    f"There is no optical flow from frame {index + 1} to frame {index + step + 1}."
                )
            flow = flow + warped_linear(_fitted(one, *size), flow)
        return flow


def flow_of_tensors(forward: Tensor, backward: Tensor) -> FlowBetween:
    """Flow of a whole video.

    Args:
        forward: (N - 1, 2, h, w), from each frame to the next, in pixels; what is not finite is not
            known.
        backward: likewise, from each next frame to the one before it.

    Raises:
        SettingsError: they are no such tensors.
    """
    for flow in (forward, backward):
        if flow.ndim != 4 or flow.shape[1] != 2 or flow.shape != forward.shape:
            raise SettingsError(
                f"The optical flows have the shapes {tuple(forward.shape)} and "
                f"{tuple(backward.shape)}. Use (frames - 1, 2, height, width) for both."
            )

    def of(first: int, second: int) -> Tensor | None:
        if abs(first - second) != 1:
            return None
        pairs, index = (forward, first) if second > first else (backward, second)
        if not 0 <= index < len(pairs):
            raise SettingsError(
                f"The optical flow is of {len(pairs) + 1} frames, and the video has more. Take "
                "both from the same video, uncut."
            )
        flow = pairs[index : index + 1].detach().to("cpu", torch.float32)
        return torch.where(flow.isfinite().all(1, keepdim=True), flow, FAR_OUT)

    return GivenFlow(of)


def flow_of_files(where: str | Path, every: int = 1) -> FlowBetween:
    """Flow in .flo or KITTI's PNG files, two for each pair of frames: there and back.

    Pairs that are farther apart and have no file are put together from those between them.

    Args:
        where: a folder with files as in `_NAMES`; or a path with {first} and {second} in it, such
            as flow/{first:4}_{second:4}.flo, which stand for the numbers of two frames, counted
            from 1 and with zeros up to so many digits.
        every: how many frames of the video one goes on.

    Raises:
        ImageError: there is no such folder, or none of its files is called so.
        SettingsError: the path lacks {first} or {second}.
    """
    there, back = _patterns(where)

    def of(first: int, second: int) -> Tensor | None:
        numbers = {"first": first * every + 1, "second": second * every + 1}
        path = Path(_named(there if second > first else back, numbers))
        if path.is_file():
            return read_flow(path)
        if abs(second - first) > 1:
            return None
        raise ImageError(
            f"The optical flow from frame {numbers['first']} to {numbers['second']} is missing: "
            f"'{path}'. Each pair of neighbors needs two files, there and back."
        )

    return GivenFlow(of)


def _patterns(where: str | Path) -> tuple[str, str]:
    """Forward and backward."""
    text = str(where)
    fields = {name for name, _ in _FIELD.findall(text)}
    if fields == {"first", "second"}:
        return text, text
    folder = Path(where).expanduser()
    if fields or not folder.is_dir():
        raise SettingsError(
            f"'{where}' is no folder with optical flow. Name one, or a path with {{first}} and "
            "{second} for the numbers of the frames, such as flow/{first:4}_{second:4}.flo."
        )
    for there, back in _NAMES:
        if (folder / _named(there, {"first": 1, "second": 2})).is_file():
            return str(folder / there), str(folder / back)
    names = ", ".join(f"'{_named(there, {'first': 1, 'second': 2})}'" for there, _ in _NAMES)
    raise ImageError(f"'{folder}' has no optical flow from frame 1 to frame 2: none of {names}.")


def _named(pattern: str, numbers: dict[str, int]) -> str:
    return _FIELD.sub(lambda found: f"{numbers[found[1]]:0{found[2] or 1}}", pattern)


def _fitted(flow: Tensor, height: int, width: int) -> Tensor:
    """In pixels of frames of that size.

    Raises:
        SettingsError: frames have another shape.
    """
    rows, columns = flow.shape[-2:]
    # Sides are rounded to whole pixels, in both.
    if abs(rows * width - columns * height) > max(rows, columns, height, width):
        raise SettingsError(
            f"The optical flow is {columns}x{rows} pixels, another shape than the frames, which "
            f"are {width}x{height}. Compute it from this video, uncut."
        )
    return resized_flow(flow, height, width)
