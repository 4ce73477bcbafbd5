"""A canvas over a picture, to paint on it with a few flat colors.

Not Gradio's ImageEditor: that hides its colors behind menus and cannot name them, needs WebGL, and
sends the picture itself back with every run. This one sends a drawing of some kilobytes.
"""

import base64
import io
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from PIL import Image, ImageColor
from torch import Tensor

from ..errors import ImageError, SettingsError
from ..files.read_image import load_image

# Longer side of a drawing: its edges are softened over more than a pixel of it. As in canvas.js.
SIZE = 1024
EMPTY = {"picture": "", "map": ""}
# What only the browser does when the picture beneath is another: what was painted goes with the one
# that was there; what came without a picture, out of a restored one, waits for it.
FOLLOW = """(picture, canvas) => {
  const address = picture ? picture.url : "";
  if (address === canvas.picture) return canvas;
  return {picture: address, map: canvas.picture ? "" : canvas.map};
}"""

_PREFIX = "data:image/png;base64,"
_SCRIPT = Path(__file__).with_name("canvas.js").read_text(encoding="utf-8")


def canvas(label: str, name: str, colors: Mapping[str, str]) -> gr.HTML:
    """The canvas; its value is {"picture": an address, "map": what is painted, as `url_of` says}.

    Args:
        label: for those who hear the page.
        name: id of the element.
        colors: what each color is called.
    """
    return gr.HTML(
        EMPTY,
        html_template=_html(label, colors),
        js_on_load=_SCRIPT,
        apply_default_css=False,
        elem_id=name,
        elem_classes="nst-canvas",
    )


def _html(label: str, colors: Mapping[str, str]) -> str:
    swatches = "".join(
        f'<button type="button" data-color="{color}" aria-pressed="false">'
        f'<i style="background:{color}"></i>{escape(words)}</button>'
        for color, words in colors.items()
    )
    return f"""
<div class="nst-swatches" role="group" aria-label="Colors">{swatches}
<button type="button" data-color="" aria-pressed="false"><i class="nst-none"></i>Eraser</button>
</div>
<p class="nst-no-picture">{escape(label)}: there is no picture yet.</p>
<div class="nst-stage" hidden><img alt="" draggable="false">
<canvas role="img" aria-label="{escape(label)}"></canvas></div>
<div class="nst-tools"><label>Brush <input type="range" min="1" max="30" value="8"></label>
<button type="button" data-do="undo">Undo</button>
<button type="button" data-do="clear">Clear</button></div>"""


def png_in(value: Any) -> bytes | None:
    """What is painted on a canvas, as a PNG; None if nothing is.

    Args:
        value: of the canvas, as whoever sent it.

    Raises:
        SettingsError: it is not what a canvas sends.
    """
    text = value.get("map") if isinstance(value, Mapping) else value
    if not text:
        return None
    try:
        png = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        load_image(io.BytesIO(png), max_pixels=SIZE**2)
    except (AttributeError, ValueError, ImageError) as error:
        raise SettingsError("The drawing cannot be read. Clear it and paint again.") from error
    return png


def url_of(png: bytes | None) -> str:
    """A drawing for a canvas."""
    return _PREFIX + base64.b64encode(png).decode() if png else ""


def pixels_of(png: bytes) -> Tensor:
    """(1, 3, H, W) of a drawing; what is bare is white."""
    return load_image(io.BytesIO(png), max_pixels=SIZE**2)


def png_of(masks: Mapping[str, Tensor]) -> bytes:
    """A drawing: each color where its (H, W) mask is above a half, bare elsewhere."""
    height, width = next(iter(masks.values())).shape
    pixels = torch.zeros(height, width, 4, dtype=torch.uint8)
    for color, mask in masks.items():
        pixels[mask > 0.5] = torch.tensor([*ImageColor.getrgb(color), 255], dtype=torch.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(stream, "PNG")
    return stream.getvalue()
