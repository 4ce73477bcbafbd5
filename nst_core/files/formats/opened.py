"""A picture whose header is read and whose pixels are not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from PIL import Image

from ..damage import decoding
from ..pixels import Pixels, pixels_of
from ..shrinking import Size, Strips, has_strips, strips_of_pillow


@dataclass(frozen=True)
class Opened:
    """What a header tells.

    Args:
        kind: The format's name.
        size: (width, height) as stored.
        decode: Reads the pixels, upright and in sRGB; raises Damaged or NotSupported. The stream
            must still be open.
        texts: By their names, those stored before the pixels.
        strips: Reads the pixels strip by strip for a picture of this (height, width) as stored,
            perhaps already somewhat smaller; None can only be read as a whole.
    """

    kind: str
    size: tuple[int, int]
    decode: Callable[[], Pixels]
    texts: Mapping[str, str] = field(default_factory=dict)
    strips: Callable[[Size], Strips] | None = None


def opened_by_pillow(picture: Image.Image, kind: str) -> Opened:
    """A picture that Pillow has opened, and alone can decode."""

    def loaded() -> Image.Image:
        with decoding(kind):
            picture.load()
        return picture

    def strips(_: Size) -> Strips:
        return strips_of_pillow(picture, loaded)

    kept = strips if has_strips(picture) else None
    return Opened(kind, picture.size, lambda: pixels_of(loaded()), strips=kept)
