"""The line before a run: how long it will take, and how much memory."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future, wait
from typing import Any

import torch
from torch import Tensor

from ..control.losses import ContentLoss, Loss, StyleLoss
from ..control.pyramid import fit
from ..errors import NSTError
from ..gatys.vgg import LAYERS
from ..run.pace import Pace, pace_of
from ..run.plan import plan
from ..run.recipes import Region, losses_of_regions
from ..run.runtime import Runtime
from ..settings import Settings, preset_named
from . import live
from .job import Picture, Request
from .kinds import KINDS
from .network import Network
from .parts import Parts
from .pictures import size_named
from .runs import Runs

# Longer side of what stands for a picture: a plan asks for its proportions alone.
_SIDE = 64
_UNKNOWN = Pace(0.0, 0.0)
# What an evaluation's time depends on, beside its pixels.
_Cost = tuple[str, ...]


class Planning:
    """Plans for all visitors, at paces that are measured once for each kind of evaluation.

    Args:
        network: of the page.
        runs: what is asked for, and the device, which measures while nobody uses it.
    """

    def __init__(self, network: Network, runs: Runs) -> None:
        self._network, self._runs = network, runs
        self._paces: dict[_Cost, Future[Pace]] = {}
        # The usual ones before there are visitors, or the first run would wait for them.
        square = torch.rand(1, 3, _SIDE, _SIDE)
        for kind in KINDS:
            usual = preset_named(kind.presets[0]).settings
            regions = [Region(styles=(square,))] if kind.styles else []
            losses = losses_of_regions(square if kind.content else None, regions, usual)
            self.pace(losses, usual)
        wait(self._paces.values())

    async def line(self, parts: Parts, values: Mapping[Any, Any]) -> str:
        """What a run of a tab's values will take, or what is wrong with them."""
        try:
            request = self._runs.request(parts.kind, **parts.request_in(values))
            settings = request.settings
            losses = _losses(request)
            pace = await self.pace_if_known(losses, settings) or _UNKNOWN
            planned = plan(
                losses,
                vgg=self._network.vgg,
                settings=settings,
                runtime=Runtime.choose(settings.device, settings.precision),
                pace=pace,
            )
        except NSTError as error:
            return live.warning_html(str(error))
        return live.plan_html(planned, pace is not _UNKNOWN, self._runs.limits.max_minutes)

    async def pace_if_known(self, losses: list[Loss], settings: Settings) -> Pace | None:
        """How long an evaluation takes; None if the device is busy and it was never measured."""
        measured = self.pace(losses, settings)
        # Shielded: others wait for the same, when this visitor leaves.
        if measured is None:
            return None
        return await asyncio.shield(asyncio.wrap_future(measured))

    def pace(self, losses: list[Loss], settings: Settings) -> "Future[Pace] | None":
        """Measured before, or now if the device is free; else None."""
        cost = _cost(losses, settings)
        if cost not in self._paces:
            if len(self._runs.device):
                return None
            self._paces[cost] = self._runs.device.measure(
                lambda: pace_of(
                    losses,
                    vgg=self._network.pooled(settings.pooling),
                    settings=settings,
                    runtime=Runtime.choose(settings.device, settings.precision),
                )
            )
        return self._paces[cost]


def _cost(losses: list[Loss], settings: Settings) -> _Cost:
    """What makes evaluations cost alike: how far into the network, and what is done there."""
    weighed = [loss for loss in losses if isinstance(loss, ContentLoss | StyleLoss) and loss.weight]
    order = list(LAYERS)
    deepest = max((order.index(n) for loss in weighed for n in loss.layer_weights), default=0)
    styled = any(isinstance(loss, StyleLoss) for loss in weighed)
    statistics = settings.statistics if styled else ""
    return order[deepest], statistics, settings.pooling, settings.precision


def _losses(request: Request) -> list[Loss]:
    """The request's losses, with pictures that have only its pictures' proportions."""
    content = placeholder(request.content) if request.content else None
    styles = tuple(placeholder(style) for style in request.styles)
    regions = [Region(styles=styles)] if styles else []
    return losses_of_regions(content, regions, request.settings)


def placeholder(picture: Picture) -> Tensor:
    """A picture that has only its proportions."""
    return torch.rand(1, 3, *fit(*size_named(picture.path, picture.name), _SIDE))
