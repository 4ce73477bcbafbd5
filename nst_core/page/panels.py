"""What is folded away on a tab: more styles, regions, parts of styles, restoring."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ..settings import ServingSettings, preset_named
from .canvas import canvas
from .controls import control, values_of
from .kinds import Kind
from .pictures import file_input, picture_input, upload_button
from .regions import COLORS, KEEP

_REGIONS = f"""
Paint where each style goes. A style whose color is painted goes there and nowhere else; styles
without paint fill the rest. What then has no style, and what is painted *keep*, stays as it is.

Or upload a map, one flat color per region: {", ".join(COLORS)} for styles 1 to {len(COLORS)},
{KEEP} for what stays; white is not painted.
"""
_PARTS = """
Paint the part of a style picture that counts, or upload a mask where it is white. Without paint,
all of the picture counts.
"""


def settings_under(
    kind: Kind, names: Sequence[str], limits: ServingSettings, settings: dict[str, Any]
) -> None:
    """The controls of these settings, as the usual preset has them; added to `settings`."""
    usual = values_of(preset_named(kind.presets[0]).settings, limits)
    for name in names:
        settings[name] = control(name, limits, elem_id=kind.id(name), value=usual[name])


def more_styles(kind: Kind, limits: ServingSettings) -> dict[str, Any]:
    """All styles but the first, and the shares of all."""
    others = []
    with gr.Accordion("More styles", open=False, elem_id=kind.id("more_styles")):
        shares = [_share(kind, 1, limits, label="Share of the first style")]
        with gr.Row():
            for number in range(2, kind.styles + 1):
                with gr.Column(min_width=150):
                    others.append(picture_input(f"Style {number}", kind.id(f"style_{number}")))
                    shares.append(_share(kind, number, limits, label="Share", info=None))
    return {"others": others, "shares": shares}


def _share(
    kind: Kind, number: int, limits: ServingSettings, **look: Any
) -> gr.components.Component:
    return control("style_share", limits, elem_id=kind.id(f"share_{number}"), **look)


def regions(kind: Kind, limits: ServingSettings, settings: dict[str, Any]) -> dict[str, Any]:
    """The canvas over the content; the settings of its edges are added to `settings`."""
    names = {color: f"Style {number}" for number, color in enumerate(COLORS, 1)}
    with gr.Accordion("Regions", open=False, elem_id=kind.id("regions")) as panel:
        gr.Markdown(_REGIONS, elem_classes="nst-small")
        map_ = canvas("Where each style goes", kind.id("map"), {**names, KEEP: "Keep"})
        upload = upload_button("Upload a map", kind.id("map_upload"))
        settings_under(kind, kind.of_regions, limits, settings)
    return {"map": map_, "map_panel": panel, "uploads": [upload]}


def parts_of_styles(kind: Kind) -> tuple[list[Any], list[Any]]:
    """A canvas over each style, and its button for a mask."""
    canvases, uploads = [], []
    with gr.Accordion("Parts of the styles", open=False, elem_id=kind.id("parts")):
        gr.Markdown(_PARTS, elem_classes="nst-small")
        with gr.Row():
            for number, color in enumerate(COLORS[: kind.styles], 1):
                with gr.Column(min_width=220):
                    label = f"Part of style {number}"
                    name = kind.id(f"part_{number}")
                    canvases.append(canvas(label, name, {color: f"Style {number}"}))
                    uploads.append(upload_button("Upload a mask", f"{name}_upload"))
    return canvases, uploads


def restoring(kind: Kind) -> dict[str, Any]:
    """Where a finished picture is dropped."""
    title = "Restore the settings of a picture"
    with gr.Accordion(title, open=False, elem_id=kind.id("restore")) as panel:
        dropped = file_input("Drop a PNG that was made here", kind.id("dropped"), ".png")
        # Not Markdown: names out of a picture are in it, and HTML can be escaped as a whole.
        restored = gr.HTML(elem_id=kind.id("restored"), min_height=0)
    return {"dropped": dropped, "restored": restored, "restored_panel": panel}
