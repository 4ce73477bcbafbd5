"""`nst video`: the run, watched, ended by Ctrl-C, gone on with, and written."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import typer

from ..errors import NSTError, SettingsError
from ..files.clip import clip_of
from ..files.video_in import VideoInfo
from ..files.video_out import check_sound
from ..processes import size_in
from ..run.runtime import Runtime
from ..video.flows import flow_named
from ..video.folder import FramesFolder
from ..video.plan import check_room, plan_video
from ..video.run import VideoRun
from ..video.source import frame_size
from ..video.writing import write_video
from .asked_video import AskedVideo
from .console import INTERRUPTED, answer, say
from .job import network_of
from .regions import regions_of
from .video_watch import FramePlace, Frames
from .watch import display


def prepared_video(asked: AskedVideo) -> VideoRun:
    """The run: the clip opened, styles read, and then the network loaded.

    Raises:
        NSTError: what cannot be read or cannot fit together.
    """
    if size_in(os.environ) > 1:
        raise SettingsError("A video is made by one process. Start nst video without torchrun.")
    settings = asked.settings
    clip = clip_of(asked.content, max_pixels=settings.max_pixels, rate=asked.files.rate)
    _size_told(clip.info, asked)
    if asked.is_video and clip.info.sound:
        check_sound(asked.output, asked.content)
    words, mask = asked.words, None
    if asked.moving_mask and words.mask:
        mask = clip_of(words.mask, max_pixels=settings.max_pixels, rate=asked.files.rate)
        words = replace(words, mask=None)
    runtime = Runtime.choose(settings.device, settings.precision)
    return VideoRun(
        clip=clip,
        regions=regions_of(words, settings),
        settings=settings,
        video=asked.video,
        vgg=network_of(settings),
        runtime=runtime,
        flow=flow_named(asked.video.flow, asked.video.raft_weights, runtime.device),
        path=asked.frames,
        mask=mask,
        even=asked.is_video,
    )


def _size_told(info: VideoInfo, asked: AskedVideo) -> None:
    """Say it if the size is not what was asked for.

    Raises:
        SettingsError: a video cannot have that size.
    """
    shown, usual = (
        frame_size(info.height, info.width, asked.settings, even=even)
        for even in (asked.is_video, False)
    )
    if shown != usual:
        sizes = (f"{width}x{height}" for height, width in (shown, usual))
        say("Size: {} px instead of {}: codecs want even sides.".format(*sizes))


def make_video(asked: AskedVideo, quiet: bool) -> None:
    """Make the video that was asked for, from the first frame that is not there yet."""
    run = prepared_video(asked)
    check_room(run)
    run.begin()
    with _going_on_told(run.folder), _said_once():
        each = None if quiet else _told(run)
        if asked.preview:
            short = run.previewed(asked.preview)
            frames = _painted(short, Frames(short, "preview", each), quiet)
            write_video(short, asked.preview_path, frames, sound=False)
            say(f"Preview: {asked.preview_path}")
        frames = _painted(run, Frames(run, "", each), quiet)
        write_video(run, asked.output, frames, bits=asked.files.bits)
    if asked.keep_frames:
        say(f"Frames: {asked.frames}")
    else:
        shutil.rmtree(run.path, ignore_errors=True)
    answer(asked.output)


def _told(run: VideoRun) -> float:
    """Say what the run will take; seconds of a frame."""
    plan = plan_video(run)
    for line in plan.sentences:
        say(line)
    if there := run.folder.count:
        say(f"Going on: {there} frame{'s' * (there > 1)} in '{run.path}'.")
    return plan.each


def _painted(run: VideoRun, frames: Frames, quiet: bool) -> int:
    """Make the frames; how many there are."""
    with display(quiet, FramePlace(frames=frames)) as show:
        return run.run(on_frame=frames.on_frame, on_progress=show)


@contextmanager
def _going_on_told(folder: FramesFolder) -> Iterator[None]:
    """If the command ends inside, says where the frames are and how to go on."""
    try:
        yield
    except KeyboardInterrupt as error:
        if folder.count:
            _tell(folder)
        else:
            shutil.rmtree(folder.path, ignore_errors=True)
            say("Stopped before the first frame was done.")
        raise typer.Exit(INTERRUPTED) from error
    except NSTError:
        if folder.count:
            _tell(folder)
        raise


def _tell(folder: FramesFolder) -> None:
    count = folder.count
    say(
        f"Stopped: {count} frame{'s' * (count > 1)} in '{folder.path}'. The same command goes on "
        "from there."
    )


class _Once(logging.Filter):
    """Passes each message once: what is to be said of a frame is to be said of all of them."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        new = record.getMessage() not in self._said
        self._said.add(record.getMessage())
        return new


@contextmanager
def _said_once() -> Iterator[None]:
    once = _Once()
    handlers = logging.getLogger("nst_core").handlers
    for handler in handlers:
        handler.addFilter(once)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(once)
