"""Run and Stop: what the page shows of a run while it waits, works, and once it is over."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import gradio as gr

from . import live
from .choosing import Changes
from .job import Job
from .parts import Parts
from .runs import Runs, spoken
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
            job = self._runs.begin(str(visitor.session_hash), request)
        return live.waiting_html(self._runs.device.before(job))

    async def watch(self, visitor: gr.Request) -> AsyncIterator[Changes]:
        """The run that was begun, until it is over."""
        session = str(visitor.session_hash)
        job = self._runs.of(session)
        if job is None:  # the visitor has left
            return
        try:
            async for changes in self._waiting(job):
                yield changes
            async for changes in self._working(job):
                yield changes
            with spoken():
                yield await asyncio.to_thread(self._finished, job)
        finally:
            self._runs.end(session)

    def failed(self) -> str:
        """No status any more; the picture so far, or an earlier result, stays."""
        return ""

    def stop(self, visitor: gr.Request) -> None:
        """End the visitor's run with the best picture so far."""
        job = self._runs.of(str(visitor.session_hash))
        if job is None:
            gr.Info("Nothing is running. Run starts it.")
        else:
            job.stop()

    def leave(self, visitor: gr.Request) -> None:
        """The visitor has closed the page or the connection of a program."""
        self._runs.leave(str(visitor.session_hash))

    async def _waiting(self, job: Job) -> AsyncIterator[Changes]:
        """The run's place in the line, until its turn comes."""
        shown = None
        while not job.future.done() and (place := self._runs.device.before(job)):
            # Even without news: Gradio finds out that a visitor has left only when there is
            # something to send.
            changed = place != shown
            yield {self._parts.status: live.waiting_html(place) if changed else gr.skip()}
            shown = place
            await asyncio.sleep(_LOOK_WAITING)

    async def _working(self, job: Job) -> AsyncIterator[Changes]:
        """The picture and the figures, whenever there are new ones."""
        yield {self._parts.status: live.starting_html()}
        seen, drawn = -1, 0.0
        while not job.future.done():
            evaluation = job.progress.latest.evaluation if job.progress else 0
            if job.start is None or evaluation == seen:
                yield {self._parts.status: gr.skip()}
            else:
                seen, curve = evaluation, time.monotonic() - drawn >= _CURVE
                drawn = time.monotonic() if curve else drawn
                yield await asyncio.to_thread(self._so_far, job, curve)
            await asyncio.sleep(_LOOK)

    def _so_far(self, job: Job, curve: bool) -> Changes:
        """The latest picture; before the first evaluation, the one to start from."""
        parts, progress = self._parts, job.progress
        if progress is None:
            assert job.start is not None
            start = live.picture_html(job.start, "The start", job.alpha)
            return self._painting(start) | {parts.curve: ""}
        image = progress.preview()
        changes = self._painting(live.picture_html(image, "The picture so far", job.alpha))
        changes[parts.status] = live.progress_html(progress)
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

    def _finished(self, job: Job) -> Changes:
        parts, result, files = self._parts, job.result(), self._runs.files_of(job)
        if result is None or files is None:
            return {parts.status: live.nothing_html()}
        compared = files.before is not None
        seen = live.result_html(result.image, seamless=job.request.settings.seamless)
        return {
            parts.status: live.finished_html(result, job.why),
            parts.live: gr.update(value="" if compared else seen, visible=not compared),
            parts.slider: gr.update(
                value=(files.before, files.picture) if compared else None, visible=compared
            ),
            parts.downloads: gr.update(visible=True),
            parts.picture: gr.update(value=files.picture),
            parts.workflow: gr.update(value=files.workflow),
            parts.note: gr.update(value=WITHOUT_DRAWINGS, visible=job.request.is_drawn),
            parts.curve: live.curve_html(result.records),
        }
