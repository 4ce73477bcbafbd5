"""Run, Stop and Continue: what the page shows of a run that waits, works, or is over."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from ..settings.writing import PREVIEW_SIDE
from . import live
from .choosing import Changes
from .finished import Ended, Finished, failed, kind_in
from .job import Job
from .messages import spoken
from .parts import Parts
from .runs import Runs
from .visitors import key_of
from .workflow import WITHOUT_DRAWINGS

# Seconds between looks at a run that works, at one that waits, and between drawings of its curve.
_LOOK, _LOOK_WAITING, _CURVE = 0.2, 1.0, 2.0
# Messages that may wait for a visitor before no more pictures are sent.
_BEHIND = 3


class Watching:
    """The handlers of the buttons Run, Stop and Continue.

    Args:
        parts: of the tab.
        runs: of all visitors.
        resumes: the buttons Continue of all tabs.
    """

    _how_to_go_on = live.CONTINUE

    def __init__(self, parts: Parts, runs: Runs, resumes: Sequence[Any]) -> None:
        self._parts, self._runs, self._resumes = parts, runs, resumes

    @property
    def shown(self) -> list[Any]:
        """The components that a run shows itself in."""
        return self._parts.shown

    def begin(self, values: Mapping[Any, Any], visitor: gr.Request) -> Changes:
        """Put the visitor's run in line. Nothing that is shown changes if it cannot begin."""
        with spoken():
            request = self._runs.request(self._parts.kind, **self._parts.request_in(values))
            job = self._runs.begin(key_of(visitor), request)
        return self._begun(job)

    def resume(self, visitor: gr.Request) -> Changes:
        """Put the visitor's run that was cut off in line again."""
        with spoken():
            job = self._runs.resume(key_of(visitor), self._parts.kind)
        return self._begun(job)

    def _begun(self, job: Job) -> Changes:
        """It takes the place of one that was cut off, on whatever tab."""
        hidden = dict.fromkeys(self._resumes, gr.update(visible=False))
        return {self._parts.status: live.waiting_html(self._runs.device.before(job)), **hidden}

    async def watch(self, visitor: gr.Request) -> AsyncIterator[Changes]:
        """The run that was begun, until it is over. It goes on when nobody watches."""
        key = key_of(visitor)
        job = self._runs.of(key)
        if job is not None:
            async for changes in self.follow(visitor, job):
                yield changes
        else:
            yield self.over(key)

    async def follow(self, visitor: gr.Request, job: Job) -> AsyncIterator[Changes]:
        """A run from where it is until it is over."""
        key = key_of(visitor)
        async for changes in self._waiting(job):
            yield changes
        async for changes in self._working(visitor, job):
            yield changes
        error = job.error()
        if error:  # the picture so far, or an earlier result, stays
            status = failed(job.request, error).status
            yield self._resumable(key, status)
        with spoken():
            job.result()  # raises what was wrong
        yield self.result(key, job.finished) if job.finished else self.over(key)
        self._runs.device.tidy()

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

    async def _working(self, visitor: gr.Request, job: Job) -> AsyncIterator[Changes]:
        """The picture and the figures, whenever there are new ones."""
        yield {self._parts.status: live.starting_html()}
        seen, drawn, told = None, 0.0, time.monotonic()
        while not job.future.done():
            now, mark = time.monotonic(), job.mark
            new = job.start is not None and mark != seen
            if new and not is_behind(visitor):
                curve = now - drawn >= _CURVE
                seen, drawn, told = mark, now if curve else drawn, now
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
            return self._painting(start) | ({parts.curve: ""} if parts.curve else {})
        image = progress.preview(PREVIEW_SIDE)
        changes = self._painting(live.picture_html(image, "The picture so far", job.alpha))
        changes[parts.status] = self._figures(job)
        if curve and parts.curve:
            changes[parts.curve] = live.curve_html(list(progress.records))
        return changes

    def _painting(self, picture: str) -> Changes:
        """A picture without a result yet."""
        return {
            **dict.fromkeys(self._parts.hidden, gr.update(visible=False)),
            self._parts.live: gr.update(value=picture, visible=True),
        }

    def over(self, key: str) -> Changes:
        """The visitor's run that is over, or what is left of it."""
        ended, failed = self._runs.finished_of(key), self._runs.failed_of(key)
        shown = self.result(key, ended) if ended else {}
        if failed:  # a run that had been gone on with
            shown |= self._resumable(key, failed.status)
        if shown:
            return shown
        unfinished = self._runs.unfinished_of(key)
        return self._resumable(key, live.cut_off_html() if unfinished else live.nothing_html())

    def _resumable(self, key: str, status: str) -> Changes:
        """The status, and Continue where there is something to go on with."""
        found = self._runs.unfinished_of(key)
        goes_on = found is not None and kind_in(found.request) is self._parts.kind
        return {
            self._parts.status: status + self._how_to_go_on if goes_on else status,
            # With its label, which Gradio forgets of a button that was hidden at first.
            self._parts.resume: gr.update(value=live.CONTINUE_LABEL, visible=goes_on),
        }

    def result(self, key: str, ended: Ended) -> Changes:
        """A run that is over."""
        assert isinstance(ended, Finished)
        parts, files, compared = self._parts, ended.files, ended.files.before is not None
        return {
            **self._resumable(key, ended.status),
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


def is_behind(visitor: Any) -> bool:
    """Whether messages wait for a visitor whose line is slow; Gradio keeps any number of them."""
    page = LocalContext.blocks.get(None)
    queues = page._queue.pending_messages_per_session if page else {}
    messages = queues.get(str(visitor.session_hash))
    return messages is not None and messages.qsize() > _BEHIND
