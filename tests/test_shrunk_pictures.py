"""Large files that are shrunk as they are read: the same as reading the whole and resizing it."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from odd_files import chunk
from PIL import Image
from small import picture

from nst_core import Settings, load_image, load_with_alpha
from nst_core.control.pyramid import fit, resize
from nst_core.errors import ImageError
from nst_core.files import pixels, read_image
from nst_core.files.pixels import levels_of, to_pil
from nst_core.gatys.vgg import size_of
from nst_core.run.staging import needed_size

HEIGHT, WIDTH = 53, 41
SMALL = picture(HEIGHT, WIDTH)
RGB = to_pil(SMALL)
RGBA = to_pil(torch.cat([SMALL[0], picture(HEIGHT, WIDTH, seed=5)[0, :1]]))
DEEP = levels_of(SMALL, 65535).astype(np.uint16)
LIMIT = 10**6


@pytest.fixture(autouse=True)
def strips(monkeypatch):
    """Pictures are large, and strips have 16 rows."""
    monkeypatch.setattr(read_image, "WHOLE_PIXELS", 0)
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", 16 * WIDTH)


def needed(height, width):
    return fit(height, width, 20)


def encoded(shown, kind, **options):
    stream = io.BytesIO()
    shown.save(stream, kind, **options)
    return stream.getvalue()


def deep_png(values):
    """16 bits a channel, each row by another filter."""
    height, width, channels = values.shape
    rows = values.astype(">u2").view(np.uint8).reshape(height, -1).astype(int)
    pixel, lines = 2 * channels, []
    above = np.zeros_like(rows[0])
    for number, row in enumerate(rows):
        left, corner = (np.pad(r, (pixel, 0))[: len(r)] for r in (row, above))
        estimate = left + above - corner
        distances = np.stack([abs(estimate - each) for each in (left, above, corner)])
        paeth = np.choose(distances.argmin(0), [left, above, corner])
        of = [0 * row, left, above, (left + above) // 2, paeth][number % 5]
        lines.append(bytes([number % 5]) + ((row - of) % 256).astype(np.uint8).tobytes())
        above = row
    data = zlib.compress(b"".join(lines))
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [chunk(b"IDAT", data[at : at + 1000]) for at in range(0, len(data), 1000)]
    whole = [chunk(b"IHDR", head), *parts, chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole)


def tiff(values, **options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **{"photometric": "rgb", **options})
    return stream.getvalue()


def turned(data, orientation):
    """A PNG that says after its pixels that it is to be turned."""
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation, 0, 0)
    return data[:-12] + chunk(b"eXIf", exif) + data[-12:]


PNGS = {
    "rgb": encoded(RGB, "PNG"),
    "rgba": encoded(RGBA, "PNG"),
    "gray": encoded(RGB.convert("L"), "PNG"),
    "gray-alpha": encoded(RGBA.convert("LA"), "PNG"),
    "palette": encoded(RGB.quantize(200), "PNG"),
    "palette-4": encoded(RGB.quantize(13), "PNG", bits=4),
    "bilevel": encoded(RGB.convert("1"), "PNG"),
    "gray-16": encoded(Image.fromarray(DEEP[..., 0]), "PNG"),
    "hole": encoded(RGB, "PNG", transparency=RGB.getpixel((3, 3))),
    "profile": encoded(RGB, "PNG", icc_profile=b"no profile"),
    "turned": turned(encoded(RGB, "PNG"), 6),
    "gray-alpha-16": deep_png(DEEP[..., :2]),
    "rgb-16": deep_png(DEEP),
    "rgba-16": deep_png(np.concatenate([DEEP, DEEP[::-1, :, :1]], axis=-1)),
}
BYTES = levels_of(SMALL, 255).astype(np.uint8)
TIFFS = {
    "strips": tiff(BYTES, rowsperstrip=5),
    "strips-16": tiff(DEEP, rowsperstrip=5, compression="zlib", predictor=True),
    "tiles": tiff(BYTES, tile=(16, 16)),
    "tiles-big-endian": tiff(DEEP, tile=(32, 16), byteorder=">"),
    "planes": tiff(np.moveaxis(BYTES, -1, 0), rowsperstrip=7, planarconfig="separate"),
    "jpeg-tiles": tiff(BYTES, tile=(16, 16), compression="jpeg"),
    "bigtiff": tiff(DEEP, rowsperstrip=9, bigtiff=True),
    "gray": tiff(BYTES[..., 0], photometric="miniswhite", rowsperstrip=8),
    "gray-16": tiff(DEEP[..., 0], photometric="minisblack", rowsperstrip=8),
    "lzw": encoded(RGB, "TIFF", compression="tiff_lzw"),
    "fax": encoded(RGB.convert("1"), "TIFF", compression="group4"),
    "one-strip": tiff(DEEP, rowsperstrip=HEIGHT),
    "one-strip-each": tiff(np.moveaxis(DEEP, -1, 0), rowsperstrip=HEIGHT, planarconfig="separate"),
    "one-strip-packed": tiff(DEEP, rowsperstrip=HEIGHT, compression="zlib"),
    "float": tiff(3 * SMALL[0].permute(1, 2, 0).numpy(), rowsperstrip=5),
    "turned": tiff(BYTES, rowsperstrip=5, extratags=[(274, "H", 1, 8, True)]),
}
OTHERS = {
    "webp": encoded(RGB, "WEBP", lossless=True),
    "bmp": encoded(RGB, "BMP"),
    "gif": encoded(RGB, "GIF"),
    "ppm": encoded(RGB, "PPM"),
    "ppm-16": encoded(Image.fromarray(DEEP[..., 0].astype(np.int32)), "PPM"),
    "cmyk": encoded(RGB.convert("CMYK"), "TIFF"),
}
FILES = {
    f"{kind}-{name}": data
    for kind, files in (("png", PNGS), ("tiff", TIFFS), ("other", OTHERS))
    for name, data in files.items()
}


@pytest.mark.parametrize("name", FILES)
def test_shrunk_as_it_is_read_is_read_and_then_resized(name):
    data = io.BytesIO(FILES[name])
    whole = load_image(data, max_pixels=LIMIT)
    wanted = resize(whole, *needed(*size_of(whole)))
    shrunk = load_image(data, max_pixels=LIMIT, needed=needed)
    assert shrunk.shape == wanted.shape
    # Where colors end in transparency, the one clips their overshoot before the other.
    close = 2e-2 if name in ("png-rgba", "png-gray-alpha", "png-hole", "png-rgba-16") else 2e-5
    close = 2e-2 if name == "png-gray-alpha-16" else close
    assert (shrunk - wanted).abs().max() < close


def test_a_jpeg_is_shrunk_by_its_decoder_first_and_looks_the_same():
    large = to_pil(picture(530, 410))
    data = io.BytesIO(encoded(large, "JPEG", quality=95))
    whole = load_image(data, max_pixels=LIMIT)
    shrunk = load_image(data, max_pixels=LIMIT, needed=needed)
    error = (shrunk - resize(whole, *needed(*size_of(whole)))).square().mean()
    assert error < 2e-4  # 37 dB, of a picture with noise in every pixel


def test_a_picture_of_no_more_pixels_than_are_kept_is_read_as_it_is(monkeypatch):
    data = io.BytesIO(PNGS["rgb"])
    monkeypatch.setattr(read_image, "WHOLE_PIXELS", HEIGHT * WIDTH)
    assert load_image(data, max_pixels=LIMIT, needed=needed).shape == (1, 3, HEIGHT, WIDTH)
    monkeypatch.setattr(read_image, "WHOLE_PIXELS", HEIGHT * WIDTH - 1)
    assert load_image(data, max_pixels=LIMIT, needed=needed).shape == (1, 3, 20, 15)


def test_a_picture_is_never_enlarged_as_it_is_read():
    data = io.BytesIO(PNGS["rgb"])
    for size in ((60, 41), (20, 50)):
        read = load_image(data, max_pixels=LIMIT, needed=lambda *_, size=size: size)
        assert read.shape == (1, 3, HEIGHT, WIDTH)


def test_transparency_is_kept_apart_at_the_small_size():
    colors, alpha = load_with_alpha(io.BytesIO(PNGS["rgba"]), max_pixels=LIMIT, needed=needed)
    assert colors.shape == (1, 3, 20, 15)
    assert alpha.shape == (20, 15)


@pytest.mark.parametrize("name", ["png-rgb", "png-rgb-16", "tiff-strips", "tiff-tiles"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_file_is_refused_never_half_shown(name, share):
    data = FILES[name]
    with pytest.raises(ImageError, match="damaged or incomplete"):
        load_image(io.BytesIO(data[: int(share * len(data))]), max_pixels=LIMIT, needed=needed)


def test_what_is_wrong_with_a_file_is_said_once(caplog):
    load_image(io.BytesIO(PNGS["profile"]), max_pixels=LIMIT, needed=needed)
    assert [record.getMessage()[:20] for record in caplog.records] == ["Unusable ICC profile"]


def test_a_run_needs_contents_at_its_size_and_styles_at_theirs():
    settings = Settings(size=100)
    assert needed_size(settings)(600, 800) == (75, 100)
    assert needed_size(settings, 1.5)(600, 800) == (112, 150)
    assert needed_size(Settings(size=100, shape="square"))(600, 800) == (100, 100)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_large_photograph_is_read_in_little_memory(tmp_path):
    program = Path(__file__).parent / "programs" / "peak_of_reading.py"
    files = [str(tmp_path / f"a.{ending}") for ending in ("png", "tif", "jpg")]
    command = [sys.executable, str(program), "2048", "128", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for peak in done.stdout.split():
        assert int(peak) < 24 * 2**20  # as float32, it is 48 MB
