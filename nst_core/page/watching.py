"""Run and Stop: what the page shows of a run while it waits, works, and once it is over."""

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from . import live
from .controls import NAMES
from .job import Job, Request
from .runs import Runs, spoken

# Seconds between looks at a run, and between drawings of its curve.
_LOOK, _CURVE = 0.2, 2.0
Updates = tuple[Any, ...]


class Watching:
    """The handlers of the buttons Run and Stop.

    Args:
        runs: of all visitors.
        styles: how many pictures a style may have on this page.
    """

    def __init__(self, runs: Runs, styles: int) -> None:
        self._runs, self._styles = runs, styles

    def announce(self, visitor: gr.Request) -> str:
        """A place for the visitor's run, and the status until it begins."""
        with spoken():
            self._runs.jobs.announce(str(visitor.session_hash))
        return live.waiting_html()

    def run(self, visitor: gr.Request, *inputs: Any) -> Iterator[Updates]:
        """The run that was announced, in updates of what `Parts` calls status to curve."""
        session = str(visitor.session_hash)
        job = self._runs.jobs.of(session)
        if job is None:  # the visitor has left
            return
        try:
            with spoken():
                request = self._request(*inputs)
                self._runs.submit(job, request)
                yield _painting(live.starting_html(), live.WELCOME, "")
                yield from _watched(job)
                yield self._finished(job, request)
        finally:
            self._runs.jobs.end(session)

    def failed(self, visitor: gr.Request) -> Updates:
        """Back to the beginning, when a run could not begin or has failed."""
        self._runs.jobs.end(str(visitor.session_hash))
        return _painting("", live.WELCOME, "")

    def stop(self, visitor: gr.Request) -> None:
        """End the visitor's run with the best picture so far."""
        job = self._runs.jobs.of(str(visitor.session_hash))
        if job is None:
            gr.Info("Nothing is running. Run starts it.")
        else:
            job.stop()

    def leave(self, visitor: gr.Request) -> None:
        """The visitor has closed the page or the connection of a program."""
        self._runs.jobs.leave(str(visitor.session_hash))

    def _request(self, *inputs: Any) -> Request:
        count = self._styles
        paths, shares, others = (
            inputs[: count + 1],
            inputs[count + 1 :][:count],
            inputs[2 * count :],
        )
        preset, strength, rest, *values = others[1:]
        given = {**rest, **dict(zip(NAMES, values, strict=True))}
        return self._runs.request(paths, shares, preset, strength, given)

    def _finished(self, job: Job, request: Request) -> Updates:
        result, files = job.future.result(), self._runs.files_of(job, request)
        if result is None or files is None:
            return _painting(live.nothing_html(), live.WELCOME, "")
        return (
            live.finished_html(result, job.why),
            gr.update(value="", visible=False),
            gr.update(value=(files.before, files.picture), visible=True),
            gr.update(visible=True),
            gr.update(value=files.picture),
            gr.update(value=files.workflow),
            live.curve_html(result.records),
        )


def _watched(job: Job) -> Iterator[Updates]:
    """Updates until the run is over; one now and then even without news.

    Gradio finds out that a visitor has left only when there is something to send.
    """
    started, seen, drawn = False, 0, 0.0
    while not job.ended(_LOOK):
        progress, start = job.progress, job.start
        if progress is None:
            # The start stands in until there is a first evaluation.
            if start is None or started:
                yield _same()
                continue
            started = True
            yield _painting(gr.skip(), live.picture_html(start, "The start"))
        elif progress.latest.evaluation == seen:
            yield _same()
        else:
            seen, curve = progress.latest.evaluation, gr.skip()
            if time.monotonic() - drawn >= _CURVE:
                drawn, curve = time.monotonic(), live.curve_html(list(progress.records))
            picture = live.picture_html(progress.preview(), "The picture so far")
            yield _painting(live.progress_html(progress), picture, curve)


def _painting(status: Any, picture: str, curve: Any = None) -> Updates:
    """A run without a result yet; without a curve, that stays as it is."""
    shown, hidden = gr.update(value=picture, visible=True), gr.update(visible=False)
    curve = gr.skip() if curve is None else curve
    return status, shown, hidden, hidden, gr.skip(), gr.skip(), curve


def _same() -> Updates:
    return (gr.skip(),) * 7
