"""A picture whose header is read and whose pixels are not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..pixels import Pixels


@dataclass(frozen=True)
class Opened:
    """What a header tells.

    Args:
        kind: The format's name.
        size: (width, height) as stored.
        decode: Reads the pixels, upright and in sRGB; raises Damaged or NotSupported. The stream
            must still be open.
        texts: By their names, those stored before the pixels.
    """

    kind: str
    size: tuple[int, int]
    decode: Callable[[], Pixels]
    texts: Mapping[str, str] = field(default_factory=dict)
