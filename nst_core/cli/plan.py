"""`nst plan`: what a run would take."""

from pathlib import Path
from typing import Any

import typer

from ..plan import plan
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
    for line in planned.sentences:
        typer.echo(line)
