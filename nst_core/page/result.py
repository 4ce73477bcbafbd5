"""A finished run as files: a PNG that knows how it was made, and its ComfyUI workflow."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ..control.pyramid import resize
from ..files.atomic import write_text
from ..files.write_image import save_image
from ..gatys.vgg import VGG16, size_of
from ..run.progress import Result
from ..run.report import summary_of
from .canvas import url_of
from .job import Request
from .workflow import graph_of

# Where the command line and the page keep the settings in a PNG, and where ComfyUI looks.
KEY, PROMPT, WORKFLOW = "nst", "prompt", "workflow"


@dataclass(frozen=True)
class Files:
    """What a visitor gets; `before` is the content, if there is one, at the picture's size."""

    before: Path | None
    picture: Path
    workflow: Path


def summary(request: Request, vgg: VGG16) -> dict[str, Any]:
    """What is stored in the picture: the command line's summary, and what only the page has."""
    content, styles = request.content, request.styles
    return {
        **summary_of(
            settings=request.settings,
            vgg=vgg,
            content=content.name if content else None,
            styles=[style.name for style in styles],
        ),
        "shares": [style.share for style in styles],
        "preset": request.preset,
        "style_strength": request.strength,
        **({"drawn": _drawings(request)} if request.is_drawn else {}),
    }


def _drawings(request: Request) -> dict[str, Any]:
    """What is painted over the pictures; a drawing has some kilobytes."""
    return {
        "map": url_of(request.map),
        "colors": [style.color for style in request.styles],
        "parts": [url_of(style.part) for style in request.styles],
    }


def write_picture(
    result: Result, request: Request, vgg: VGG16, folder: Path, *, alpha: Tensor | None = None
) -> Path:
    """Write the PNG of a run into a folder."""
    prompt, workflow = graph_of(request, vgg.source, cutout=alpha is not None)
    path = folder / "style-transfer.png"
    texts = {KEY: summary(request, vgg), PROMPT: prompt, WORKFLOW: workflow}
    metadata = {name: json.dumps(text) for name, text in texts.items()}
    save_image(result.image, path, metadata=metadata, alpha=alpha, bits=request.settings.bits)
    return path


def write(
    result: Result,
    request: Request,
    vgg: VGG16,
    content: Tensor | None,
    folder: Path,
    *,
    alpha: Tensor | None = None,
) -> Files:
    """Write all files of a run into a folder.

    Args:
        result, request, vgg: of the run.
        content: at any size; what the slider shows before, if there is one.
        folder: of this run alone.
        alpha: (h, w), how opaque the content and the result are; None is all of it.
    """
    before = None if content is None else folder / f"before.{'jpg' if alpha is None else 'png'}"
    picture = write_picture(result, request, vgg, folder, alpha=alpha)
    files = Files(before, picture, folder / "workflow.json")
    _, workflow = graph_of(request, vgg.source, cutout=alpha is not None)
    write_text(files.workflow, json.dumps(workflow, indent=1) + "\n")
    if content is not None and before is not None:
        save_image(resize(content, *size_of(result.image)), before, quality=90, alpha=alpha)
    return files
