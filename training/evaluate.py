"""Figures and a sheet of pictures for any weights."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor

from nst_core import VGG16, load_image, load_vgg16, sample, save_image
from nst_core.control.pyramid import resize
from nst_core.files.samples import CONTENTS, STYLES
from nst_core.files.weights.builtin import FILE
from nst_core.gatys.vgg import size_of

from .export import digest
from .figures import (
    from_gray,
    linear_probe,
    peak_signal_to_noise,
    rebuilt,
    seconds_to_load,
    shrunk,
    style_retrieval,
)

_KINDS = {".jpg", ".jpeg", ".png", ".webp"}
_MAX_PIXELS = 100_000_000
_GAP = 8


def evaluate(
    weights: Annotated[
        list[str], typer.Argument(help="untrained, builtin, keras … or files, one or more.")
    ],
    pictures: Annotated[
        Path | None, typer.Option(help="A folder of pictures; none: the project's samples.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for figures.json and the sheets.")] = Path(
        "out/evaluation"
    ),
    size: Annotated[int, typer.Option(help="Longer side of what is rebuilt.")] = 256,
    rebuild: Annotated[int, typer.Option(help="How many pictures to rebuild.")] = 4,
    evaluations: Annotated[int, typer.Option(help="For each picture that is searched.")] = 200,
) -> None:
    """Measure weights and draw what they make of pictures."""
    out.mkdir(parents=True, exist_ok=True)
    read = _pictures(pictures)
    figures = {}
    for name in weights:
        vgg = load_vgg16(name)
        figures[name], sheet = _measured(vgg, read, size, rebuild, evaluations)
        file = FILE if name == "builtin" else Path(name)
        if file.is_file():
            figures[name] |= {"MB": file.stat().st_size / 1e6, "sha256": digest(file)[:12]}
            if file.suffix == ".safetensors":
                figures[name]["seconds to load"] = seconds_to_load(file)
        save_image(sheet, out / f"{Path(name).stem}.png")
    (out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    _show(figures)


def _measured(
    vgg: VGG16, pictures: Sequence[Tensor], size: int, rebuild: int, evaluations: int
) -> tuple[dict[str, Any], Tensor]:
    """All figures of one network, and its sheet.

    The sheet has each picture over what is rebuilt from relu4_2, then content, style and the seed
    project's picture of them from gray.
    """
    figures: dict[str, Any] = {}
    for layer, share in style_retrieval(vgg, pictures).items():
        figures[f"style top-1, {layer}"] = share
    for layer, share in linear_probe(vgg).items():
        figures[f"probe top-1, {layer}"] = share
    columns = []
    for index, picture in enumerate(pictures[:rebuild]):
        original = shrunk(picture, size)
        found = rebuilt(vgg, original, evaluations)
        figures[f"rebuilt {index + 1}, dB"] = peak_signal_to_noise(found, original)
        columns.append([original, found])
    content, style = pictures[0], pictures[-1]
    image, fall = from_gray(vgg, content, style, evaluations)
    figures["from gray, loss falls by"] = fall
    side = size_of(image)
    columns.append([resize(content, *side), resize(style, *side), image])
    return figures, _sheet(columns, size)


def _sheet(columns: Sequence[Sequence[Tensor]], size: int) -> Tensor:
    """Pictures in columns on white."""
    height = max(len(column) for column in columns) * (size + _GAP) - _GAP
    sheet = torch.ones(1, 3, height, len(columns) * (size + _GAP) - _GAP)
    for x, column in enumerate(columns):
        for y, picture in enumerate(column):
            rows, wide = size_of(picture)
            top, left = y * (size + _GAP), x * (size + _GAP)
            sheet[..., top : top + rows, left : left + wide] = picture
    return sheet


def _pictures(folder: Path | None) -> list[Tensor]:
    if folder is None:
        return [sample(name, 640) for name in (*CONTENTS, *STYLES)]
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _KINDS)
    if not paths:
        sys.exit(f"{folder} has no pictures ({', '.join(sorted(_KINDS))}).")
    return [load_image(path, max_pixels=_MAX_PIXELS) for path in paths]


def _show(figures: dict[str, dict[str, Any]]) -> None:
    table = Table("", *figures)
    for row in dict.fromkeys(name for column in figures.values() for name in column):
        cells = [column.get(row, "") for column in figures.values()]
        table.add_row(row, *(f"{c:.3g}" if isinstance(c, float) else str(c) for c in cells))
    Console(width=200).print(table)
