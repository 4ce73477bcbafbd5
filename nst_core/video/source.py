"""A clip as frames in the size of the result, and masks that change with it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from torch import Tensor

from ..control.color import luma_of
from ..control.pyramid import fit, on_grid, resize
from ..errors import SettingsError
from ..files.clip import Clip
from ..files.read_image import load_image
from ..files.write_image import save_image
from ..settings import RunSettings
from .flows import Frame
from .folder import MAX_PIXELS

log = logging.getLogger(__name__)


def frame_size(height: int, width: int, settings: RunSettings, *, even: bool) -> tuple[int, int]:
    """(height, width) of the result for frames of this size.

    Args:
        height, width: of the video.
        settings: size and shape.
        even: whether both sides shall be even, as codecs want them.

    Raises:
        SettingsError: a video that is to be seamless.
    """
    if settings.seamless:
        raise SettingsError("A video cannot be seamless. Leave that setting off.")
    size = settings.size, settings.size
    if settings.shape != "square":
        size = fit(height, width, settings.size)
    return (on_grid(size[0], 2), on_grid(size[1], 2)) if even else size


@dataclass(frozen=True)
class ClipSource:
    """The frames of a clip, resized.

    Attributes:
        clip: where they are from.
        size: (height, width) of the result.
        every: how many frames of the clip one goes on; more than 1 is a preview.
    """

    clip: Clip
    size: tuple[int, int]
    every: int = 1

    def frames(self, first: int) -> Iterator[Frame]:
        """Its frames from an index on, one in memory."""
        found = islice(self.clip.frames(first * self.every), None, None, self.every)
        for index, frame in enumerate(found, first):
            yield Frame(index, resize(frame.image, *self.size))

    @property
    def count(self) -> int:
        """How many frames there are, as far as the clip says; 0 is not known."""
        return -(-self.clip.info.frames // self.every)


@dataclass
class ClipMasks:
    """Masks for each frame, out of a clip: white is painted.

    What is read is kept in a folder, for passes that go backward.

    Attributes:
        source: the clip; after its end its last mask stays.
        folder: where to; it exists when the first mask is asked for.
    """

    source: ClipSource
    folder: Path
    _ahead: Iterator[Frame] | None = None
    _next: int = field(default=0)

    def at(self, index: int) -> Tensor:
        """The (H, W) mask in [0, 1] of a frame."""
        path = self._path(index)
        if not path.exists():
            self._read(index)
        return luma_of(load_image(path, max_pixels=MAX_PIXELS))[0, 0]

    def _read(self, index: int) -> None:
        if self._ahead is None or self._next != index:
            self._ahead, self._next = self.source.frames(index), index
        frame, self._next = next(self._ahead, None), index + 1
        if frame is not None:
            save_image(frame.image, self._path(index), bits=16)
            return
        if not index:
            raise SettingsError(f"'{self.source.clip.path}' has no frame. Name another mask.")
        log.warning("'%s' has ended before the video: its last mask stays.", self.source.clip.path)
        save_image(self._last(index), self._path(index), bits=16)

    def _last(self, index: int) -> Tensor:
        return load_image(self._path(index - 1), max_pixels=MAX_PIXELS)

    def _path(self, index: int) -> Path:
        return self.folder / f"mask-{index + 1:06}.png"
