"""What is seen of a clip and of its run, as HTML."""

from html import escape

from torch import Tensor

from ..files.video_in import VideoInfo
from ..settings import ServingSettings
from ..video.plan import VideoPlan
from ..video.run import VideoRun
from .clip_job import ClipJob
from .live import clock, memory_words, over_time_words, picture_html, status_html, time_words

WELCOME = (
    '<div class="nst-empty"><b>Choose a clip and press Run</b>'
    "<span>Each frame is seen here while it is painted. The video is played when it is done.</span>"
    "</div>"
)
# Below how a run was cut off.
CONTINUE = (
    '<p class="nst-small">Continue goes on after the last frame that is done: with the clip, the '
    "style and the settings of that run, whatever is chosen now. Run begins a new one in its "
    "place.</p>"
)


def clip_html(first: Tensor, info: VideoInfo, name: str) -> str:
    """A clip that was chosen: its first frame, and what is known of it."""
    sound = ", with sound" if info.sound else ""
    words = f"{name}: {frames_words(info)}, {info.width}x{info.height} px{sound}"
    picture = picture_html(first, f"The first frame of {name}")
    return f'<figure class="nst-clip">{picture}<figcaption>{escape(words)}</figcaption></figure>'


def frames_words(info: VideoInfo) -> str:
    """How long a clip is."""
    return f"{info.frames} frames, {float(info.frames / info.rate):.1f} s"


def limits_words(limits: ServingSettings) -> str:
    """What is taken, before there is a clip."""
    seconds = limits.max_frames / 24
    return (
        f"Up to {limits.max_frames} frames ({seconds:.0f} s at 24 frames a second) and "
        f"{limits.max_upload} MB: MP4, MOV, WebM, MKV, or a GIF, WebP or PNG that moves. A run may "
        f"take {limits.max_minutes:g} minutes."
    )


def plan_html(planned: VideoPlan, timed: bool, minutes: float) -> str:
    """What a run will take, as of pictures."""
    height, width = planned.size
    passes = f", in {planned.passes} passes" if planned.passes > 1 else ""
    of_what = f"{planned.frames} frames of {width}x{height} px{passes}."
    memory = memory_words(planned.first.memory)
    if not timed:
        return f"{of_what} Takes about {memory}."
    words = f"{of_what} {time_words(planned.seconds, memory)}"
    if planned.seconds > 60 * minutes:
        words += over_time_words(minutes, "a video of the frames so far")
    return words


def progress_html(job: ClipJob) -> str:
    """How far a run is."""
    assert job.run is not None
    progress, left, passes = job.progress, job.seconds_left, job.run.video.passes
    count = max(1, job.run.source.count)
    number, index = divmod(min(job.done, job.total - 1), count)
    facts = [("frame", f"{index + 1}/{count}")]
    if passes > 1:
        facts.append(("pass", f"{number + 1}/{passes}"))
    if progress:
        facts += [("step", f"{progress.latest.step}/{progress.steps}")]
        facts += [("loss", f"{progress.latest.loss:.4g}")]
    if left is not None:
        facts.append(("time left", clock(left)))
    return status_html("Painting", job.fraction, facts, goes_on=True)


def finished_html(run: VideoRun, frames: int, seconds: float, why: str | None) -> str:
    """How a run ended."""
    height, width = run.size
    count = max(frames, run.source.count)
    title = f"Ended by {why}: a video of the frames so far" if why else "Done"
    return status_html(
        title,
        1 if not why else frames / count,
        [
            ("frames", f"{frames}/{count}" if why else f"{frames}"),
            ("size", f"{width}x{height}"),
            ("time", clock(seconds)),
        ],
    )
