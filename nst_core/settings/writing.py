"""Settings of the pictures that are written."""

from dataclasses import dataclass

from .option import Checked, option

BITS = (8, 16)


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
