"""What programs call: `/stylize`, with two files and a few settings."""

from uuid import uuid4

import gradio as gr

from ..errors import SettingsError
from .runs import Runs, spoken


class Api:
    """The endpoint.

    Args:
        runs: of all visitors; programs wait in the same queue.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def stylize(
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
            job = self._runs.jobs.announce(key)
            try:
                self._runs.submit(job, request)
                files = self._runs.files_of(job, request)
            finally:
                self._runs.jobs.end(key)
            if files is None:
                raise SettingsError("The run was stopped before there was a picture.")
        return str(files.picture)
