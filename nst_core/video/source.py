"""A clip as frames in the size of the result, and masks that change with it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from .flows import FlowBetween, Frame
from .folder import MAX_PIXELS
from .moving_mask import moving_masks

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
class FrameMasks:
    """A mask for each frame: white is painted.

    What is made is kept in a folder, for frames that go back to earlier ones.

    Attributes:
        begin: (H, W) masks of the frames from an index on; after their end the last one stays.
        folder: where to; it exists when the first mask is asked for.
        name: whose masks they are.
    """

    begin: Callable[[int], Iterator[Tensor]]
    folder: Path
    name: str
    _ahead: Iterator[Tensor] | None = None
    _next: int = 0

    def at(self, index: int) -> Tensor:
        """The (H, W) mask in [0, 1] of a frame."""
        path = self._path(index)
        if not path.exists():
            save_image(self._read(index).expand(1, 3, -1, -1), path, bits=16)
        return load_image(path, max_pixels=MAX_PIXELS)[0, 0]

    def _read(self, index: int) -> Tensor:
        if self._ahead is None or self._next != index:
            self._ahead, self._next = self.begin(index), index
        mask, self._next = next(self._ahead, None), index + 1
        if mask is not None:
            return mask
        if not index:
            raise SettingsError(f"{self.name} has no frame. Name another mask.")
        log.warning("%s has ended before the video: its last mask stays.", self.name)
        return self.at(index - 1)

    def _path(self, index: int) -> Path:
        return self.folder / f"mask-{index + 1:06}.png"


def masks_of_clip(source: ClipSource, folder: Path) -> FrameMasks:
    """The masks that the frames of a clip are."""

    def begin(first: int) -> Iterator[Tensor]:
        return (luma_of(frame.image)[0, 0] for frame in source.frames(first))

    return FrameMasks(begin, folder, f"'{source.clip.path}'")


def masks_of_first(mask: Tensor, source: ClipSource, flow: FlowBetween, folder: Path) -> FrameMasks:
    """The masks that one over the first frame, (h, w), becomes as it moves with the flow."""

    def begin(first: int) -> Iterator[Tensor]:
        return islice(moving_masks(mask, source.frames(0), flow), first, None)

    return FrameMasks(begin, folder, "The mask")
