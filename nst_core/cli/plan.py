"""`nst plan`: what a run would take."""

from pathlib import Path
from typing import Any

import typer

from ..plan import Plan, plan
from .console import polite
from .files import Outputs
from .job import prepared
from .options import with_settings
from .regions import Words
from .stylize import Content, PresetName, Styles


@with_settings
@polite()
def plan_command(
    content: Content,
    styles: Styles,
    *,
    preset: PresetName = "default",
    **flags: Any,
) -> None:
    """Say how much memory and about how long `nst stylize` with the same words will take."""
    job = prepared(content, Words(styles), Outputs(Path("plan.png"), None, None), preset, flags)
    planned = plan(
        job.losses,
        vgg=job.vgg,
        settings=job.settings,
        runtime=job.runtime,
        start=job.start_picture,
    )
    for line in lines_of(planned):
        typer.echo(line)


def lines_of(planned: Plan) -> list[str]:
    """The plan for people, a line each: sizes, memory, time."""
    sizes = ", then ".join(
        f"{scale.width}x{scale.height} px in {scale.steps} steps" for scale in planned.scales
    )
    free = "" if planned.free is None else f" of {planned.free / 1e9:.1f} GB free"
    tiles = f", in tiles of {planned.tile} px" if planned.tile else ""
    return [
        f"Sizes: {sizes}.",
        f"Memory: about {planned.memory / 1e9:.2f} GB{free}{tiles}, beside the network.",
        f"Time: about {_duration(planned.seconds)}, less if a scale is finished early.",
    ]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{round(seconds / 60)} minutes"
