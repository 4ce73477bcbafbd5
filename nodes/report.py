"""What became of a batch of runs: a value to pass around, plot, or read as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..nst_core.control.losses import Keep, LaplacianLoss, Loss, TotalVariationLoss
from ..nst_core.gatys.vgg import VGG16
from ..nst_core.run.progress import Record, Result
from ..nst_core.run.report import report_of
from ..nst_core.run.runtime import Runtime
from ..nst_core.settings import RunSettings


@dataclass(frozen=True)
class Report:
    """One run for each picture of the batch. `str()` of it is JSON, for nodes that show text.

    Attributes:
        records: every evaluation of each run.
        details: of each run, as `nst_core.report` describes it, and its losses.
    """

    records: tuple[tuple[Record, ...], ...]
    details: tuple[dict[str, Any], ...]

    def __str__(self) -> str:
        details = self.details[0] if len(self.details) == 1 else self.details
        return json.dumps(details, indent=1, allow_nan=False)


def run_details(
    losses: Sequence[Loss],
    result: Result,
    place: str,
    *,
    vgg: VGG16,
    settings: RunSettings,
    runtime: Runtime,
    start: str | None,
) -> dict[str, Any]:
    """One run of a batch as JSON. The host's pictures have no names, but a `place` in the batch."""
    report = report_of(
        result,
        settings=settings,
        vgg=vgg,
        runtime=runtime,
        content=place,
        styles=[],
        start=start,
    )
    return {**report, "losses": [_described(loss) for loss in losses]}


def _described(loss: Loss) -> dict[str, Any]:
    if isinstance(loss, Keep):
        return {"loss": "Keep"}
    kind = {"loss": type(loss).__name__, "weight": loss.weight}
    if isinstance(loss, TotalVariationLoss | LaplacianLoss):
        return kind
    return {
        **kind,
        "layers": dict(loss.layer_weights),
        "normalization": loss.normalization,
        "masked": loss.mask is not None,
        "sizes": [f"{picture.shape[-1]}x{picture.shape[-2]}" for picture in loss.pictures],
    }
