"""A video on the host's device: frames on disk as they are finished, and as a batch at the end."""

import hashlib
import json
import shutil
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..nst_core.control.losses import ContentLoss, Keep
from ..nst_core.gatys.vgg import VGG16
from ..nst_core.run.identity import identity_of
from ..nst_core.run.plan import needs
from ..nst_core.run.runtime import Runtime
from ..nst_core.settings import RunSettings, VideoSettings
from ..nst_core.video.flows import Frame
from ..nst_core.video.folder import FramesFolder
from ..nst_core.video.frames import Painted, Painter
from ..nst_core.video.passes import Passes
from . import _host as host
from .clip import Clip
from .flow import Flow, flow_between
from .run import said, warnings_shown
from .watch import VideoWatch

_NO_PICTURE = torch.zeros(1, 3, 1, 1)


def stylize_clip(
    clip: Clip,
    *,
    vgg: VGG16,
    settings: RunSettings,
    video: VideoSettings,
    flow: Flow | None,
    interval: float,
) -> tuple[Tensor, Tensor]:
    """Every frame: (B, H, W, 3) for the host, and its (B, H, W) mask.

    Each lies on disk as soon as it is finished. The folder is named by what the run is of, so the
    same graph goes on from there, and no other does.
    """
    count = len(clip.pictures)
    losses = clip.losses_at(clip.frame(0))
    runtime = host.runtime_for(
        settings.precision,
        lambda runtime: needs(losses, settings=settings, runtime=runtime).memory,
    )
    between = flow_between(flow, count, video, runtime.device)
    host.show(f"{count} frames. {said(needs(losses, settings=settings, runtime=runtime))}")
    run = _identity(clip, vgg, settings, video, flow, runtime)
    folder = FramesFolder(host.video_folder(_name(run)))
    watch = VideoWatch(count, video.passes, interval)

    def painter_of() -> Painter:
        return _Painter(
            clip=clip,
            losses_at=clip.losses_at,
            vgg=vgg,
            settings=settings,
            video=video,
            flow=between,
            runtime=runtime,
            on_progress=watch.on_progress,
            on_tile=host.stop_if_asked,
        )

    passes = Passes(
        source=clip,
        folder=folder,
        painter_of=painter_of,
        passes=video.passes,
        on_frame=watch.on_frame,
    )
    try:
        # What is made in inference mode has no gradient, and the engine would copy it each time.
        with torch.inference_mode(False), torch.no_grad(), warnings_shown():
            folder.begin(run)
            with _kept(folder.path, watch):
                passes.run()
            return _collected(folder, clip, video.passes - 1), clip.masks()
    except BaseException as error:
        # Else what was computed lives as long as the traceback, past the point of giving it back.
        traceback.clear_frames(error.__traceback__)
        raise
    finally:
        host.give_memory_back()


@dataclass(kw_only=True)
class _Painter(Painter):
    """One for which the start pictures are what a pass before has made."""

    clip: Clip

    def paint(self, frame: Frame, before: Tensor | None = None) -> Painted:
        return super().paint(frame, self.clip.start_of(frame) if before is None else before)


def _identity(
    clip: Clip,
    vgg: VGG16,
    settings: RunSettings,
    video: VideoSettings,
    flow: Flow | None,
    runtime: Runtime,
) -> dict[str, Any]:
    """What decides how the frames look, as JSON has it; each picture is looked at once."""
    losses = {id(loss): loss for losses in clip.losses for loss in losses}
    known = {picture.data_ptr() for loss in losses.values() for picture in loss.pictures}
    others = [one for one in (*clip.pictures, *clip.starts) if one.data_ptr() not in known]
    pictures = [ContentLoss(image=picture) for picture in others]
    masks = {id(mask): mask for mask in clip.areas if mask is not None}
    kept = [Keep(image=_NO_PICTURE, mask=mask) for mask in masks.values()]
    return {
        **identity_of([*losses.values(), *pictures, *kept], None, vgg, settings, runtime),
        "feather": clip.feather,
        "video": asdict(video),
        "flow": flow.identity if flow else "",
        "frames": [len(clip.pictures), len(clip.starts)],
    }


def _name(run: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()[:12]


@contextmanager
def _kept(folder: Path, watch: VideoWatch) -> Iterator[None]:
    """Says where the finished frames are if the run ends before its time."""
    try:
        yield
    except BaseException:
        if any(folder.glob("pass*.png")):
            host.show(f"Run it again to go on: {watch.where} are done. They are in {folder}.")
        else:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _collected(folder: FramesFolder, clip: Clip, number: int) -> Tensor:
    """The frames of the last pass, (B, H, W, 3), and their folder removed."""
    frames: Tensor | None = None
    for index in range(len(clip.pictures)):
        image = host.to_host(folder.load(number, index).image)
        frames = image.new_empty(len(clip.pictures), *image.shape[1:]) if frames is None else frames
        frames[index] = image[0]
    assert frames is not None  # a batch has a picture
    shutil.rmtree(folder.path, ignore_errors=True)
    return frames
