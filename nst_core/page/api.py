"""What programs call: `/stylize`, with two files and a few settings."""

import asyncio
from uuid import uuid4

import gradio as gr

from ..errors import SettingsError
from .runs import Runs, spoken

# Seconds between looks at a run.
_LOOK = 0.2


class Api:
    """The endpoint.

    Args:
        runs: of all visitors; programs wait in the same line.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def stylize(
        self,
        content: str | None,
        style: str | None,
        preset: str,
        style_strength: float,
        size: int,
        steps: int,
        seed: int,
        visitor: gr.Request,
    ) -> str:
        """The finished PNG, with its settings inside."""
        given = {"size": size, "steps": steps, "seed": seed}
        key = f"{visitor.session_hash}/{uuid4()}"
        with spoken():
            request = self._runs.request([content, style], [1.0], preset, style_strength, given)
            job = self._runs.begin(key, request)
            try:
                while not job.future.done():
                    await asyncio.sleep(_LOOK)
                files = await asyncio.to_thread(self._runs.files_of, job)
            finally:
                self._runs.end(key)
            if files is None:
                raise SettingsError("The run was stopped before there was a picture.")
        return str(files.picture)
