"""Run and Stop: what the page shows of a run while it waits, works, and once it is over."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import gradio as gr

from ..settings.writing import PREVIEW_SIDE
from . import live
from .choosing import Changes
from .finished import Finished
from .job import Job
from .kinds import kind_of
from .parts import Parts
from .runs import Runs, spoken
from .visitors import key_of
from .workflow import WITHOUT_DRAWINGS

# Seconds between looks at a run that works, at one that waits, and between drawings of its curve.
_LOOK, _LOOK_WAITING, _CURVE = 0.2, 1.0, 2.0


class Watching:
    """The handlers of the buttons Run and Stop.

    Args:
        parts: of the tab.
        runs: of all visitors.
    """

    def __init__(self, parts: Parts, runs: Runs) -> None:
        self._parts, self._runs = parts, runs

    def begin(self, values: Mapping[Any, Any], visitor: gr.Request) -> str:
        """Put the visitor's run in line. Nothing that is shown changes if it cannot begin."""
        with spoken():
            request = self._runs.request(self._parts.kind, **self._parts.request_in(values))
            job = self._runs.begin(key_of(visitor), request)
        return live.waiting_html(self._runs.device.before(job))

    async def watch(self, visitor: gr.Request) -> AsyncIterator[Changes]:
        """The run that was begun, until it is over. It goes on when nobody watches."""
        job = self._runs.of(key_of(visitor))
        if job is not None:
            async for changes in self.follow(job):
                yield changes
        elif ended := self._runs.finished_of(key_of(visitor)):
            yield self.result(ended)

    async def follow(self, job: Job) -> AsyncIterator[Changes]:
        """A run from where it is until it is over."""
        async for changes in self._waiting(job):
            yield changes
        async for changes in self._working(job):
            yield changes
        with spoken():
            job.result()  # raises what was wrong
            yield self.result(job.finished) if job.finished else self._nothing()
        self._runs.device.tidy()

    def failed(self) -> str:
        """No status any more; the picture so far, or an earlier result, stays."""
        return ""

    def stop(self, visitor: gr.Request) -> None:
        """End the visitor's run with the best picture so far."""
        job = self._runs.of(key_of(visitor))
        if job is None:
            gr.Info("Nothing is running. Run starts it.")
        else:
            job.stop()

    def leave(self, visitor: gr.Request) -> None:
        """The page or the connection of a program is closed: end what nobody can come back to."""
        self._runs.leave(str(visitor.session_hash))

    async def _waiting(self, job: Job) -> AsyncIterator[Changes]:
        """The run's place in the line, until its turn comes."""
        shown, told = None, 0.0
        while not job.future.done() and (place := self._runs.device.before(job)):
            if place != shown or time.monotonic() - told > live.TOLD_AGAIN:
                shown, told = place, time.monotonic()
                yield {self._parts.status: live.waiting_html(place)}
            await asyncio.sleep(_LOOK_WAITING)

    async def _working(self, job: Job) -> AsyncIterator[Changes]:
        """The picture and the figures, whenever there are new ones."""
        yield {self._parts.status: live.starting_html()}
        seen, drawn, told = -1, 0.0, time.monotonic()
        while not job.future.done():
            now = time.monotonic()
            evaluation = job.progress.latest.evaluation if job.progress else 0
            if job.start is not None and evaluation != seen:
                curve = now - drawn >= _CURVE
                seen, drawn, told = evaluation, now if curve else drawn, now
                yield await asyncio.to_thread(self._so_far, job, curve)
            elif now - told > live.TOLD_AGAIN:
                told = now
                yield {self._parts.status: self._figures(job)}
            await asyncio.sleep(_LOOK)

    def _figures(self, job: Job) -> str:
        if job.progress is None:
            return live.starting_html(job.within)
        return live.progress_html(job.progress, job.within)

    def _so_far(self, job: Job, curve: bool) -> Changes:
        """The latest picture; before the first evaluation, the one to start from."""
        parts, progress = self._parts, job.progress
        if progress is None:
            assert job.start is not None
            start = live.picture_html(job.start, "The start", job.alpha)
            return self._painting(start) | {parts.curve: ""}
        image = progress.preview(PREVIEW_SIDE)
        changes = self._painting(live.picture_html(image, "The picture so far", job.alpha))
        changes[parts.status] = self._figures(job)
        if curve:
            changes[parts.curve] = live.curve_html(list(progress.records))
        return changes

    def _painting(self, picture: str) -> Changes:
        """A picture without a result yet."""
        hidden = gr.update(visible=False)
        return {
            self._parts.live: gr.update(value=picture, visible=True),
            self._parts.slider: hidden,
            self._parts.downloads: hidden,
            self._parts.note: hidden,
        }

    def _nothing(self) -> Changes:
        return {self._parts.status: live.nothing_html()}

    def result(self, ended: Finished) -> Changes:
        """A run that is over."""
        parts, files, compared = self._parts, ended.files, ended.files.before is not None
        return {
            parts.status: ended.status,
            parts.live: gr.update(value=ended.seen, visible=not compared),
            parts.slider: gr.update(
                value=(files.before, files.picture) if compared else None, visible=compared
            ),
            parts.downloads: gr.update(visible=True),
            parts.picture: gr.update(value=files.picture),
            parts.workflow: gr.update(value=files.workflow),
            parts.note: gr.update(value=WITHOUT_DRAWINGS, visible=ended.is_drawn),
            parts.curve: ended.curve,
        }


class Returning:
    """The handler of a page that is opened, perhaps by a visitor who has a run.

    Args:
        tabs: what shows one of the tabs.
        every: the handlers of each tab, by the name of its kind.
        runs: of all visitors.
    """

    def __init__(self, tabs: Any, every: Mapping[str, Watching], runs: Runs) -> None:
        self._tabs, self._every, self._runs = tabs, every, runs

    async def find(self, visitor: gr.Request) -> AsyncIterator[Changes]:
        """The visitor's run, at work or over, on its tab."""
        key = key_of(visitor)
        job, ended = self._runs.of(key), self._runs.finished_of(key)
        if job is not None:
            kind = kind_of(job.request.content is not None, len(job.request.styles))
            yield {self._tabs: gr.update(selected=kind.name)}
            async for changes in self._every[kind.name].follow(job):
                yield changes
        elif ended:
            shown = self._every[ended.kind.name].result(ended)
            yield {self._tabs: gr.update(selected=ended.kind.name), **shown}
