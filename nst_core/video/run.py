"""A whole video, made out of settings, a clip and styles; gone on with where it was ended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ..control.losses import Keep, Loss
from ..errors import ImageError, SettingsError
from ..files.clip import Clip
from ..gatys.vgg import VGG16
from ..run.progress import OnProgress, ignore_progress
from ..run.recipes import Region, losses_of_regions
from ..run.runtime import Runtime
from ..settings import Settings
from ..settings.keyframes import Keyframes, settings_at
from ..settings.loss import shares_in
from ..settings.video import VideoSettings
from .flows import FlowBetween, Frame
from .folder import FramesFolder
from .frames import Painter
from .passes import Passes
from .source import ClipSource, FrameMasks, frame_size, masks_of_clip, masks_of_first


@dataclass(frozen=True, eq=False, kw_only=True)
class VideoRun:
    """A video to be made.

    Attributes:
        clip: the video.
        regions: what is painted like which style, as of `losses_of_regions`; of pictures.
        settings: of the losses, and of the first frame.
        video: how frames hang together.
        vgg, runtime: as of `stylize`.
        flow: between two frames; `flow_named(video.flow)`, or of files.
        path: the folder of the frames; it is made beside what it is for.
        mask: white is painted: a clip with a mask for each frame, or an (h, w) mask over the first
            one, which moves with the flow; None is all, or what the regions say.
        flow_files: those that the flow is read from; they are compared when a run goes on.
        keyframes: what changes in the settings in the course of the video.
        even: whether both sides shall be even, as codecs want them.
        every: how many frames of the clip one goes on; more than 1 is a preview.
    """

    clip: Clip
    regions: Sequence[Region]
    settings: Settings
    video: VideoSettings
    vgg: VGG16
    runtime: Runtime
    flow: FlowBetween
    path: Path
    mask: Clip | Tensor | None = None
    flow_files: Sequence[Path] = ()
    keyframes: Keyframes = field(default_factory=Keyframes)
    even: bool = True
    every: int = 1

    @cached_property
    def size(self) -> tuple[int, int]:
        """(height, width) of the result."""
        info = self.clip.info
        return frame_size(info.height, info.width, self.settings, even=self.even)

    @property
    def source(self) -> ClipSource:
        """The frames of the clip."""
        return ClipSource(self.clip, self.size, self.every)

    @property
    def folder(self) -> FramesFolder:
        """The frames that are done."""
        return FramesFolder(self.path)

    @property
    def own_settings(self) -> Settings:
        """The settings with the size of the result."""
        return replace(self.settings, size=max(self.size))

    def previewed(self, every: int, flow: FlowBetween) -> "VideoRun":
        """The same of every so manieth frame, with their flow, in a folder inside this one's."""
        return replace(self, every=every, flow=flow, path=self.path / "preview")

    def settings_at(self, frame: Frame) -> Settings:
        """The settings of a frame."""
        keys, seconds = self.keyframes, 0.0
        if keys.tracks and not keys.in_frames:
            ticks = self._ticks[min(frame.index, len(self._ticks) - 1)] - self._ticks[0]
            seconds = float(ticks * self.clip.info.time_base)
        number = frame.index * self.every
        return settings_at(self.own_settings, keys, frame=number, seconds=seconds)

    def losses_at(self, frame: Frame) -> list[Loss]:
        """The losses of a frame, those that hold it to other frames not among them."""
        if self._masks is None:
            return self.usual_losses(frame)
        settings, mask = self.settings_at(frame), self._masks.at(frame.index)
        if float(mask.max()) == 0:
            nothing = losses_of_regions(frame.image, [], settings)
            return [*nothing, Keep(image=frame.image, mask=torch.ones(1, 1))]
        masked = [replace(region, mask=mask) for region in self._regions_at(settings)]
        return losses_of_regions(frame.image, masked, settings)

    def usual_losses(self, frame: Frame) -> list[Loss]:
        """The losses of a frame without the mask that changes: they cost the same."""
        settings = self.settings_at(frame)
        return losses_of_regions(frame.image, self._regions_at(settings), settings)

    def _regions_at(self, settings: Settings) -> Sequence[Region]:
        if "style_shares" not in self.keyframes.tracks:
            return self.regions
        if len(self.regions) != 1:
            raise SettingsError("Keyframes cannot set shares where there are regions.")
        return [replace(self.regions[0], shares=shares_in(settings.style_shares))]

    def painter(
        self,
        on_progress: OnProgress = ignore_progress,
        on_tile: Callable[[], None] = lambda: None,
    ) -> Painter:
        """What paints the frames of one pass."""
        return Painter(
            losses_at=self.losses_at,
            vgg=self.vgg,
            settings=self.own_settings,
            video=self.video,
            flow=self.flow,
            settings_at=self.settings_at if self.keyframes.tracks else None,
            runtime=self.runtime,
            on_progress=on_progress,
            on_tile=on_tile,
        )

    def begin(self) -> None:
        """Make the folder of the frames, or check that what is in it is of the same run.

        Raises:
            CheckpointError: it is of another run.
            ImageError: the video cannot be read, or the folder not be made.
        """
        from .identity import identity_of_video  # which imports this file

        self.folder.begin(identity_of_video(self))

    def run(
        self,
        *,
        on_frame: Callable[[int, int, int], None] = lambda number, index, evaluations: None,
        on_progress: OnProgress = ignore_progress,
        on_tile: Callable[[], None] = lambda: None,
    ) -> int:
        """Every frame in every pass, those that are there already left as they are.

        Args:
            on_frame: told the pass, the index and how many evaluations it took, after the frame is
                on disk; for one that was there already, 0 evaluations. Raising in any of the three
                ends the run, and the next one goes on after the last frame.
            on_progress: told after each evaluation of each frame.
            on_tile: as of `stylize`.

        Returns:
            How many frames there are.
        """
        self.begin()
        passes = Passes(
            source=self.source,
            folder=self.folder,
            painter_of=lambda: self.painter(on_progress, on_tile),
            passes=self.video.passes,
            on_frame=on_frame,
        )
        return passes.run()

    def finished(self, index: int) -> Tensor:
        """A (1, 3, H, W) frame, of the last pass that it is done in."""
        number = self.video.passes - 1
        while number and not self.folder.painted(number, index).exists():
            number -= 1
        return self.folder.load(number, index).image

    def first_frame(self) -> Frame:
        """The first frame of the video."""
        first = next(self.source.frames(0), None)
        if first is None:
            raise ImageError(f"'{self.clip.path}' has no frame. Copy or download it again.")
        return first

    @cached_property
    def _ticks(self) -> list[int]:
        return [ticks for ticks, _ in self.clip.times(self.every)]

    @cached_property
    def _masks(self) -> FrameMasks | None:
        if isinstance(self.mask, Clip):
            return masks_of_clip(ClipSource(self.mask, self.size, self.every), self.path)
        if self.mask is not None:
            return masks_of_first(self.mask, self.source, self.flow, self.path)
        return None
