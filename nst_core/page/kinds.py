"""What the page makes: a picture in a style, a texture, a reconstruction, a video; a tab each."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..settings import PRESETS
from .controls import COLORS, LOSSES, REGIONS, SEARCH, VIDEO_SETTINGS, WRITING


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One tab: what it makes, and what it asks for.

    Attributes:
        name: of its endpoint, and in front of the ids of its elements.
        title: of the tab.
        words: what it does, in Markdown.
        presets: to choose from, the usual one first; no menu is shown for a single one.
        content: whether it takes a content picture.
        styles: how many style pictures it takes.
        main: settings that are always to be seen.
        folded: settings under a title.
        of_regions: settings beside the canvas of the regions.
    """

    name: str
    title: str
    words: str
    presets: tuple[str, ...]
    content: bool
    styles: int
    main: tuple[str, ...]
    folded: Mapping[str, tuple[str, ...]]
    of_regions: tuple[str, ...] = ()

    def id(self, name: str) -> str:
        """Of an element. The first tab was once the whole page: there it is the name alone."""
        return name if self is STYLIZE else f"{self.name}_{name}"

    @property
    def has_regions(self) -> bool:
        """Whether parts of the picture can go to different styles."""
        return self.content and self.styles > 0

    @property
    def settings(self) -> tuple[str, ...]:
        """Every setting that has a control on the tab."""
        folded = (name for names in self.folded.values() for name in names)
        return (*self.main, *folded, *self.of_regions)


def _without(names: tuple[str, ...], *left_out: str) -> tuple[str, ...]:
    return tuple(name for name in names if name not in left_out)


# Of a texture and of a reconstruction: the losses that the other has.
_CONTENT = ("content_layers", "content_weight", "laplacian_weight")
_STYLE = ("style_layers", "style_weight", "statistics", "style_scale")

STYLIZE = Kind(
    name="stylize",
    title="Stylize",
    words="Two pictures in, one out: what the first shows, painted like the second. Press **Run**.",
    presets=_without(tuple(PRESETS), "texture", "reconstruction"),
    content=True,
    styles=4,
    main=("size", "steps"),
    folded={
        "Layers and weights": LOSSES,
        "Colors": COLORS,
        "Start, scales, seed": _without(SEARCH, "aspect"),
        "File": WRITING,
    },
    of_regions=REGIONS,
)
TEXTURE = Kind(
    name="texture",
    title="Texture",
    words="More of one picture, in any size: its texture without its shapes. Press **Run**.",
    presets=("texture",),
    content=False,
    styles=4,
    main=("size", "aspect", "seamless", "steps"),
    folded={
        "Layers and weights": _without(LOSSES, *_CONTENT),
        "Start, scales, seed": _without(SEARCH, "aspect", "seamless", "shape"),
        "File": WRITING,
    },
)
RECONSTRUCT = Kind(
    name="reconstruct",
    title="Reconstruct",
    words="What a layer of the network knows of a picture: the picture again, from that alone. "
    "Press **Run**.",
    presets=("reconstruction",),
    content=True,
    styles=0,
    main=("content_layers", "size", "steps"),
    folded={
        "Weights": _without(LOSSES, *_STYLE, "content_layers"),
        "Start, scales, seed": _without(SEARCH, "aspect", "seamless", "views"),
        "File": WRITING,
    },
)
# Has a layout of its own, and settings of how frames hang together.
VIDEO = Kind(
    name="video",
    title="Video",
    words="A short clip, painted frame after frame: each goes on from the one before, carried "
    "along by what moves. The first takes the steps of a picture, others up to a tenth. "
    "Press **Run**.",
    presets=("default",),
    content=True,
    styles=1,
    main=("size", "steps", *VIDEO_SETTINGS),
    folded={
        "Layers and weights": LOSSES,
        "Colors": COLORS,
    },
)
KINDS = (STYLIZE, TEXTURE, RECONSTRUCT)


def kind_of(content: bool, styles: int) -> Kind:
    """What is made out of these pictures."""
    if not content:
        return TEXTURE
    return STYLIZE if styles else RECONSTRUCT
