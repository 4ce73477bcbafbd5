"""Pictures that come in: samples as files, uploads that are looked at before they are decoded."""

import filecmp
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr
from torch import Tensor

from ..control.guidance import check_large_enough
from ..errors import ImageError
from ..files.alpha import load_with_alpha
from ..files.read_image import Needed, image_size, load_image
from ..files.samples import CONTENTS, STYLES, sample
from ..files.write_image import save_image
from ..gatys.vgg import size_of
from ..run.staging import needed_size
from ..settings import LossSettings, ServingSettings, Settings
from ..settings.layers import CONTENT_LAYERS, STYLE_LAYERS, layer_weights
from ..settings.samples import SAMPLE, drawn_size
from .clip_sample import CLIP, write_clip
from .job import Request

# Longer side of a sample's file, which is only looked at: a run draws its own.
SHOWN = 384


def _path_of(self: Any, payload: Any) -> str | None:
    """The uploaded file; Gradio has seen to it that it lies in its own folder."""
    return None if payload is None else payload.path


def _handing_on(base: Any) -> Any:
    """An input that hands on the file as it came.

    Gradio's own would open a picture, and answer a damaged one with a bare "Error". Not by a class
    statement, at which Gradio writes a stub file beside the source of each component; and not on
    the object, of which it makes new ones for each visitor.
    """

    async def only_files(self: Any, path: Any) -> Any:
        # Gradio would fetch an address, however much comes.
        if str(path).startswith(("http://", "https://")):
            raise gr.Error("Upload a file; addresses are not fetched.", print_exception=False)
        return await base.async_move_resource_to_block_cache(self, path)

    # With `is_template`, the browser is told the name of the base.
    changed = {"is_template": True, "__module__": __name__}
    ours = {"preprocess": _path_of, "async_move_resource_to_block_cache": only_files}
    return type.__new__(type(base), base.__name__, (base,), changed | ours)


_Picture, _File, _Upload = map(_handing_on, (gr.Image, gr.File, gr.UploadButton))


def picture_input(label: str, name: str, value: Path | None = None) -> gr.Image:
    """An upload, paste or photograph, which becomes the path of its file."""
    return _Picture(
        value=value,
        label=label,
        type="filepath",
        sources=["upload", "clipboard", "webcam"],
        webcam_options=gr.WebcamOptions(mirror=False),
        height=220,
        buttons=[],
        elem_id=name,
        alt_text=label,
    )


def file_input(label: str, name: str, *suffixes: str) -> gr.File:
    """An upload of one file, which becomes its path."""
    return _File(label=label, file_types=list(suffixes), height=150, elem_id=name)


def upload_button(label: str, name: str) -> gr.UploadButton:
    """A button that uploads a picture, which becomes the path of its file."""
    return _Upload(label, file_types=["image"], size="sm", elem_id=name)


class Samples:
    """The engine's pictures as files in a folder.

    Args:
        folder: where they are written.
    """

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, Path] = {}
        for name in (*CONTENTS, *STYLES):
            self.files[name] = folder / f"{name}.jpg"
            save_image(sample(name, SHOWN), self.files[name], quality=88)
        # Of the video that is drawn once somebody wants it; here, so that it is not cleared away.
        self._clips = folder / "clips"
        self._clips.mkdir(exist_ok=True)
        self._drawing = Lock()
        # The two that the page begins with: the first visitor shall not wait for them.
        for names in (CONTENTS, STYLES):
            _drawn(next(iter(names)), drawn_size(Settings().size))

    def clip(self) -> Path:
        """The moving sample as a file; it takes a second or two to draw.

        Raises:
            PackageError: PyAV is missing.
        """
        path = self._clips / f"{CLIP}.mp4"
        with self._drawing:
            if not path.is_file():
                write_clip(path)
        return path

    def name_of(self, path: str) -> str:
        """`sample:NAME` if the file is one of them, whatever it is called; else its own name."""
        file = self.files.get(Path(path).stem)
        if file and filecmp.cmp(file, path, shallow=False):
            return SAMPLE + file.stem
        return Path(path).name


def check_upload(path: str, limits: ServingSettings) -> None:
    """Raise ImageError if the file cannot be used; its pixels are decoded to know."""
    load_named(path, Path(path).name, limits, needed_size(Settings()))


def load_named(path: str, name: str, limits: ServingSettings, needed: Needed) -> Tensor:
    """A picture; what is wrong with it is told without the server's folders."""
    with named(path, name):
        return load_image(path, max_pixels=limits.max_megapixels * 10**6, needed=needed)


def with_alpha_named(
    path: str, name: str, limits: ServingSettings, needed: Needed
) -> tuple[Tensor, Tensor | None]:
    """A picture and its (H, W) alpha, None if it is opaque; likewise."""
    with named(path, name):
        return load_with_alpha(path, max_pixels=limits.max_megapixels * 10**6, needed=needed)


def size_named(path: str, name: str) -> tuple[int, int]:
    """(height, width) of a picture, likewise."""
    with named(path, name):
        return image_size(path)


@contextmanager
def named(path: str, name: str) -> Iterator[None]:
    """Tells what is wrong with a file by the name that the visitor knows."""
    try:
        yield
    except ImageError as error:
        message = str(error).replace(f"'{path}'", f"'{name}'").replace(path, name)
        raise ImageError(message) from error


def read_pictures(request: Request, limits: ServingSettings) -> list[tuple[Tensor, Tensor | None]]:
    """The content, if there is one, then the styles, each with its alpha; None is opaque.

    Raises:
        ImageError: a file is no picture, damaged, or too small for its layers; one of them or all
            together are too large.
    """
    pictures: list[tuple[Tensor, Tensor | None]] = []
    pixels = 0
    for given in request.pictures:
        alpha = None
        if given.name.startswith(SAMPLE):
            picture = _drawn(given.name.removeprefix(SAMPLE), drawn_size(request.settings.size))
        else:
            factor = 1.0 if given is request.content else request.settings.style_scale
            file = given.path, given.name, limits, needed_size(request.settings, factor)
            if request.settings.transparency:
                picture, alpha = with_alpha_named(*file)
            else:
                picture = load_named(*file)
            pixels += picture[0, 0].numel()
            if pixels > limits.max_megapixels * 10**6:
                raise ImageError(
                    f"These pictures have more than {limits.max_megapixels} million pixels "
                    "together, the limit of this page. Make them smaller."
                )
        is_content = given is request.content
        layers = _layers(request.settings, content=is_content)
        what = f"The {'content' if is_content else 'style'} picture '{given.name}'"
        check_large_enough(*size_of(picture), layers, what)
        pictures.append((picture, alpha))
    return pictures


@lru_cache(maxsize=4)
def _drawn(name: str, size: int) -> Tensor:
    return sample(name, size)


def _layers(settings: LossSettings, *, content: bool) -> list[str]:
    chosen = settings.content_layers if content else settings.style_layers
    named = CONTENT_LAYERS if content else STYLE_LAYERS
    return list(layer_weights(chosen, named, averaged=True))
