"""Settings of the pictures that are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .option import Checked, option

BITS = (8, 16)
# Pixels of the longest side that a format holds: what its header can say (PNG, TIFF, BMP and WebP),
# or what libjpeg writes (JPEG's header could say 35 more).
MAX_SIDES: Mapping[str, int] = MappingProxyType(
    {"PNG": 2**31 - 1, "JPEG": 65500, "WEBP": 16383, "TIFF": 2**31 - 1, "BMP": 2**31 - 1}
)
# Bytes of a file whose size or offsets have 32 bits: BMP ends there, TIFF becomes BigTIFF.
MAX_32_BIT_FILE = 2**32 - 1
# Longer sides, in pixels, of what is only looked at. On a page: a picture while it is made, and a
# result. As files: a film (H.264's level 5.1 ends there), and a picture on the way (--save-every).
PREVIEW_SIDE, SHOWN_SIDE, FILM_SIDE, STEP_SIDE = 1024, 2048, 4096, 4096


@dataclass(frozen=True, kw_only=True)
class WriteSettings(Checked):
    """What a written picture holds."""

    transparency: bool = option(
        True,
        "The result is transparent where the content is, and only what is opaque in a style "
        "counts. PNG, WebP and TIFF can hold that; in JPEG and BMP white lies beneath. Off lays "
        "all pictures over white as they are read.",
    )
    bits: int = option(
        8,
        "Bits of each channel that are written. 16 keeps smooth gradients for later editing; only "
        "PNG and TIFF can. Colors are sRGB in any case, and the file says so.",
        choices=BITS,
    )
