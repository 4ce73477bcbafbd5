"""Colors and fonts, without anything from the network."""

import gradio as gr


def theme() -> gr.themes.Base:
    """The page's theme, in light and dark. Fonts are the system's: a server may be offline."""
    soft = gr.themes.Soft(
        primary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    # Names of controls as plain words: Soft puts each on a badge, and there are many of them.
    return soft.set(
        background_fill_primary="*neutral_50",  # Soft's own, which `set` forgets
        input_border_color="*neutral_200",
        block_title_background_fill="none",
        block_title_padding="0",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_label_text_color="*body_text_color",
        block_label_text_color_dark="*body_text_color",
        block_label_background_fill="*background_fill_primary",
        block_label_background_fill_dark="*background_fill_secondary",
    )
