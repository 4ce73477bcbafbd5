"""A visitor who comes back finds the run."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import gradio as gr

from .choosing import Changes
from .finished import kind_in
from .runs import Runs
from .visitors import key_of
from .watching import Watching


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
        """The visitor's run, at work, over or cut off, on its tab."""
        key = key_of(visitor)
        job = self._runs.of(key)
        kind = kind_in(job.request) if job else self._runs.kind_left(key)
        if kind is None or kind.name not in self._every:  # of a video, and packages went
            # Of a handler that tells nothing at all, Gradio empties every output.
            yield {self._tabs: gr.skip()}
            return
        do, shown = self._every[kind.name], {self._tabs: gr.update(selected=kind.name)}
        if job is None:
            yield shown | do.over(key)
        else:
            yield shown
            async for changes in do.follow(visitor, job):
                yield changes
