"""A run as JSON: what was asked for, with what it was done, and every evaluation of the loss."""

import json
import math
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import torch

from ..control.color_names import is_color
from ..files.atomic import write_text
from ..files.paths import check_report
from ..gatys.vgg import VGG16
from ..settings import RunSettings
from .memory import peak_memory
from .progress import Record, Result, by_scale
from .runtime import Runtime


def report_of(
    result: Result,
    *,
    settings: RunSettings,
    vgg: VGG16,
    runtime: Runtime,
    content: str | None,
    styles: Sequence[str],
    start: str | None = None,
    interrupted: bool = False,
) -> dict[str, Any]:
    """Everything about a run but its picture, ready for `json.dumps(..., allow_nan=False)`.

    Args:
        result: of the run; of what is there so far if it was interrupted.
        settings, vgg, runtime: what it was run with.
        content, styles, start: names of the pictures; no `start` means `settings.init`, no
            `content` texture synthesis.
        interrupted: whether it ended before its time.

    Returns:
        Losses are null where they were no finite number. `final_loss` is that of the
        result. `peak_memory` is in bytes; null where the system does not say.
    """
    records = result.records
    kept = [_kept(of_scale) for of_scale in by_scale(records)]
    return {
        **summary_of(settings=settings, vgg=vgg, content=content, styles=styles, start=start),
        "interrupted": interrupted,
        "device": str(runtime.device),
        "versions": _versions(),
        "evaluations": len(records),
        "seconds": round(result.seconds, 3),
        "peak_memory": peak_memory(runtime.device),
        "tile": result.tile,
        "first_loss": _finite(records[0].loss) if records else None,
        "final_loss": kept[-1][-1].loss if kept else None,
        "best_loss": min((record.loss for scale in kept for record in scale), default=None),
        "scales": _scales(result),
        "records": [_record(record) for record in records],
    }


def summary_of(
    *,
    settings: RunSettings,
    vgg: VGG16,
    content: str | None,
    styles: Sequence[str],
    start: str | None = None,
) -> dict[str, Any]:
    """What a picture needs to be made again: small enough to be stored inside it.

    Of paths only the file's name: a picture is shown to others, a home folder is not.
    """
    from .. import __version__  # the package imports us, or may one day

    return {
        "nst_gram": __version__,
        "content": None if content is None else file_name(content),
        "styles": [_style_name(style) for style in styles],
        "start": file_name(start) if start else settings.init,
        "weights": vgg.source,
        "preprocessing": vgg.preprocessing.name,
        "settings": _stored(settings),
    }


def _stored(settings: RunSettings) -> dict[str, Any]:
    """Nodes have their network's settings elsewhere."""
    stored = asdict(settings)
    return stored | ({"weights": file_name(stored["weights"])} if "weights" in stored else {})


def file_name(path: str) -> str:
    """The last part of a path, of Windows too; a word such as `auto` or `sample:ink` as it is."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def _style_name(style: str) -> str:
    """Likewise; the command line's COLOR=FILE keeps its color."""
    color, equals, file = style.partition("=")
    if equals and is_color(color):
        return f"{color}={file_name(file)}"
    return file_name(style)


def save_report(report: Mapping[str, Any], path: str | Path) -> None:
    """Write a report as JSON: all of it, or nothing.

    Raises:
        ImageError: the path cannot be written.
    """
    check_report(path)
    write_text(Path(path), json.dumps(report, indent=1, allow_nan=False) + "\n")


def _scales(result: Result) -> list[dict[str, Any]]:
    return [
        {
            **asdict(scale),
            "evaluations": len(of_scale),
            "first_loss": _finite(of_scale[0].loss),
            "final_loss": _kept(of_scale)[-1].loss,
            "stop": stop,
        }
        for scale, stop, of_scale in zip(
            result.scales, result.stops, by_scale(result.records), strict=True
        )
    ]


def _kept(of_scale: Sequence[Record]) -> list[Record]:
    """The start and every step down: an evaluation that repeats a step was no step."""
    steps = (later for earlier, later in pairwise(of_scale) if later.step > earlier.step)
    return [of_scale[0], *steps]


def _record(record: Record) -> dict[str, Any]:
    parts = {name: _finite(part) for name, part in record.parts.items()}
    return {**asdict(record), "loss": _finite(record.loss), "parts": parts}


def _finite(value: float) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if math.isfinite(value) else None


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),  # says which build it is, as in 2.9.0+cpu
        "numpy": np.__version__,
        "pillow": PIL.__version__,
    }
