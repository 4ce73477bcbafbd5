"""Colors and fonts, without anything from the network."""

import gradio as gr


def theme() -> gr.themes.Base:
    """The page's theme, in light and dark. Fonts are the system's: a server may be offline."""
    return gr.themes.Soft(
        primary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
