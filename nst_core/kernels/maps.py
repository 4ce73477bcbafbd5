"""A map of features on disk, for the targets of content pictures too large for memory."""

from typing import cast

import torch
from torch import Tensor

from ..gatys.statistics import Window
from .disk import File


class MapOnDisk:
    """(1, N, h, w) features in a temporary file, row after row, of which windows are read.

    Args:
        like: features, for their dtype.
        channels, height, width: of the whole map.
    """

    def __init__(self, like: Tensor, channels: int, height: int, width: int) -> None:
        self.shape, self._dtype = torch.Size((1, channels, height, width)), like.dtype
        self._row = width * channels
        self._file = File(height * self._row * like.itemsize)

    def __getitem__(self, window: Window) -> Tensor:
        """A copy of the features in a window, channels-last."""
        return self._mapped(window).clone(memory_format=torch.channels_last)

    def __setitem__(self, window: Window, features: Tensor) -> None:
        self._mapped(window).copy_(features)

    def _mapped(self, window: Window) -> Tensor:
        _, channels, height, width = self.shape
        first, last, _ = window[1].indices(height)
        start, count = first * self._row * self._dtype.itemsize, (last - first) * self._row
        rows = self._file.tensor(start, count, self._dtype).view(1, last - first, width, channels)
        return rows[:, :, window[2]].movedim(-1, 1)


def map_on_disk(like: Tensor, channels: int, height: int, width: int) -> Tensor:
    """As `MapOnDisk`: what is asked of it, its shape and its windows, is as of a tensor."""
    return cast(Tensor, MapOnDisk(like, channels, height, width))
