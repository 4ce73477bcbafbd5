"""Handlers of the tab for videos: choosing a clip, its plan, and what is shown of a run."""

import asyncio
from collections.abc import Mapping
from threading import Lock
from typing import Any

import gradio as gr

from ..errors import NSTError
from ..run.pace import Pace
from ..run.recipes import Region
from ..run.runtime import Runtime
from ..video.flows import Frame, flow_named
from ..video.plan import VideoPlan, plan_video
from ..video.run import VideoRun
from . import clip_live, live
from .choosing import Changes
from .clip_asking import NO_CLIP
from .clip_job import ClipJob, ClipRequest
from .clip_layout import ClipParts
from .clip_work import FinishedClip, clip_named
from .finished import Ended
from .job import Job, Picture
from .kinds import VIDEO
from .messages import shown, spoken
from .network import Network
from .parts import Parts
from .planning import Planning, placeholder
from .runs import Runs
from .watching import Watching


class WatchingClip(Watching):
    """The handlers of Run, Stop and Continue on the tab for videos."""

    _parts: ClipParts
    _how_to_go_on = clip_live.CONTINUE

    def _figures(self, job: Job) -> str:
        if not isinstance(job, ClipJob) or job.run is None:
            return live.starting_html()
        return clip_live.progress_html(job)

    def result(self, key: str, ended: Ended) -> Changes:
        """A run that is over."""
        assert isinstance(ended, FinishedClip)
        parts = self._parts
        return {
            **self._resumable(key, ended.status),
            parts.live: gr.update(value="", visible=False),
            # Again and again, as short clips are looked at, but not with sound.
            parts.player: gr.update(value=ended.video, visible=True, loop=not ended.sound),
            parts.downloads: gr.update(visible=True),
            parts.picture: gr.update(value=ended.video),
            parts.note: gr.update(value=ended.note, visible=bool(ended.note)),
        }


class ChoosingClip:
    """Handlers of the clip.

    Args:
        parts, runs: of the page.
    """

    def __init__(self, parts: ClipParts, runs: Runs) -> None:
        self._parts, self._runs = parts, runs
        self._one_at_a_time = Lock()

    def look_at(self, path: str | None) -> Changes:
        """Show what was chosen; or tell at once what is wrong with it, and take it away."""
        if path is None:
            return {self._parts.seen: ""}
        picture = Picture(path=path, name=path.replace("\\", "/").rsplit("/", 1)[-1])
        try:
            with self._one_at_a_time:
                clip = clip_named(picture, self._runs.limits)
                first = next(clip.frames(0)).image
        except NSTError as error:
            gr.Warning(shown(error), title="This clip cannot be used")
            return {self._parts.content: None, self._parts.seen: ""}
        return {self._parts.seen: clip_live.clip_html(first, clip.info, picture.name)}

    def example(self) -> str:
        """The sample."""
        with spoken():
            return str(self._runs.samples.clip())


class PlanningClip:
    """The line before a run.

    Args:
        planning: what knows how long evaluations take.
        network, runs: of the page.
    """

    def __init__(self, planning: Planning, network: Network, runs: Runs) -> None:
        self._planning, self._network, self._runs = planning, network, runs
        self._one_at_a_time = Lock()

    async def line(self, parts: Parts, values: Mapping[Any, Any]) -> str:
        """What a run of the tab's values will take, or what is wrong with them."""
        if values[parts.content] is None:
            return live.warning_html(NO_CLIP)
        try:
            asked = parts.request_in(values)
            run, frame = await asyncio.to_thread(self._run, asked)
            losses = run.usual_losses(frame)
            pace = await self._planning.pace_if_known(losses, run.settings)
            planned = await asyncio.to_thread(self._plan, run, pace or Pace(0.0, 0.0))
        except NSTError as error:
            return live.warning_html(str(error))
        return clip_live.plan_html(planned, pace is not None, self._runs.limits.max_minutes)

    def _run(self, asked: Mapping[str, Any]) -> tuple[VideoRun, Frame]:
        """A run as it will be, but with a style that has only the proportions of its own."""
        with self._one_at_a_time:
            request = self._runs.request(VIDEO, **asked)
            assert isinstance(request, ClipRequest)
            assert request.content is not None
            settings = request.settings
            runtime = Runtime.choose(settings.device, settings.precision)
            run = VideoRun(
                clip=clip_named(request.content, self._runs.limits),
                regions=[Region(styles=tuple(placeholder(style) for style in request.styles))],
                settings=settings,
                video=request.video,
                vgg=self._network.pooled(settings.pooling),
                runtime=runtime,
                flow=flow_named(request.video.flow, request.video.raft_weights, runtime.device),
                path=self._runs.frames,
            )
            return run, run.first_frame()

    def _plan(self, run: VideoRun, pace: Pace) -> VideoPlan:
        with self._one_at_a_time:
            return plan_video(run, pace)
