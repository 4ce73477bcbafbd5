"""HEIC and AVIF, the formats of phones, by whatever package this Python has for them."""

from typing import IO, Any

from PIL import Image

from ...errors import PackageError
from ...optional import imported
from ..damage import MissingPackage, decoding
from .opened import Opened, opened_by_pillow

_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AS_JPEG = "or save it as a JPEG or PNG picture"


def brand_of(prefix: bytes) -> str | None:
    """AVIF or HEIC, as the file type box says (ISO/IEC 14496-12, 4.3); None if it is neither.

    Args:
        prefix: The file's first bytes, 64 or so.
    """
    if prefix[4:8] != b"ftyp":
        return None
    box = prefix[8 : int.from_bytes(prefix[:4], "big")]
    # The main one and the compatible ones; between them stands a version.
    brands = {box[:4], *(box[at : at + 4] for at in range(8, len(box), 4))}
    return "AVIF" if brands & _AVIF else "HEIC" if brands & _HEIC else None


def open_avif(stream: IO[bytes], name: str) -> Opened:
    """By Pillow from 11.3, or with its plugin pillow-avif-plugin where the host has loaded it."""
    Image.init()
    factory, accept = Image.OPEN.get("AVIF", (None, None))
    if factory is None or (accept is not None and accept(b"\0\0\0\x1cftypavif") is not True):
        raise MissingPackage(
            "AVIF picture, with this Pillow",
            f"install a newer one (pip install 'pillow>=11.3'), {_AS_JPEG}",
        )
    with decoding("AVIF"):
        picture = factory(stream, "")
    return opened_by_pillow(picture, "AVIF")


def open_heic(stream: IO[bytes], name: str) -> Opened:
    """By pillow-heif, without making it a plugin of the host's Pillow."""
    try:
        pillow_heif: Any = imported("pillow_heif", "pillow-heif")
    except PackageError as error:
        raise MissingPackage(
            "HEIC picture, without the package pillow-heif",
            f"install it (pip install pillow-heif), {_AS_JPEG}",
        ) from error
    with decoding("HEIC"):
        picture = pillow_heif.HeifImageFile(stream, "")
    return opened_by_pillow(picture, "HEIC")
