"""How a TIFF file stores its first page, out of its tags."""

from dataclasses import dataclass
from typing import IO, Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, CMYK, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 5, 6, 8, 9
_PHOTOMETRICS = {
    **{0: "gray", 1: "gray", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr", 8: "Lab"},
    **{9: "Lab", 10: "Lab", 32803: "camera raw", 32844: "LogL", 32845: "LogLuv"},
    34892: "camera raw",
}
_FORMATS = {1: "", 2: " signed", 3: " floating-point"}


@dataclass(frozen=True)
class Layout:
    """How the pixels of the first page are stored (TIFF 6.0, sections 8 and 18 to 24).

    Args:
        size: (width, height).
        photometric: What the channels mean.
        samples, bits, sample_format: Channels, their bits, and whether these are unsigned (1),
            signed (2) or floating-point (3) numbers.
        extras: Of the channels beyond the colors: 1 is premultiplied alpha, 2 is alpha.
        planes: Each channel is stored on its own.
        compression: None (1), JPEG (6, 7) and so on.
        orientation, icc: As in EXIF, and the color profile.
        raw: What a camera's sensor saw, or only a small copy beside that.
        subsampling: How many pixels, across and down, share a color of YCbCr.
        tile_pixels: In one of the tiles; 0 if there are none.
        stored: Where the strips or tiles begin and how long they are, in bytes.
    """

    size: tuple[int, int]
    photometric: int
    samples: int
    bits: int
    sample_format: int
    extras: tuple[int, ...]
    planes: bool
    compression: int
    orientation: int
    icc: bytes | None
    raw: bool
    subsampling: tuple[int, ...]
    tile_pixels: int
    stored: tuple[tuple[int, ...], tuple[int, ...]]

    def __str__(self) -> str:
        meaning = _PHOTOMETRICS.get(self.photometric, f"photometric {self.photometric}")
        numbers = f"{self.bits}{_FORMATS.get(self.sample_format, '')} bits"
        channels = "1 channel" if self.samples == 1 else f"{self.samples} channels"
        return f"TIFF picture of {channels} of {numbers} ({meaning})"

    @property
    def deep(self) -> bool:
        """More than 8 bits a channel."""
        return self.bits > 8

    @property
    def white(self) -> float:
        """The number that stands for full brightness.

        Of gray of more than 16 bits there is none agreed on: what is brighter than 65535 is scaled.
        """
        if self.sample_format == 3:
            return 1.0
        if self.samples <= 2 and self.bits >= 16:
            return 65535.0
        return 2.0 ** (self.bits - (self.sample_format == 2)) - 1


def read_layout(stream: IO[bytes]) -> Layout:
    """Of a stream at its beginning; raises whatever Pillow does at damaged tags."""
    head = stream.read(8)
    if head[2:4] in (b"+\0", b"\0+"):  # BigTIFF
        head += stream.read(8)
    tags = ImageFileDirectory_v2(head)
    stream.seek(tags.next)
    tags.load(stream)
    samples, extras = _number(tags, 277, 1), _numbers(tags, 338)
    photometric = _number(tags, 262, 0)
    return Layout(
        size=(_number(tags, 256, 0), _number(tags, 257, 0)),
        photometric=photometric,
        samples=samples,
        bits=max(_numbers(tags, 258) or (1,)),
        sample_format=max(_numbers(tags, 339) or (1,)),
        extras=extras,
        planes=_number(tags, 284, 1) == 2,
        compression=_number(tags, 259, 1),
        orientation=_number(tags, 274, 1),
        icc=tags.get(34675),
        raw=50706 in tags or photometric in (32803, 34892),
        subsampling=_numbers(tags, 530) or (2, 2),
        tile_pixels=_number(tags, 322, 0) * _number(tags, 323, 0),
        stored=(
            _numbers(tags, 273) or _numbers(tags, 324),
            _numbers(tags, 279) or _numbers(tags, 325),
        ),
    )


def _numbers(tags: ImageFileDirectory_v2, tag: int) -> tuple[int, ...]:
    value: Any = tags.get(tag, ())
    values = value if isinstance(value, tuple) else (value,)
    return tuple(int(number) for number in values)


def _number(tags: ImageFileDirectory_v2, tag: int, default: int) -> int:
    return (_numbers(tags, tag) or (default,))[0]
