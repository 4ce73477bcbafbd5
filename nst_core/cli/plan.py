"""`nst plan`: what a run would take, asked for in the words of that run."""

import inspect
import os
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .asked import Asked, asked
from .batch import batch_of
from .console import answer, polite
from .folders import is_folder
from .output_flags import OutputFlags
from .stylize import Order, reconstruct_order, stylize_order, texture_order

if TYPE_CHECKING:
    from ..run.runtime import Runtime


class _StylizeIfNotNamed(TyperGroup):
    """`nst plan CONTENT STYLE` is `nst plan stylize CONTENT STYLE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the usual command before words that begin with none."""
        if args and args[0] not in (*self.commands, "--help"):
            args = ["stylize", *args]
        return super().parse_args(ctx, args)


plan_app = typer.Typer(
    cls=_StylizeIfNotNamed,
    no_args_is_help=True,
    help="Say how much memory and about how long a run takes. Write 'plan' before its words: nst "
    "plan stylize photo.jpg painting.jpg; 'stylize' may be left out.",
)


_Processes = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="NUMBER",
        help="How many processes of this machine share the picture; under torchrun it is known.",
    ),
]


def _planning(order_of: Callable[..., Order]) -> Callable[..., None]:
    """The command that takes the words of a run, and plans it."""

    @wraps(order_of)
    def command(*words: Any, processes: int | None = None, **flags: Any) -> None:
        with polite(), TemporaryDirectory() as folder:
            first = _first(order_of(*words, **flags), Path(folder))
            if first is not None:
                _plan(first, processes)

    signature = inspect.signature(order_of)
    given = signature.parameters
    own = {**given, "output": given["output"].replace(default=None)}
    own["processes"] = inspect.Parameter(
        "processes", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Processes
    )
    vars(command)["__signature__"] = signature.replace(parameters=list(own.values()))
    return command


def _first(order: Order, folder: Path) -> Asked | None:
    """The first picture that is to be made, checked as its run would be; None if none is left.

    Args:
        order: the words of the run.
        folder: where the result would lie if nothing was said of that; it is empty.
    """
    named = [order.content, *order.words.styles]
    many = any(name is not None and is_folder(name) for name in named)
    order.flags["output"] = order.flags["output"] or folder / ("plan" if many else "plan.png")
    outputs = OutputFlags.taken_from(order.flags)
    batch = batch_of(order.content, order.words, outputs, order.preset, order.flags)
    if batch is None:
        return asked(order.content, order.words, outputs.of_one_picture, order.preset, order.flags)
    if not batch.begin(quiet=False):
        return None
    first = batch.asked[0]
    answer(f"Pictures: {len(batch.asked)}. Of the first, '{first.outputs.picture.name}':")
    return first


def _plan(one: Asked, processes: int | None) -> None:
    # Only now: they bring PyTorch, which takes seconds to import.
    from ..run.plan import plan
    from .job import prepared

    job = prepared(one, writes=False)
    planned = plan(
        job.losses,
        vgg=job.vgg,
        settings=job.asked.settings,
        runtime=_shared(job.runtime, processes),
        start=job.start_picture,
    )
    for line in planned.sentences:
        answer(line)


def _shared(runtime: "Runtime", asked_for: int | None) -> "Runtime":
    """The runtime of each of several processes, which need not be there."""
    from ..processes import Processes, size_in

    count = asked_for or size_in(os.environ)
    on_one_machine = asked_for or int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    free = runtime.memory
    if free is not None and runtime.device.type == "cpu":
        free //= on_one_machine
    return replace(runtime, processes=Processes(0, count), memory=free)


for _name, _order_of in (
    ("stylize", stylize_order),
    ("texture", texture_order),
    ("reconstruct", reconstruct_order),
):
    plan_app.command(_name, help=f"What nst {_name} with the same words will take.")(
        _planning(_order_of)
    )
