"""Odd but whole files are read right or refused with a true sentence; cut ones if little lacks."""

import importlib.util
import io
import logging
import struct
import sys
import zlib

import numpy as np
import pytest
import torch
from odd_files import chunk, png, tiff
from PIL import Image, ImageCms

from nst_core.errors import ImageError
from nst_core.files.read_image import image_size, load_image, load_pixels, read_metadata

LIMIT = 10**6
RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (24, 32, 5), dtype=np.uint8)
WORDS = RNG.integers(0, 65536, (24, 32, 5), dtype=np.uint16)
FLOATS = RNG.random((24, 32, 4), dtype=np.float32)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
STUDIO = all(importlib.util.find_spec(name) for name in ("tifffile", "imagecodecs"))
HEIF = importlib.util.find_spec("pillow_heif") is not None


def loaded(data):
    return load_image(io.BytesIO(data), max_pixels=LIMIT)


def refusal(data):
    with pytest.raises(ImageError) as caught:
        loaded(data)
    return str(caught.value)


def assert_shows(data, expected, *, off=1e-6):
    """`data` is read as (H, W, 3) or gray (H, W) in [0, 1]."""
    if expected.ndim == 2:
        expected = expected[..., None].repeat(3, -1)
    assert np.abs(loaded(data)[0].permute(1, 2, 0).numpy() - expected).max() <= off


def over_white(colors, alpha):
    return colors * alpha[..., None] + 1 - alpha[..., None]


def photo(height=240, width=320):
    """8-bit RGB, smooth with some noise, as cameras make it."""
    y, x = np.mgrid[:height, :width]
    smooth = np.stack([x * 255 / width, y * 255 / height, (x + y) * 255 / (height + width)], -1)
    return Image.fromarray((smooth + RNG.normal(0, 4, smooth.shape)).clip(0, 255).astype(np.uint8))


def encoded(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


MAIN = photo()


# --- PNG --------------------------------------------------------------------------------------


def png_with(before=b"", after=b""):
    return png(BYTES[..., :3], 2, before=before, after=after)


LONG = "workflow " * 250_000  # 2.25 MB; Pillow unpacks 1 MB
ZTXT = chunk(b"zTXt", b"workflow\0\0" + zlib.compress(LONG.encode()))
ITXT = chunk(b"iTXt", b"workflow\0\1\0en\0\0" + zlib.compress(LONG.encode()))
PROFILE = chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(SRGB + bytes(2 * 10**6)))
BOMB = chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(10**8)))


@pytest.mark.parametrize("extra", [ZTXT, ITXT, PROFILE], ids=["zTXt", "iTXt", "iCCP"])
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_png_with_a_long_packed_chunk_is_read(extra, where):
    assert_shows(png_with(**{where: extra}), BYTES[..., :3] / 255)


@pytest.mark.parametrize("extra", [ZTXT, ITXT], ids=["zTXt", "iTXt"])
def test_long_packed_texts_come_back_whole(tmp_path, extra):
    path = tmp_path / "a.png"
    path.write_bytes(png_with(extra))
    assert read_metadata(path) == {"workflow": LONG}


def test_what_cannot_be_kept_of_a_png_is_left_out_with_a_line(tmp_path, caplog):
    path = tmp_path / "a.png"
    text = chunk(b"tEXt", b"prompt\0stars")
    broken = [chunk(b"tEXt", b"torn\0text", checksum=1), chunk(b"zTXt", b"mad\0\0not zlib")]
    path.write_bytes(png_with(b"".join([*broken, text, BOMB])))
    assert_shows(path.read_bytes(), BYTES[..., :3] / 255)
    caplog.clear()
    assert read_metadata(path) == {"prompt": "stars"}
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    assert "64 MB" in caplog.text


def test_loading_a_png_leaves_the_hosts_limits_alone():
    from PIL import PngImagePlugin

    before = (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)
    loaded(png_with(ZTXT))
    assert before == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(
    ("color", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)], ids=["gray", "RGB", "LA", "RGBA"]
)
def test_a_16_bit_png_keeps_all_its_bits(color, channels, interlaced):
    words = WORDS[..., :channels]
    colors = words[..., : 3 if color & 2 else 1] / 65535
    expected = over_white(colors, words[..., -1] / 65535) if color & 4 else colors
    expected = expected.repeat(3, -1) if expected.shape[-1] == 1 else expected
    assert_shows(png(words, color, interlaced=interlaced), expected)


def test_a_16_bit_color_declared_transparent_becomes_white():
    for color, channels in ((0, 1), (2, 3)):
        hole = chunk(b"tRNS", WORDS[5, 7, :channels].astype(">u2").tobytes())
        pixels = load_pixels(
            io.BytesIO(png(WORDS[..., :channels], color, before=hole)), max_pixels=LIMIT
        )
        clear = (WORDS[..., :channels] == WORDS[5, 7, :channels]).all(-1)
        assert np.array_equal(pixels.alpha[0, 0].numpy() == 0, clear)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_gray_of_few_bits_has_all_its_levels_and_its_hole(depth):
    levels = BYTES[..., :1] >> (8 - depth)
    shares = levels[..., 0] / (2**depth - 1)
    assert_shows(png(levels, 0, depth=depth), shares)
    hole = chunk(b"tRNS", struct.pack(">H", 1))
    assert_shows(png(levels, 0, depth=depth, before=hole), np.where(levels[..., 0] == 1, 1, shares))


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_palette_of_few_bits_gives_its_colors(depth):
    colors = BYTES[0, : 2**depth, :3]
    indices = BYTES[..., :1] >> (8 - depth)
    data = png(indices, 3, depth=depth, before=chunk(b"PLTE", colors.tobytes()))
    assert_shows(data, colors[indices[..., 0]] / 255)


def test_exif_turns_a_16_bit_png_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    turn = chunk(b"eXIf", exif.tobytes()[6:])
    assert_shows(png(WORDS[..., :3], 2, before=turn), np.rot90(WORDS[..., :3] / 65535, -1))
    assert_shows(png(WORDS[..., :3], 2, after=turn), np.rot90(WORDS[..., :3] / 65535, -1))


# --- JPEG -------------------------------------------------------------------------------------

JPEGS = {
    "4:2:0": {"subsampling": 2},
    "4:4:4": {"subsampling": 0},
    "restarts": {"restart_marker_rows": 1},
    "progressive": {"progressive": True},
}


def modes():
    return {mode: encoded(photo().convert(mode), "JPEG", quality=90) for mode in ("L", "CMYK")}


def jpegs():
    return {name: encoded(photo(), "JPEG", quality=90, **o) for name, o in JPEGS.items()} | modes()


@pytest.mark.parametrize("name", [*JPEGS, "L", "CMYK"])
def test_a_jpeg_without_its_end_marker_is_the_whole_picture(name, caplog):
    data = jpegs()[name]
    assert torch.equal(loaded(data[:-2]), loaded(data))
    assert torch.equal(loaded(data[:-1]), loaded(data))
    assert "last bytes are missing" in caplog.text


@pytest.mark.parametrize("name", [*JPEGS, "L", "CMYK"])
def test_a_jpeg_without_its_last_bytes_is_read_but_for_its_last_corner(name, caplog):
    data = jpegs()[name]
    whole, cut = loaded(data), loaded(data[:-60])
    assert "last bytes are missing" in caplog.text
    assert torch.equal(cut[..., :220, :], whole[..., :220, :])
    different = (cut - whole).abs().amax((0, 1)) > 0
    assert 0 < different.float().mean() <= 0.02
    # What was filled in is what stood above, not a gray bar.
    assert (cut - whole).abs().max() < 0.3


@pytest.mark.parametrize("name", [*JPEGS, "L", "CMYK"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_jpeg_that_lacks_more_is_refused(name, share):
    data = jpegs()[name]
    assert "damaged or incomplete JPEG" in refusal(data[: int(share * len(data))])


def test_what_is_missing_is_measured_not_guessed():
    picture = photo(1600, 96)  # 100 rows of blocks; where colors are coarse, a pixel more is unsure
    data = encoded(picture, "JPEG", quality=90, subsampling=2, restart_marker_rows=1)
    restarts = [i for i in range(len(data) - 1) if data[i] == 0xFF and 0xD0 <= data[i + 1] <= 0xD7]
    assert len(restarts) == 99
    loaded(data[: restarts[-1]])
    assert "of it is missing" in refusal(data[: restarts[-3]])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM"])
def test_other_formats_cut_short_are_refused(kind):
    data = encoded(photo(64, 64), kind)
    assert "damaged or incomplete" in refusal(data[:-60])


def mpo():
    """Three pictures and their index (CIPA DC-007, section 5), as cameras and phones store them."""
    first, *others = (encoded(MAIN, "JPEG"), *(encoded(photo(100, 80), "JPEG") for _ in range(2)))
    sizes, starts = [len(first) + 90, *map(len, others)], [0]
    starts += [sizes[0] - 28, sizes[0] - 28 + sizes[1]]  # after the mark of the index's byte order
    entries = b"".join(
        struct.pack("<IIIHH", 0x030000 if i == 0 else 0, sizes[i], starts[i], 0, 0)
        for i in range(3)
    )
    index = b"II*\0\x08\0\0\0" + struct.pack("<H", 3)
    index += struct.pack("<HHI4s", 0xB000, 7, 4, b"0100")
    index += struct.pack("<HHII", 0xB001, 4, 1, 3)
    index += struct.pack("<HHIII", 0xB002, 7, 48, 50, 0) + entries
    body = b"MPF\0" + index
    segment = b"\xff\xe2" + struct.pack(">H", 2 + len(body)) + body
    return first[:20] + segment + first[20:] + b"".join(others)


def gain_map():
    """An Ultra HDR picture: XMP says so, and the gain map is another JPEG behind the first."""
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + b'<x:xmpmeta hdrgm:Version="1.0"/>'
    data = mpo()
    return data[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(xmp)) + xmp + data[2:]


def torn_index():
    data = mpo()
    at = data.index(b"MPF\0")
    return data[: at + 12] + b"\xff" * 20 + data[at + 32 :]


@pytest.mark.parametrize("make", [mpo, gain_map, torn_index])
def test_a_jpeg_of_several_pictures_is_its_main_one(make):
    data = make()
    with Image.open(io.BytesIO(encoded(MAIN, "JPEG"))) as picture:
        expected = np.asarray(picture) / 255
    assert image_size(io.BytesIO(data)) == (240, 320)
    assert_shows(data, expected)


def test_a_jpeg_of_several_pictures_may_be_cut_after_the_first():
    data = mpo()
    assert torch.equal(loaded(data[: len(data) * 95 // 100]), loaded(data))


def test_a_12_bit_jpeg_is_not_supported_rather_than_damaged():
    data = bytearray(encoded(photo(), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 1], data[frame + 4] = 0xC1, 12
    message = refusal(bytes(data))
    assert "not supported" in message
    assert "12-bit" in message
    assert "save it as" in message


def test_a_jpeg_ls_picture_is_not_supported_rather_than_damaged():
    frame = struct.pack(">HBHHB", 11, 8, 24, 32, 1) + b"\1\x11\0"
    message = refusal(b"\xff\xd8\xff\xf7" + frame + b"\xff\xda" + bytes(100))
    assert "is not supported (JPEG-LS picture)" in message


# --- TIFF -------------------------------------------------------------------------------------

PREMULTIPLIED = (WORDS[..., :4] * (WORDS[..., 3:4] / 65535)).astype(np.uint16)
PREMULTIPLIED[..., 3] = WORDS[..., 3]
LAYOUTS = {
    "RGB 8": ((BYTES[..., :3], 2), BYTES[..., :3] / 255),
    "RGB 16": ((WORDS[..., :3], 2), WORDS[..., :3] / 65535),
    "RGBA 16": (
        (WORDS[..., :4], 2, {338: (3, [2])}),
        over_white(WORDS[..., :3] / 65535, WORDS[..., 3] / 65535),
    ),
    "gray 16": ((WORDS[..., :1], 1), WORDS[..., 0] / 65535),
    "gray 16 of which 0 is white": ((WORDS[..., :1], 0), 1 - WORDS[..., 0] / 65535),
    "gray float": ((FLOATS[..., :1], 1), FLOATS[..., 0]),
    "gray 32": ((WORDS[..., :1].astype(np.uint32) * 65537, 1), WORDS[..., 0] / WORDS[..., 0].max()),
    "CMYK": ((BYTES[..., :4], 5), (1 - BYTES[..., :3] / 255) * (1 - BYTES[..., 3:4] / 255)),
    "RGBA 16 premultiplied": (
        (PREMULTIPLIED, 2, {338: (3, [1])}),
        PREMULTIPLIED[..., :3] / 65535 + 1 - PREMULTIPLIED[..., 3:] / 65535,
    ),
    "RGB of five channels": (
        (BYTES, 2, {338: (3, [2, 0])}),
        over_white(BYTES[..., :3] / 255, BYTES[..., 3] / 255),
    ),
}
HALVES = FLOATS.astype(np.float16)
STUDIO_LAYOUTS = {
    "RGB float": ((FLOATS[..., :3], 2), FLOATS[..., :3]),
    "RGB half float": ((HALVES[..., :3], 2), HALVES[..., :3].astype(np.float32)),
    "RGB double": ((FLOATS[..., :3].astype(np.float64), 2), FLOATS[..., :3]),
    "RGBA float": ((FLOATS, 2, {338: (3, [2])}), over_white(FLOATS[..., :3], FLOATS[..., 3])),
    "gray half float": ((HALVES[..., :1], 1), HALVES[..., 0].astype(np.float32)),
    "gray 16 with alpha": (
        (WORDS[..., :2], 1, {338: (3, [2])}),
        over_white(WORDS[..., :1] / 65535, WORDS[..., 1] / 65535),
    ),
    "gray 8 with premultiplied alpha": (
        (np.minimum(BYTES[..., :2], BYTES[..., 1:2]), 1, {338: (3, [1])}),
        (np.minimum(BYTES[..., :1], BYTES[..., 1:2]) + 255.0 - BYTES[..., 1:2]) / 255,
    ),
    "RGB 32": ((WORDS[..., :3].astype(np.uint32) * 65537, 2), WORDS[..., :3] / 65535),
    "CMYK with alpha": (
        (BYTES, 5, {338: (3, [2])}),
        over_white((1 - BYTES[..., :3] / 255) * (1 - BYTES[..., 3:4] / 255), BYTES[..., 4] / 255),
    ),
    "CMYK 16 with alpha": (
        (WORDS, 5, {338: (3, [2])}),
        over_white(
            (1 - WORDS[..., :3] / 65535) * (1 - WORDS[..., 3:4] / 65535), WORDS[..., 4] / 65535
        ),
    ),
    "YCbCr": (
        (BYTES[..., :3], 6, {530: (3, [1, 1])}),
        np.asarray(Image.fromarray(BYTES[..., :3], "YCbCr").convert("RGB")) / 255,
    ),
}


def gray3(values):
    return values.repeat(3, -1) if values.ndim == 3 and values.shape[-1] == 1 else values


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_tiff_that_pillow_reads_has_every_bit_it_had(name, order):
    given, expected = LAYOUTS[name]
    if order == ">" and name in ("gray 32", "gray 16 of which 0 is white") and not STUDIO:
        pytest.skip("which Pillow reads in the other byte order only")
    # Pillow's arithmetic with inks has 8 bits.
    off = 1 / 255 if name == "CMYK" else 1e-6
    assert_shows(tiff(*given[:2], order=order, tags=dict(*given[2:])), expected, off=off)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", STUDIO_LAYOUTS)
def test_a_tiff_of_a_studio_is_read_or_says_which_package_reads_it(name, order):
    given, expected = STUDIO_LAYOUTS[name]
    data = tiff(*given[:2], order=order, tags=dict(*given[2:]))
    if STUDIO:
        assert_shows(data, gray3(expected), off=1e-5)
    else:
        assert "pip install tifffile imagecodecs" in refusal(data)


@pytest.mark.parametrize("name", STUDIO_LAYOUTS)
def test_without_the_package_a_whole_tiff_is_not_called_damaged(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)
    given, _ = STUDIO_LAYOUTS[name]
    message = refusal(tiff(*given[:2], tags=dict(*given[2:])))
    assert "is not supported (TIFF picture of " in message
    assert "pip install tifffile imagecodecs" in message


@pytest.mark.parametrize("pixels", [BYTES, WORDS, FLOATS], ids=["8", "16", "float"])
@pytest.mark.parametrize("planes", [False, True])
def test_planes_and_strips_are_put_together(pixels, planes):
    if (pixels is FLOATS or (pixels is WORDS and planes)) and not STUDIO:
        pytest.skip("needs tifffile")
    white = {"u1": 255, "u2": 65535, "f4": 1}[pixels.dtype.str[1:]]
    data = tiff(pixels[..., :3], 2, planes=planes, parts=1 if planes else 4)
    assert_shows(data, pixels[..., :3] / white)


def test_12_bit_gray_is_as_bright_as_it_was():
    levels = WORDS[..., :1] >> 4
    pairs = levels.reshape(-1, 2).astype(np.uint32)
    packed = ((pairs[:, 0] << 12) | pairs[:, 1]).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]
    assert_shows(tiff(levels, 1, bits=12, data=packed.tobytes()), levels[..., 0] / 4095)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("pixels", [BYTES, WORDS, FLOATS], ids=["8", "16", "float"])
def test_every_depth_of_tiff_turns_upright(pixels, orientation):
    if pixels is FLOATS and not STUDIO:
        pytest.skip("needs tifffile")
    pixels = pixels[..., :3]
    shown = pixels / {"u1": 255, "u2": 65535, "f4": 1}[pixels.dtype.str[1:]]
    turns = [lambda a: a, np.fliplr, lambda a: np.rot90(a, 2), np.flipud]
    turns += [lambda a: a.swapaxes(0, 1), lambda a: np.rot90(a, -1)]
    turns += [lambda a: np.rot90(a.swapaxes(0, 1), 2), np.rot90]
    assert_shows(tiff(pixels, 2, tags={274: (3, [orientation])}), turns[orientation - 1](shown))


def test_floating_point_colors_above_white_are_scaled_not_clipped(caplog):
    if not STUDIO:
        pytest.skip("needs tifffile")
    bright = FLOATS[..., :3] * 4
    bright[0, 0] = [np.nan, -1, np.inf]
    with caplog.at_level(logging.INFO):
        data = tiff(bright, 2)
        finite = np.nan_to_num(bright, nan=0, posinf=1).clip(0)
        assert_shows(data, finite / finite.max())
    assert "brighter than white" in caplog.text


@pytest.mark.parametrize(
    ("pixels", "photometric", "tags", "said"),
    [
        (BYTES[..., :3], 32845, {}, "LogLuv"),
        (BYTES[..., :3], 32845, {259: (3, [34676])}, "LogLuv"),
        (BYTES[..., :1], 4, {}, "mask"),
        (BYTES, 1, {338: (3, [0, 0, 0, 0])}, "5 channels of 8 bits"),
        (WORDS[..., :3], 9, {}, "Lab"),
        (BYTES[..., :3], 6, {530: (3, [2, 2])}, "YCbCr"),
        (WORDS[..., :1], 32803, {}, "raw picture of a camera"),
        (BYTES[..., :3], 2, {50706: (7, [1, 4, 0, 0])}, "raw picture of a camera"),
    ],
)
def test_a_tiff_that_nobody_reads_right_is_not_supported(pixels, photometric, tags, said):
    message = refusal(tiff(pixels, photometric, tags=tags))
    assert "is not supported" in message
    assert said in message
    assert "save it as" in message
    assert "damaged" not in message


@pytest.mark.parametrize("shape", [{}, {"tile": (16, 16)}, {"planarconfig": "separate"}])
@pytest.mark.parametrize(
    ("compression", "kinds"),
    [
        *((name, "u1 u2 f4") for name in ("zlib", "lzw", "packbits", "zstd", "lzma", "jpegxl")),
        ("webp", "u1"),
    ],
)
def test_every_compression_predictor_and_tiling_gives_the_same_pixels(compression, kinds, shape):
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("imagecodecs")
    if (compression, "planarconfig" in shape) == ("webp", True):
        shape = {"tile": (16, 32)}  # WebP has no single channels
    exact = {"compressionargs": {"lossless": True}} if compression in ("webp", "jpegxl") else {}
    for kind in kinds.split():
        pixels, white = {"u1": (BYTES, 255), "u2": (WORDS, 65535), "f4": (FLOATS, 1)}[kind]
        pixels = pixels[..., :3]
        stored = np.moveaxis(pixels, -1, 0) if "planarconfig" in shape else pixels
        for predictor in (False, True) if compression in ("zlib", "lzw") else (False,):
            stream = io.BytesIO()
            options = {"compression": compression, "predictor": predictor, **shape, **exact}
            tifffile.imwrite(stream, stored, photometric="rgb", metadata=None, **options)
            assert_shows(stream.getvalue(), pixels / white)


@pytest.mark.parametrize("options", [{"bigtiff": True}, {"byteorder": ">"}])
def test_big_tiff_and_big_endian_files_are_read(options):
    tifffile = pytest.importorskip("tifffile")
    for pixels, white in ((BYTES, 255), (WORDS, 65535), (FLOATS, 1)):
        stream = io.BytesIO()
        tifffile.imwrite(stream, pixels[..., :3], photometric="rgb", metadata=None, **options)
        assert_shows(stream.getvalue(), pixels[..., :3] / white)


def test_a_big_endian_big_tiff_is_read_or_not_supported():
    tifffile = pytest.importorskip("tifffile")
    stream = io.BytesIO()
    tifffile.imwrite(stream, BYTES[..., :3], photometric="rgb", bigtiff=True, byteorder=">")
    message = ""
    try:
        assert_shows(stream.getvalue(), BYTES[..., :3] / 255)
    except ImageError as error:  # with a Pillow that takes it for a plain TIFF
        message = str(error)
    assert not message or "is not supported (big-endian BigTIFF picture)" in message


def test_the_first_page_of_several_is_the_picture():
    tifffile = pytest.importorskip("tifffile")
    for pixels, white in ((BYTES, 255), (WORDS, 65535), (FLOATS, 1)):
        stream = io.BytesIO()
        with tifffile.TiffWriter(stream) as writer:
            for page in (pixels[..., :3], pixels[:9, :7, :3]):
                writer.write(page, photometric="rgb", metadata=None)
        assert_shows(stream.getvalue(), pixels[..., :3] / white)


def test_a_tiff_cut_short_is_refused_at_every_depth():
    for pixels in (BYTES, WORDS, FLOATS):
        data = tiff(pixels[..., :3], 2)
        assert "damaged or incomplete TIFF" in refusal(data[:-60])


def test_a_bomb_in_a_tiff_is_refused_from_its_header():
    for kind in (np.uint8, np.uint16, np.float32):
        tags = {256: (4, [60_000]), 257: (4, [60_000])}
        data = tiff(np.zeros((4, 4, 3), kind), 2, tags=tags)
        assert "60000x60000" in refusal(data)


def test_a_small_picture_of_huge_tiles_is_refused():
    tags = {322: (4, [60_000]), 323: (4, [60_000]), 324: (4, [300]), 325: (4, [48])}
    data = tiff(np.zeros((4, 4, 3), np.float32), 2, tags=tags)
    assert "tiles of 3,600,000,000 pixels" in refusal(data)


# --- HEIC and AVIF ----------------------------------------------------------------------------


def heic(picture, **options):
    pillow_heif = pytest.importorskip("pillow_heif")
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture).save(stream, quality=-1, chroma=444, **options)
    return stream.getvalue()


def test_a_heic_picture_is_read_without_becoming_a_plugin_of_the_hosts_pillow():
    picture = photo(64, 96)
    data = heic(picture)
    loaded(encoded(picture, "PNG"))  # whose plugins Pillow finds itself
    before = set(Image.OPEN)
    assert image_size(io.BytesIO(data)) == (64, 96)
    assert_shows(data, np.asarray(picture) / 255, off=3 / 255)
    assert set(Image.OPEN) == before


def test_a_heic_picture_is_upright_and_its_alpha_is_laid_over_white():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = photo(64, 96)
    data = heic(picture, exif=exif.tobytes())
    turned = np.rot90(np.asarray(picture), -1) / 255
    assert_shows(data, turned, off=3 / 255)
    clear = photo(64, 96)
    clear.putalpha(0)
    assert (loaded(heic(clear)) > 0.98).all()


def test_heic_bombs_and_torn_files_are_refused():
    data = heic(photo(64, 96))
    with pytest.raises(ImageError, match="96x64"):
        load_image(io.BytesIO(data), max_pixels=6000)
    assert "damaged or incomplete HEIC" in refusal(data[: len(data) // 2])


def test_without_its_package_a_heic_picture_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for brand in (b"heic", b"mif1", b"hevc"):
        message = refusal(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(40))
        assert "is not supported (HEIC" in message
        assert "pip install pillow-heif" in message
        assert "save it as a JPEG" in message


def test_an_avif_picture_is_read_or_says_what_reads_it(monkeypatch):
    Image.init()
    if "AVIF" in Image.SAVE:
        picture = photo(64, 96)
        data = encoded(picture, "AVIF", quality=100, subsampling="4:4:4")
        assert_shows(data, np.asarray(picture) / 255, off=3 / 255)
        # Also where the main brand is the one that HEIC has too.
        assert_shows(
            data.replace(b"ftypavif", b"ftypmif1", 1), np.asarray(picture) / 255, off=3 / 255
        )
    monkeypatch.setattr(Image, "OPEN", {k: v for k, v in Image.OPEN.items() if k != "AVIF"})
    message = refusal(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(40))
    assert "pip install 'pillow>=11.3'" in message


# --- others -----------------------------------------------------------------------------------


def test_bmp_of_16_bits_is_read():
    # 5 bits of each, little-endian, rows from below.
    levels = BYTES[..., :3] >> 3
    words = sum(levels[..., i].astype("<u2") << shift for i, shift in enumerate((10, 5, 0)))
    head = struct.pack("<IiiHHIIiiII", 40, 32, 24, 1, 16, 0, 0, 0, 0, 0, 0)
    data = b"BM" + struct.pack("<IHHI", 54 + 2 * 32 * 24, 0, 0, 54) + head
    data += words[::-1].astype("<u2").tobytes()
    assert_shows(data, levels / 31, off=1 / 255)


def test_a_bmp_of_a_rare_kind_is_not_supported_rather_than_damaged():
    head = struct.pack("<IiiHHIIiiII", 40, 32, 24, 1, 24, 4, 0, 0, 0, 0, 0)  # a JPEG inside
    message = refusal(b"BM" + struct.pack("<IHHI", 2000, 0, 0, 54) + head + bytes(2000))
    assert "not supported" in message
    assert "damaged" not in message
