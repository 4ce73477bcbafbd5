"""A finished run as files: a PNG that knows how it was made, and its ComfyUI workflow."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ..image_io import save_image
from ..pyramid import resize
from ..report import summary_of
from ..stylize import Result
from ..vgg import VGG16, size_of
from .job import Request
from .workflow import graph_of

# Where the command line and the page keep the settings in a PNG, and where ComfyUI looks.
KEY, PROMPT, WORKFLOW = "nst", "prompt", "workflow"


@dataclass(frozen=True)
class Files:
    """What a visitor gets; `before` is the content at the size of the picture."""

    before: Path
    picture: Path
    workflow: Path


def summary(request: Request, vgg: VGG16) -> dict[str, Any]:
    """What is stored in the picture: the command line's summary, and what only the page has."""
    content, *styles = request.names
    return {
        **summary_of(settings=request.settings, vgg=vgg, content=content, styles=styles),
        "shares": list(request.shares),
        "preset": request.preset,
        "style_strength": request.strength,
    }


def write(result: Result, request: Request, vgg: VGG16, content: Tensor, folder: Path) -> Files:
    """Write the files into a folder of their own.

    Args:
        result, request, vgg: of the run.
        content: at any size; what the slider shows before.
        folder: in which a folder is made whose name nobody can guess.
    """
    folder = folder / secrets.token_urlsafe(16)
    folder.mkdir(parents=True)
    prompt, workflow = graph_of(request, vgg.source)
    files = Files(folder / "before.jpg", folder / "style-transfer.png", folder / "workflow.json")
    save_image(
        result.image,
        files.picture,
        metadata={
            KEY: json.dumps(summary(request, vgg)),
            PROMPT: json.dumps(prompt),
            WORKFLOW: json.dumps(workflow),
        },
    )
    files.workflow.write_text(json.dumps(workflow, indent=1) + "\n", encoding="utf-8")
    save_image(resize(content, *size_of(result.image)), files.before, quality=90)
    return files
