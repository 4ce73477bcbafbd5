"""Settings of the colors."""

from dataclasses import dataclass

from .option import Checked, option

COLOR_NAMES = ("style", "luminance", "cholesky", "pca", "symmetric", "histogram")


@dataclass(frozen=True, kw_only=True)
class ColorSettings(Checked):
    """Whose colors the result has."""

    colors: str = option(
        "style",
        "style: the colors come with the style. luminance: each pixel keeps the content's color, "
        "only light and dark are painted. cholesky, pca, symmetric: the content's mean colors and "
        "contrasts, by three ways to the same; histogram: all its shades.",
        choices=COLOR_NAMES,
    )
    color_when: str = option(
        "after",
        "after: the finished picture is recolored, which is exact. before: the style pictures are "
        "recolored first, which leaves more to the painting.",
        choices=("after", "before"),
    )
    color_source: str = option(
        "content",
        "Whose colors to keep: the content's, or exactly those of the (first) style picture. "
        "luminance keeps the content's.",
        choices=("content", "style"),
    )
    color_strength: float = option(
        1.0, "How much of the colors is kept; 0 is off.", minimum=0, maximum=1
    )
