"""A video from what is asked for to its file, in the device's thread."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ..errors import CheckpointError, ImageError
from ..files.clip import Clip, clip_of
from ..files.video_out import check_sound
from ..gatys.vgg import VGG16
from ..run.runtime import Runtime
from ..settings import ServingSettings
from ..video.flows import flow_named
from ..video.plan import disk_of
from ..video.run import VideoRun
from ..video.writing import write_video
from .clip_job import ClipJob, ClipRequest, Filmed
from .clip_live import finished_html
from .folder import Results, remove
from .job import Job, Picture
from .kinds import VIDEO, Kind
from .pictures import named, read_pictures
from .regions import regions_of

_LOG = logging.getLogger("nst_core")
# What a visitor gets.
NAME = "style-transfer.mp4"
SILENT = (
    "The video is silent: MP4 cannot hold the sound of this clip. Convert the clip to MP4 with AAC "
    "to keep it."
)


@dataclass(frozen=True, kw_only=True)
class FinishedClip:
    """A video for those who watched it being made and for those who come back.

    Attributes:
        status: HTML.
        video: its file.
        sound: whether it has any.
        note: what else is to be known, in Markdown.
    """

    status: str
    video: Path
    sound: bool
    note: str
    kind: Kind = VIDEO

    @property
    def is_there(self) -> bool:
        """Whether its file is kept."""
        return self.video.is_file()


def clip_named(picture: Picture, limits: ServingSettings) -> Clip:
    """A clip; what is wrong with it is told without the server's folders.

    Raises:
        ImageError: it cannot be read, or its frames are too large or too many.
    """
    with named(picture.path, picture.name):
        try:
            state = Path(picture.path).stat()
        except OSError as error:
            raise ImageError(f"'{picture.name}' is no longer here. Choose it again.") from error
        clip = _opened(picture.path, state.st_mtime_ns, state.st_size, limits)
    if clip.info.frames < 2:  # FFmpeg takes a JPEG for a video
        raise ImageError(f"'{picture.name}' has one frame. Pictures have the other tabs.")
    return clip


# An animation is looked through to know how long it is, and a plan is made at every change.
@lru_cache(maxsize=32)
def _opened(path: str, changed: int, size: int, limits: ServingSettings) -> Clip:
    most = limits.max_megapixels * 10**6
    return clip_of(path, max_pixels=most, max_frames=limits.max_frames)


def filmed(job: ClipJob, network: Callable[[str], VGG16], limits: ServingSettings) -> Filmed:
    """Make the frames that are not there yet.

    Raises:
        CheckpointError: those that are there cannot be gone on with.
        ImageError: the clip cannot be read, or there is no room for the frames.
    """
    request = job.request
    assert isinstance(request, ClipRequest)
    assert request.content is not None
    folder = job.frames_folder
    with _told(request.content, folder):
        run = job.run = _run_of(request, folder, network, limits)
        job.start = run.first_frame().image
        _check_room(run)
        run.run(on_frame=job.on_frame, on_progress=job.watch, on_tile=job.check)
    made = job.so_far()
    assert made is not None  # a clip without a frame has raised
    return made


def _run_of(
    request: ClipRequest, folder: Path, network: Callable[[str], VGG16], limits: ServingSettings
) -> VideoRun:
    assert request.content is not None
    settings, video = request.settings, request.video
    runtime = Runtime.choose(settings.device, settings.precision)
    return VideoRun(
        clip=clip_named(request.content, limits),
        regions=regions_of(request, read_pictures(replace(request, content=None), limits)),
        settings=settings,
        video=video,
        vgg=network(settings.pooling),
        runtime=runtime,
        flow=flow_named(video.flow, video.raft_weights, runtime.device),
        path=folder,
    )


def _check_room(run: VideoRun) -> None:
    run.path.parent.mkdir(parents=True, exist_ok=True)
    if not run.folder.count and shutil.disk_usage(run.path.parent).free < disk_of(run):
        raise ImageError(
            "The server's disk has no room for so many frames. Choose a smaller size or fewer "
            "passes, or try again later."
        )


@contextmanager
def _told(clip: Picture, folder: Path) -> Iterator[None]:
    """Tells what is wrong without the server's folders."""
    try:
        with named(clip.path, clip.name):
            yield
    except CheckpointError as error:
        _LOG.warning("%s", error)
        raise CheckpointError("What was kept of this run is damaged. Run begins anew.") from error
    except ImageError as error:
        if str(folder) not in str(error):
            raise
        _LOG.warning("A frame could not be written: %s", error)
        raise ImageError(
            "The server could not keep the frames: its disk may be full. Tell whoever runs this "
            "page, and try again later."
        ) from error


def finished_clip(job: Job, made: Filmed, results: Results) -> FinishedClip:
    """Write the video of a run that is over, and say how it went."""
    run = made.run
    with results.filled() as folder:
        path = folder / NAME
        sound = run.clip.info.sound and _holds_sound(path, run.clip.path)
        write_video(run, path, made.frames, sound=sound)
    return FinishedClip(
        status=finished_html(run, made.frames, made.seconds, job.why),
        video=path,
        sound=sound,
        note=SILENT if run.clip.info.sound and not sound else "",
    )


def _holds_sound(path: Path, clip: Path) -> bool:
    try:
        check_sound(path, clip)
    except ImageError as error:
        _LOG.info("A video is made without its sound. %s", error)
        return False
    return True


def clear_up(job: ClipJob) -> None:
    """Remove the frames that nobody can go on with, once the job is over."""
    if job.unfinished is None:
        remove(job.folder)
    elif not job.unfinished.saver.wanted:  # its visitor has left meanwhile
        remove(job.unfinished.folder)


def seconds_of(clip: Clip) -> float:
    """How long it is shown, on average."""
    return float(clip.info.frames / clip.info.rate)
