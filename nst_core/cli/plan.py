"""`nst plan`: what a run would take."""

from pathlib import Path
from typing import Any

from .asked import asked
from .console import answer, polite
from .files import Outputs
from .options import with_settings
from .stylize import Content, PresetName, Styles
from .words import Words


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
    checked = asked(content, Words(styles), Outputs(Path("plan.png")), preset, flags)
    # Only now: they bring PyTorch, which takes seconds to import.
    from ..run.plan import plan
    from .job import prepared

    job = prepared(checked)
    planned = plan(
        job.losses,
        vgg=job.vgg,
        settings=job.asked.settings,
        runtime=job.runtime,
        start=job.start_picture,
    )
    for line in planned.sentences:
        answer(line)
