"""A request as a document beside its pictures, for a page that is started again."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from ..settings import Settings
from ..settings.samples import SAMPLE
from ..settings.video import VideoSettings
from .canvas import png_in, url_of
from .clip_job import ClipRequest
from .controls import checked
from .job import Picture, Request
from .pictures import Samples


def document_of(request: Request) -> dict[str, Any]:
    """What `json.dumps` takes. Of pictures that are no samples, only the file's name."""
    return {
        "content": request.content and _document_of(request.content),
        "styles": [_document_of(style) for style in request.styles],
        "map": url_of(request.map),
        "settings": asdict(request.settings),
        "preset": request.preset,
        "strength": request.strength,
        **({"video": asdict(request.video)} if isinstance(request, ClipRequest) else {}),
    }


def request_in(document: Mapping[str, Any], folder: Path, samples: Samples) -> Request:
    """The request of such a document, with pictures in `folder`.

    Raises:
        SettingsError: it is of other settings, or a picture is not there.
        KeyError, TypeError, ValueError, AttributeError: it is damaged.
    """
    content = document["content"]
    request = Request(
        content=None if content is None else _picture(content, folder, samples),
        styles=tuple(_picture(style, folder, samples) for style in document["styles"]),
        map=png_in(document["map"]),
        settings=checked(Settings(), document["settings"]),
        preset=str(document["preset"]),
        strength=float(document["strength"]),
    )
    if "video" not in document:
        return request
    video = checked(VideoSettings(), document["video"])
    return ClipRequest(**{**vars(request), "video": video})


def _document_of(picture: Picture) -> dict[str, Any]:
    return {
        "file": Path(picture.path).name,
        "name": picture.name,
        "share": picture.share,
        "color": picture.color,
        "part": url_of(picture.part),
    }


def _picture(document: Mapping[str, Any], folder: Path, samples: Samples) -> Picture:
    name = str(document["name"])
    path = (
        samples.files[name.removeprefix(SAMPLE)]
        if name.startswith(SAMPLE)
        else folder / Path(document["file"]).name
    )
    if not path.is_file():
        raise SettingsError(f"The picture '{name}' is missing.")
    return Picture(
        path=str(path),
        name=name,
        share=float(document["share"]),
        color=str(document["color"]),
        part=png_in(document["part"]),
    )
