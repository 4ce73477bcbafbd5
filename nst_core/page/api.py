"""What programs call: `/stylize`, `/texture`, `/reconstruct`, `/video`; files, a few settings."""

import asyncio
from typing import Any
from uuid import uuid4

import gradio as gr

from ..errors import SettingsError
from .kinds import RECONSTRUCT, STYLIZE, TEXTURE, VIDEO, Kind
from .messages import spoken
from .runs import Runs

# Seconds between looks at a run.
_LOOK = 0.2


class Api:
    """The endpoints.

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
        """The content in the style."""
        given = {"size": size, "steps": steps, "seed": seed}
        pictures = {"content": content, "styles": [style]}
        return await self._made(
            visitor, STYLIZE, **pictures, preset=preset, strength=style_strength, given=given
        )

    async def texture(
        self,
        style: str | None,
        size: int,
        aspect: float,
        seamless: bool,
        steps: int,
        seed: int,
        visitor: gr.Request,
    ) -> str:
        """More of the style."""
        given = {"size": size, "aspect": aspect, "seamless": seamless, "steps": steps, "seed": seed}
        return await self._made(visitor, TEXTURE, styles=[style], given=given)

    async def reconstruct(
        self,
        content: str | None,
        content_layers: str,
        size: int,
        steps: int,
        seed: int,
        visitor: gr.Request,
    ) -> str:
        """The content, from what some layers know of it."""
        given = {"content_layers": content_layers, "size": size, "steps": steps, "seed": seed}
        return await self._made(visitor, RECONSTRUCT, content=content, given=given)

    async def video(
        self,
        clip: str | None,
        style: str | None,
        style_strength: float,
        size: int,
        steps: int,
        temporal_weight: float,
        passes: int,
        seed: int,
        visitor: gr.Request,
    ) -> str:
        """The clip in the style."""
        given: dict[str, Any] = {"size": size, "steps": steps, "seed": seed}
        given |= {"temporal_weight": temporal_weight, "passes": passes}
        pictures = {"content": clip, "styles": [style]}
        return await self._made(visitor, VIDEO, **pictures, strength=style_strength, given=given)

    async def _made(self, visitor: gr.Request, kind: Kind, **asked: Any) -> str:
        """The finished PNG, with its settings inside, or MP4."""
        key = f"{visitor.session_hash}/{uuid4()}"
        with spoken():
            job = self._runs.begin(key, self._runs.request(kind, **asked))
            try:
                while not job.future.done():
                    await asyncio.sleep(_LOOK)
                picture = await asyncio.to_thread(self._runs.picture_of, job)
            finally:
                self._runs.end(key)
            if picture is None:
                raise SettingsError("The run was stopped before there was a picture.")
        return str(picture)
