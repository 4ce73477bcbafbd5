"""The one entry point: losses in, a picture out, straight down from coarse to fine.

>>> from nst_core import Settings, load_vgg16, losses_of, sample, stylize
>>> settings = Settings(size=64, steps=2)
>>> losses = losses_of(sample("harbor", 64), [sample("brushstrokes", 64)], settings)
>>> result = stylize(losses, vgg=load_vgg16("builtin"), settings=settings)
>>> tuple(result.image.shape)
(1, 3, 48, 64)
"""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace

import torch
from torch import Tensor

from ..control.alpha import where_opaque
from ..control.losses import Keep, Loss
from ..errors import OutOfMemory
from ..gatys.vgg import VGG16
from ..processes import Processes
from ..settings import RunSettings
from ..settings.amount import bytes_in
from .cards import cards_of, on_cards, shared
from .checkpoint import Checkpoint
from .enough import Enough
from .finishing import Finish, recolored
from .identity import check_alike, check_identity, identity_of
from .memory import give_back_memory, is_out_of_memory
from .progress import OnProgress, Result, ignore_progress
from .runtime import Runtime
from .saver import Saver
from .search import Search
from .staging import moved, picture
from .within import OnWithin, Ticks, ignore_within


def stylize(
    losses: Sequence[Loss],
    *,
    vgg: VGG16,
    settings: RunSettings | None = None,
    runtime: Runtime | None = None,
    start: Tensor | None = None,
    on_progress: OnProgress = ignore_progress,
    on_tile: Callable[[], None] = lambda: None,
    on_within: OnWithin = ignore_within,
    enough: Enough | None = None,
    saver: Saver | None = None,
    resume: Checkpoint | None = None,
) -> Result:
    """Find the picture that the losses like best.

    Args:
        losses: values, or `losses_of(content, styles, settings)`. The first content picture gives
            the proportions, else `start`, else the first style. Its colors are those that
            `settings.colors` keeps, in the result and in every preview.
        vgg: from `load_vgg16`. A copy is moved to the runtime's device; yours stays as it is.
        settings: size, steps, start …; None is the defaults.
        runtime: where to compute; None chooses by the settings. Of several processes that share
            the picture (`runtime.processes`), all call this with the same, and all get the result.
        start: a (1, 3, h, w) picture to start from, in place of `settings.init`.
        on_progress: told after each evaluation; raising there cancels.
        on_tile: called after each tile and each layer, for hosts that must hear of a cancel
            sooner; may raise. CUDA graphs are left whole: there, after each evaluation.
        on_within: told at the same times what is being done and how far; may raise.
        enough: ends the search at the last scale. It is asked at the picture that this scale begins
            with and after each step, of which the last record is. Cards that share the picture ask
            it too, so it goes by the records alone.
        saver: writes checkpoints, now and then and if the run is cut short.
        resume: from `load_checkpoint`; goes on from there, to the same picture as a run that was
            never stopped. Everything else must be what it was.

    Raises:
        SettingsError, ImageTooSmall, NotFinite, OutOfMemory, CheckpointError: what to do is in the
            message.
    """
    settings = settings or RunSettings()

    def run(runtime: Runtime, on_progress: OnProgress, on_tile: Callable[[], None]) -> Result:
        own = _saver_in(runtime.processes, saver)
        # A host may call in inference mode, where nothing has a gradient and every tensor made
        # stays unusable for one: leave it, and copy what was brought along.
        with torch.inference_mode(False), torch.no_grad(), own or nullcontext():
            search = _search(losses, vgg, settings, runtime, start, own, resume)
            ticks = Ticks(on_tile, on_within if runtime.processes.is_first else ignore_within)
            following = ticks.following(on_progress)
            return replace(search, on_progress=following, on_tile=ticks, enough=enough).result()

    try:
        runtime = runtime or Runtime.choose(settings.device, settings.precision)
        runtime = runtime.within(bytes_in(settings.memory))
        devices = cards_of(settings.cards, runtime)
        if len(devices) == 1:
            return run(runtime, on_progress, on_tile)
        return on_cards(run, devices, shared(runtime, devices), on_progress, on_tile)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    # Not inside `except`, where the traceback would keep what filled the memory alive.
    give_back_memory()
    raise OutOfMemory(
        f"The memory is full at size {settings.size}. Use a smaller size or smaller tiles, "
        "or close other programs."
    )


def _saver_in(processes: Processes, saver: Saver | None) -> Saver | None:
    """That of one of several threads. Other processes have brought their own."""
    if saver is None or saver.processes.size == processes.size:
        return saver
    if not processes.is_first:
        return replace(saver, processes=processes)
    saver.processes = processes  # the caller's own, who asks it what is left
    return saver


def _search(
    losses: Sequence[Loss],
    vgg: VGG16,
    settings: RunSettings,
    runtime: Runtime,
    start: Tensor | None,
    saver: Saver | None,
    resume: Checkpoint | None,
) -> Search:
    """What `stylize` does, with everything on the device."""
    shared = runtime.processes.size > 1
    run = identity_of(losses, start, vgg, settings, runtime) if saver or resume or shared else {}
    if shared:
        done = len(resume.records) if resume else 0
        check_alike({**run, "checkpoints": done}, runtime.processes)
    if resume:
        check_identity(resume.run, run)
    aims = [moved(loss, runtime.device) for loss in losses]
    counting = where_opaque(recolored(aims, settings))
    return Search(
        losses=[loss for loss in counting if not isinstance(loss, Keep)],
        finish=Finish.of(aims, settings),
        vgg=vgg,
        settings=settings,
        runtime=runtime,
        start=None if start is None else picture(start, runtime.device),
        saver=saver,
        run=run,
        resume=resume,
        began=time.perf_counter() - (resume.seconds if resume else 0.0),
    )
