import io
import json
import logging
import os
import random
import struct
import sys
import threading
import time
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from odd_files import chunk, tiff
from odd_files import png as png_of
from PIL import Image, ImageCms, ImageFile, PngImagePlugin

from nst_core.errors import ImageError
from nst_core.files.paths import DEEP as DEEP_FORMATS
from nst_core.files.paths import WRITABLE, check_writable
from nst_core.files.pixels import from_pil, to_pil
from nst_core.files.read_image import image_size, load_image, read_metadata
from nst_core.files.write_image import save_image

LIMIT = 10**6
NOISE = np.random.default_rng(0).integers(0, 256, (24, 31, 4), dtype=np.uint8)
RGB = Image.fromarray(NOISE[..., :3])
RGBA = Image.fromarray(NOISE)
GRAY = Image.fromarray(NOISE[..., 0])
GRAY16 = Image.fromarray(NOISE[..., :2].copy().view(np.uint16)[..., 0])
DEEP = np.random.default_rng(1).integers(0, 65536, (24, 31, 3), dtype=np.uint16)
PALETTE = RGB.quantize(16)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def tensor_of(pixels):
    """(H, W, 3) or (H, W) bytes as the tensor that a plain file of them must give."""
    pixels = np.broadcast_to(pixels[..., None], (*pixels.shape, 3)) if pixels.ndim == 2 else pixels
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]


def encoded(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def loaded(picture, kind="PNG", **options):
    return load_image(io.BytesIO(encoded(picture, kind, **options)), max_pixels=LIMIT)


def refusal(source, max_pixels=LIMIT):
    with pytest.raises(ImageError) as caught:
        load_image(source, max_pixels=max_pixels)
    return str(caught.value)


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


# --- what comes out ---------------------------------------------------------------------------


def test_a_loaded_image_is_a_contiguous_float_batch_of_one_in_0_1():
    image = loaded(RGB)
    assert image.shape == (1, 3, 24, 31)
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    assert image.min() >= 0
    assert image.max() <= 1


def test_path_string_and_stream_give_the_same_image(tmp_path):
    path = tmp_path / "a.png"
    RGB.save(path)
    images = [load_image(source, max_pixels=LIMIT) for source in (path, str(path))]
    with path.open("rb") as stream:
        stream.read(7)  # a stream is read from its beginning, wherever it stands
        images.append(load_image(stream, max_pixels=LIMIT))
    assert all(torch.equal(image, tensor_of(NOISE[..., :3])) for image in images)


def test_a_stream_that_cannot_seek_loads():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise io.UnsupportedOperation

    image = load_image(Pipe(encoded(RGB, "PNG")), max_pixels=LIMIT)
    assert torch.equal(image, tensor_of(NOISE[..., :3]))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_every_byte_of_a_lossless_format_survives(kind):
    assert torch.equal(loaded(RGB, kind), tensor_of(NOISE[..., :3]))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_lossy_formats_load_as_pillow_decodes_them(kind):
    data = encoded(RGB, kind)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert torch.equal(load_image(io.BytesIO(data), max_pixels=LIMIT), tensor_of(expected))


def test_a_single_pixel_loads():
    image = loaded(Image.new("RGB", (1, 1), (255, 0, 51)))
    assert image.flatten().tolist() == pytest.approx([1.0, 0.0, 0.2])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: np.rot90(a.swapaxes(0, 1), 2)),
        (8, np.rot90),
        (9, lambda a: a),  # no such orientation
    ],
)
def test_exif_orientation_turns_the_picture_upright(kind, orientation, turn):
    data = encoded(RGB, kind, exif=exif(orientation))
    flat = np.asarray(Image.open(io.BytesIO(encoded(RGB, kind))).convert("RGB"))
    assert torch.equal(load_image(io.BytesIO(data), max_pixels=LIMIT), tensor_of(turn(flat)))
    # Also for a picture that a page hands over before its pixels are read.
    assert torch.equal(from_pil(Image.open(io.BytesIO(data))), tensor_of(turn(flat)))
    assert sorted(image_size(io.BytesIO(data))) == sorted(flat.shape[:2])


def test_damaged_exif_is_ignored_with_a_line_in_the_log(caplog):
    data = encoded(RGB, "PNG", exif=b"Exif\0\0no TIFF header here")
    assert torch.equal(load_image(io.BytesIO(data), max_pixels=LIMIT), tensor_of(NOISE[..., :3]))
    assert "EXIF" in caplog.text


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_laid_over_white(kind):
    alpha = NOISE[..., 3:].astype(np.float64) / 255
    expected = NOISE[..., :3] / 255 * alpha + (1 - alpha)
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    image = loaded(RGBA, kind, **options)
    assert np.abs(image[0].permute(1, 2, 0).numpy() - expected).max() < 1e-6


def test_the_color_under_a_transparent_pixel_does_not_show():
    assert torch.equal(loaded(Image.new("RGBA", (2, 2), (255, 0, 0, 0))), torch.ones(1, 3, 2, 2))


def test_gray_with_alpha_is_laid_over_white():
    image = loaded(Image.new("LA", (2, 2), (0, 51)))
    torch.testing.assert_close(image, torch.full((1, 3, 2, 2), 0.8))


@pytest.mark.parametrize(
    ("picture", "hole"),
    [
        (Image.new("P", (4, 4), 0), 0),
        (Image.new("P", (4, 4), 0), b"\x00\xff"),
        (Image.new("L", (4, 4), 7), 7),
        (Image.new("RGB", (4, 4), (1, 2, 3)), (1, 2, 3)),
        (Image.new("1", (4, 4), 0), 0),
    ],
    ids=["palette index", "palette alphas", "gray", "color", "1 bit"],
)
def test_a_color_declared_transparent_becomes_white(picture, hole):
    if picture.mode == "P":
        picture.putpalette([255, 0, 0, 0, 255, 0])
    assert torch.equal(loaded(picture, transparency=hole), torch.ones(1, 3, 4, 4))


def test_a_palette_gives_its_colors():
    expected = tensor_of(np.asarray(PALETTE.convert("RGB")))
    assert torch.equal(loaded(PALETTE), expected)
    assert torch.equal(loaded(PALETTE, "GIF"), expected)


def test_one_bit_gives_black_and_white():
    bits = NOISE[..., 0] > 127
    assert torch.equal(loaded(Image.fromarray(bits)), tensor_of(bits.astype(np.uint8) * 255))


def test_gray_becomes_three_equal_channels():
    assert torch.equal(loaded(GRAY), tensor_of(NOISE[..., 0]))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_gray_keeps_every_level_and_is_not_clipped_to_white(kind):
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    image = loaded(Image.fromarray(levels), kind)
    expected = torch.from_numpy(levels.astype(np.float32) / 65535).expand(1, 3, -1, -1)
    assert image.is_contiguous()
    assert torch.equal(image, expected)


def test_big_endian_16_bit_gray_reads_the_same():
    picture = Image.frombytes("I;16B", (2, 1), struct.pack(">HH", 65535, 13107))
    torch.testing.assert_close(from_pil(picture)[0, 0], torch.tensor([[1.0, 0.2]]))


def test_16_bit_color_keeps_all_its_bits():
    levels = NOISE[..., :3].astype(">u2") * 256 + 99
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    image = load_image(
        io.BytesIO(png(31, 24, depth=16, data=zlib.compress(rows))), max_pixels=LIMIT
    )
    expected = torch.from_numpy(levels.astype(np.float32) / 65535).permute(2, 0, 1)[None]
    assert torch.equal(image, expected)


def test_float_gray_is_0_to_1_and_what_is_not_finite_does_not_come_through():
    values = np.array([[0.0, 0.25, 1.0], [-3.0, np.nan, np.inf]], np.float32)
    image = loaded(Image.fromarray(values), "TIFF")
    assert image[0, 1].tolist() == [[0.0, 0.25, 1.0], [0.0, 0.0, 1.0]]


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_numbers_above_white_are_scaled_by_the_brightest_not_clipped(dtype):
    values = np.array([[0, 1_000_000, 4_000_000]], dtype)
    assert loaded(Image.fromarray(values), "TIFF")[0, 2].tolist() == [[0.0, 0.25, 1.0]]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(kind):
    red = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    image = loaded(red, kind)
    assert image[0, 0].min() > 0.98
    assert image[0, 1:].max() < 0.02


def test_lab_becomes_rgb():
    image = loaded(Image.new("RGB", (4, 4), (200, 40, 90)).convert("LAB"), "TIFF")
    assert torch.allclose(image[0, :, 0, 0] * 255, torch.tensor([200.0, 40.0, 90.0]), atol=3)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_of_an_animation_is_the_picture(kind):
    frames = [Image.new("RGB", (6, 5), color) for color in ("#ff0000", "#00ff00", "#0000ff")]
    options = {"lossless": True} if kind == "WEBP" else {}
    image = loaded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert torch.equal(image, tensor_of(np.asarray(frames[0])))


# --- ICC profiles -----------------------------------------------------------------------------


def icc_profile(space, tags):
    """A version 2 display profile: ICC.1:2001-04, sections 6.1 to 6.5."""
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    head = struct.pack(">I4xI4s4s4s", start + len(body), 0x02400000, b"mntr", space, b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp" + b"\0" * 28 + xyz(0.9642, 1, 0.8249)[8:]
    return head.ljust(128, b"\0") + table + body


def xyz(*values):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in values))


LINEAR = b"curv\0\0\0\0" + struct.pack(">I", 0)
WHITE = {b"wtpt": xyz(0.9642, 1, 0.8249)}
# sRGB's primaries (adapted to D50, IEC 61966-2-1) with red and green exchanged, without gamma.
EXCHANGED = icc_profile(
    b"RGB ",
    {
        **WHITE,
        b"rXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"gXYZ": xyz(0.4361, 0.2225, 0.0139),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), LINEAR),
    },
)
# Gamma 1.8, as old Macintoshes had it, in 1/256.
GAMMA_GRAY = icc_profile(b"GRAY", {**WHITE, b"kTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, 461)})


def srgb_curve(linear):
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_colors_of_another_profile_become_srgb(kind):
    expected = srgb_curve(NOISE[..., [1, 0, 2]] / 255)
    image = loaded(RGB, kind, icc_profile=EXCHANGED)
    assert np.abs(image[0].permute(1, 2, 0).numpy() - expected).max() < 2 / 255


def test_palette_and_alpha_go_through_the_profile_too():
    opaque = RGB.copy()
    opaque.putalpha(255)
    profiled = loaded(RGB, icc_profile=EXCHANGED)
    assert torch.equal(loaded(opaque, icc_profile=EXCHANGED), profiled)
    assert torch.equal(
        loaded(PALETTE, icc_profile=EXCHANGED),
        loaded(PALETTE.convert("RGB"), icc_profile=EXCHANGED),
    )


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_gray_profile_becomes_srgb(mode):
    expected = srgb_curve((NOISE[..., 0] / 255) ** (461 / 256))
    image = loaded(GRAY.convert(mode), icc_profile=GAMMA_GRAY)
    assert np.abs(image[0, 2].numpy() - expected).max() < 2 / 255


def test_an_srgb_profile_changes_no_pixel():
    assert torch.equal(loaded(RGB, icc_profile=SRGB), tensor_of(NOISE[..., :3]))


@pytest.mark.parametrize("profile", [b"no profile", SRGB[:200], GAMMA_GRAY, b"\xff" * 200])
def test_an_unusable_profile_is_ignored_with_a_line_in_the_log(profile, caplog):
    with caplog.at_level(logging.WARNING):
        image = loaded(RGB, icc_profile=profile)
    assert torch.equal(image, tensor_of(NOISE[..., :3]))
    assert "ICC" in caplog.text


def test_an_rgb_profile_in_a_cmyk_file_is_ignored():
    picture = RGB.convert("CMYK")
    assert torch.equal(loaded(picture, "TIFF", icc_profile=EXCHANGED), loaded(picture, "TIFF"))


# --- what is refused --------------------------------------------------------------------------


def png(width, height, *, depth=8, data=b""):
    def chunk(name, body):
        checksum = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + checksum

    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_a_missing_file_is_named(tmp_path):
    assert f"'{tmp_path / 'gone.png'}' does not exist" in refusal(tmp_path / "gone.png")


def test_a_folder_is_named(tmp_path):
    assert f"'{tmp_path}' is a folder" in refusal(tmp_path)


def test_a_name_no_file_can_have_is_refused():
    assert "cannot be opened" in refusal("a\0b.png")


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.png"
    path.touch()
    assert f"'{path}' is empty (0 bytes)" in refusal(path)


@pytest.mark.parametrize(
    "data",
    [b"P", b"Hello, I am text.", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"%PDF-1.7\n", b"<svg/>"],
)
def test_what_is_no_raster_picture_is_refused_with_the_known_kinds(tmp_path, data):
    path = tmp_path / "renamed.png"
    path.write_bytes(data)
    message = refusal(path)
    assert f"'{path}' is not a picture" in message
    assert "PNG, JPEG" in message


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused_never_half_shown(kind, share):
    data = encoded(RGB, kind)
    message = refusal(io.BytesIO(data[: int(share * len(data))]))
    assert message.startswith("The picture is ")


def test_the_limit_is_inclusive_and_the_message_has_both_numbers():
    data = encoded(Image.new("RGB", (40, 30)), "PNG")
    assert load_image(io.BytesIO(data), max_pixels=1200).shape == (1, 3, 30, 40)
    message = refusal(io.BytesIO(data), max_pixels=1199)
    assert "40x30" in message
    assert "1,199" in message


def test_a_decompression_bomb_is_refused_from_its_header():
    bomb = io.BytesIO(png(20000, 20000, data=zlib.compress(bytes(10**6))))
    refusal(io.BytesIO(b"not a picture"))  # Pillow's plugins are imported once, outside the clock
    tracemalloc.start()
    started = time.perf_counter()
    message = refusal(bomb, max_pixels=10**8)
    seconds, peak = time.perf_counter() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "20000x20000" in message
    assert seconds < 1
    assert peak < 10**6


def test_the_only_limit_is_the_callers_not_pillows_global_one(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert torch.equal(loaded(RGB), tensor_of(NOISE[..., :3]))


def test_loading_leaves_the_hosts_pillow_and_warnings_alone():
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    loaded(RGB)
    refusal(io.BytesIO(png(20000, 20000)))
    after = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    assert before == after


def test_threads_load_side_by_side():
    data, wrong = encoded(RGB, "PNG", icc_profile=EXCHANGED), []
    expected = loaded(RGB, icc_profile=EXCHANGED)

    def load_some():
        for _ in range(5):
            image = load_image(io.BytesIO(data), max_pixels=LIMIT)
            if not torch.equal(image, expected):
                wrong.append(image)

    threads = [threading.Thread(target=load_some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- damage at random -------------------------------------------------------------------------


def text_chunks():
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("prompt", "ünïcode ☃")
    chunks.add_text("packed", "a" * 99, zip=True)
    return chunks


WHOLE = {
    "png": encoded(RGB, "PNG", exif=exif(6), icc_profile=SRGB, pnginfo=text_chunks()),
    "png palette": encoded(PALETTE, "PNG", transparency=bytes(range(16))),
    "png 16 bit": encoded(GRAY16, "PNG"),
    "png animated": encoded(RGB, "PNG", save_all=True, append_images=[RGBA.convert("RGB")]),
    "png gray hole": encoded(GRAY, "PNG", transparency=7),
    "jpeg": encoded(RGB, "JPEG", exif=exif(6), icc_profile=SRGB),
    "jpeg progressive": encoded(RGB, "JPEG", progressive=True),
    "jpeg cmyk": encoded(RGB.convert("CMYK"), "JPEG"),
    "jpeg mpo": encoded(RGB, "MPO", save_all=True, append_images=[RGB]),
    "gif": encoded(PALETTE, "GIF", save_all=True, append_images=[GRAY], transparency=2),
    "tiff": encoded(RGB, "TIFF", exif=exif(6), icc_profile=SRGB),
    "tiff lzw": encoded(RGBA, "TIFF", compression="tiff_lzw"),
    "tiff float": encoded(GRAY.convert("F"), "TIFF"),
    "tiff 16 bit": tiff(DEEP, 2),
    "tiff of floats": tiff((DEEP / 65535).astype(np.float32), 2),
    "png 16 bit colors": png_of(DEEP, 2, before=chunk(b"gAMA", b"\0\1\x86\xa0")),
    "webp": encoded(RGB, "WEBP", exif=exif(6), icc_profile=SRGB),
    "webp lossless": encoded(RGBA, "WEBP", lossless=True),
    "bmp": encoded(PALETTE, "BMP"),
    "ppm": encoded(RGB, "PPM"),
}


def damaged(data, rng):
    """`data` cut short, or with bytes overwritten, dropped or inserted."""
    data = bytearray(data)
    where = rng.randrange(len(data))
    how = rng.randrange(5)
    if how == 0:
        del data[where:]
    elif how == 1:
        del data[where : where + rng.randrange(1, 20)]
    elif how == 2:
        data[where:where] = rng.randbytes(rng.randrange(1, 20))
    else:
        end = len(data) if how == 3 else min(len(data), 200)  # headers break in more ways
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(end)] = rng.choice([0, 127, 128, 255, rng.randrange(256)])
    return checksums_repaired(data) if data[:4] == b"\x89PNG" and rng.random() < 0.7 else data


def checksums_repaired(data):
    """A PNG's checksums made right again, or no damage would get past them."""
    at = 8
    while at + 12 <= len(data) and at + 12 + (
        size := struct.unpack(">I", data[at : at + 4])[0]
    ) <= len(data):
        body = bytes(data[at + 4 : at + 8 + size])
        data[at + 8 + size : at + 12 + size] = struct.pack(">I", zlib.crc32(body))
        at += 12 + size
    return data


@pytest.mark.parametrize("remarks", ["error", "ignore"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_damaged_file_gives_a_picture_or_an_image_error(name, remarks):
    warnings.simplefilter(remarks)
    rng = random.Random(name)
    for _ in range(100):
        data = bytes(damaged(WHOLE[name], rng))
        try:
            image = load_image(io.BytesIO(data), max_pixels=LIMIT)
        except ImageError:
            continue
        assert image.shape[:2] == (1, 3)
        assert 0 <= image.min() <= image.max() <= 1


def test_damaged_metadata_gives_texts_or_an_image_error(tmp_path):
    rng, path = random.Random(0), tmp_path / "a.png"
    for _ in range(200):
        path.write_bytes(damaged(WHOLE["png"], rng))
        try:
            texts = read_metadata(path)
        except ImageError:
            continue
        assert all(type(text) is str for text in texts.values())


# --- saving -----------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", [".png", ".PNG", ".tif", ".tiff", ".bmp"])
def test_saving_and_loading_again_changes_nothing(tmp_path, extension):
    image, path = tensor_of(NOISE[..., :3]), tmp_path / f"a{extension}"
    save_image(image, path)
    assert torch.equal(load_image(path, max_pixels=LIMIT), image)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("extension", [".jpg", ".jpeg", ".webp"])
def test_lossy_formats_stay_close_even_where_red_meets_blue(tmp_path, extension):
    image = torch.zeros(1, 3, 64, 64)
    image[:, 0, :, :31] = 1
    image[:, 2, :, 31:] = 1
    save_image(image, tmp_path / f"a{extension}")
    again = load_image(tmp_path / f"a{extension}", max_pixels=LIMIT)
    assert (again - image).abs().mean() < 0.03


def test_every_writable_extension_makes_a_file_of_its_format(tmp_path):
    for extension, kind in WRITABLE.items():
        save_image(torch.rand(3, 8, 8), tmp_path / f"a{extension}")
        with Image.open(tmp_path / f"a{extension}") as picture:
            assert picture.format == kind


def test_quality_buys_bytes(tmp_path):
    image = tensor_of(NOISE[..., :3])
    for extension in (".jpg", ".webp"):
        low, high = tmp_path / f"low{extension}", tmp_path / f"high{extension}"
        save_image(image, low, quality=20)
        save_image(image, high, quality=95)
        assert low.stat().st_size < high.stat().st_size


def test_values_are_clamped_and_rounded_to_the_nearest_level():
    values = torch.tensor([-1.0, 0.0, 0.49 / 255, 0.51 / 255, 254.6 / 255, 1.0, 7.0])
    levels = np.asarray(to_pil(values.expand(3, 1, 7)))[0, :, 1]
    assert levels.tolist() == [0, 0, 0, 1, 255, 255, 255]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_any_float_dtype_and_a_graph_can_be_shown(dtype):
    image = torch.ones(1, 3, 2, 5, dtype=dtype, requires_grad=True)
    assert to_pil(image).size == (5, 2)
    assert to_pil(image).getextrema() == ((255, 255),) * 3


def test_with_and_without_the_batch_dimension_is_one_picture():
    image = torch.rand(1, 3, 4, 6)
    assert to_pil(image).tobytes() == to_pil(image[0]).tobytes()


def test_showing_an_image_does_not_change_it():
    image = torch.tensor([2.0, -1.0, 0.3]).view(3, 1, 1)
    before = image.clone()
    to_pil(image)
    assert torch.equal(image, before)


def test_pillow_and_back_is_the_same_image():
    assert torch.equal(from_pil(to_pil(tensor_of(NOISE[..., :3]))), tensor_of(NOISE[..., :3]))


def test_the_same_image_gives_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        save_image(tensor_of(NOISE[..., :3]), tmp_path / name, metadata={"nst": "{}"})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_saved_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    save_image(torch.rand(3, 2, 2), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


# --- 16 bits, and sRGB ------------------------------------------------------------------------


def tiff_fields(data):
    """{tag: values} of the first directory: TIFF 6.0, section 2."""
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    fields = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, length = struct.unpack_from("<HHI", data, entry)
        form = f"<{length}{ {3: 'H', 4: 'I', 7: 'B'}[kind] }"
        (there,) = struct.unpack_from("<I", data, entry + 8)
        where = entry + 8 if struct.calcsize(form) <= 4 else there
        fields[tag] = struct.unpack_from(form, data, where)
    return fields


def levels_in(path, channels):
    """(H, W, C) of a 16-bit file, decoded by hand: Pillow would drop half of the bits."""
    data = path.read_bytes()
    if path.suffix == ".png":
        width, height, depth = struct.unpack_from(">IIB", data, 16)
        assert depth == 16
        at = data.index(b"IDAT")
        (size,) = struct.unpack_from(">I", data, at - 4)
        rows = np.frombuffer(zlib.decompress(data[at + 4 : at + 4 + size]), np.uint8)
        rows = rows.reshape(height, 1 + 2 * channels * width)
        assert (rows[:, 0] == 2).all()  # the filter Up
        samples = np.cumsum(rows[:, 1:], 0, np.uint8).view(">u2").astype(np.int32)
        return torch.from_numpy(samples.reshape(height, width, channels))
    fields = tiff_fields(data)
    start, size = fields[273][0], fields[279][0]
    assert fields[258] == (16,) * channels
    samples = np.frombuffer(zlib.decompress(data[start : start + size]), "<u2")
    samples = samples.reshape(fields[257][0], fields[256][0], channels)
    return torch.from_numpy(np.cumsum(samples, 1, np.uint16).astype(np.int32))


@pytest.mark.parametrize("extension", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bits_keep_every_level_that_is_asked_for(tmp_path, extension, channels):
    levels = torch.arange(65536).view(256, 256)
    image = torch.stack([levels, levels.T, 65535 - levels])[None] / 65535
    path = tmp_path / f"a{extension}"
    alpha = levels / 65535 if channels == 4 else None
    save_image(image, path, bits=16, alpha=alpha)
    expected = torch.cat([image[0], levels[None] / 65535])[:channels] * 65535
    assert torch.equal(levels_in(path, channels), expected.round().int().permute(1, 2, 0))
    with Image.open(path) as picture:  # and Pillow takes it for a whole file
        picture.load()
        assert picture.mode == ("RGB", "RGBA")[channels - 3]
    assert os.listdir(tmp_path) == [path.name]


def test_16_bits_are_clamped_and_rounded_as_8_are(tmp_path):
    values = torch.tensor([-1.0, 0.0, 0.49 / 65535, 0.51 / 65535, 65534.6 / 65535, 1.0, 7.0])
    save_image(values.expand(3, 1, 7), tmp_path / "a.png", bits=16)
    assert levels_in(tmp_path / "a.png", 3)[0, :, 1].tolist() == [0, 0, 0, 1, 65535, 65535, 65535]


@pytest.mark.parametrize("extension", [".jpg", ".jpeg", ".webp", ".bmp"])
def test_16_bits_are_refused_where_the_format_has_8(tmp_path, extension):
    with pytest.raises(ImageError, match="PNG and TIFF can have 16"):
        save_image(torch.rand(3, 8, 8), tmp_path / f"a{extension}", bits=16)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("extension", sorted(set(WRITABLE) - {".bmp"}))
def test_a_written_file_says_that_it_is_srgb(tmp_path, extension, bits):
    if bits == 16 and WRITABLE[extension] not in DEEP_FORMATS:
        pytest.skip("8 bits only")
    save_image(torch.rand(3, 8, 8), tmp_path / f"a{extension}", bits=bits)
    with Image.open(tmp_path / f"a{extension}") as picture:
        if extension == ".png":
            assert picture.info["srgb"] == 0
        else:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
            assert "sRGB" in ImageCms.getProfileDescription(profile)


def test_a_profile_has_no_date_that_would_change_the_bytes(tmp_path):
    save_image(torch.rand(3, 8, 8), tmp_path / "a.tif")
    with Image.open(tmp_path / "a.tif") as picture:
        assert picture.info["icc_profile"][24:36] == bytes(12)


# --- metadata ---------------------------------------------------------------------------------


def test_metadata_comes_back_whatever_its_language_and_length(tmp_path):
    metadata = {
        "nst": json.dumps({"losses": [0.1] * 500_000}),  # more than Pillow unpacks from one chunk
        "prompt": "ünïcode ☃ 星月夜 \n second line",
        "workflow": json.dumps({"a": "b"}),
        "empty": "",
    }
    save_image(torch.rand(3, 4, 4), tmp_path / "a.png", metadata=metadata)
    assert read_metadata(tmp_path / "a.png") == metadata
    load_image(tmp_path / "a.png", max_pixels=LIMIT)


def test_a_file_without_texts_has_no_metadata(tmp_path):
    RGB.save(
        tmp_path / "a.png", exif=exif(6), icc_profile=SRGB, dpi=(72, 72), transparency=(1, 2, 3)
    )
    assert read_metadata(tmp_path / "a.png") == {}


@pytest.mark.parametrize("extension", sorted(set(WRITABLE) - {".png"}))
def test_formats_without_text_chunks_save_the_picture_and_no_metadata(tmp_path, extension):
    save_image(torch.rand(3, 8, 8), tmp_path / f"a{extension}", metadata={"nst": "{}"})
    assert read_metadata(tmp_path / f"a{extension}") == {}


def test_metadata_is_read_without_decoding_a_bomb(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(20000, 20000))
    assert read_metadata(path) == {}


def test_metadata_of_a_missing_file_is_an_image_error(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        read_metadata(tmp_path / "gone.png")


# --- paths that cannot be written --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "is a folder"),
        ("a", "names no format"),
        ("a.gif", r"\.png, \.jpg, \.jpeg, \.webp, \.tif, \.tiff, \.bmp"),
        ("missing/a.png", "does not exist"),
        ("file.txt/a.png", "is not a folder"),
        ("n" * 300 + ".png", "cannot be written"),
        ("a\0b.png", "cannot be written"),
    ],
)
def test_an_unwritable_path_is_found_before_the_work(tmp_path, name, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.txt").touch()
    for attempt in (check_writable, lambda path: save_image(torch.rand(3, 2, 2), path)):
        with pytest.raises(ImageError, match=message):
            attempt(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["file.txt", "folder"]


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_closed_folder_and_a_protected_file_are_found_before_the_work(tmp_path):
    path = tmp_path / "a.png"
    path.touch(mode=0o444)
    with pytest.raises(ImageError, match="write-protected"):
        check_writable(path)
    tmp_path.chmod(0o555)
    with pytest.raises(ImageError, match="Permission denied"):
        check_writable(tmp_path / "b.png")
    tmp_path.chmod(0o755)


def test_checking_leaves_the_disk_as_it_was(tmp_path):
    old = tmp_path / "old.png"
    old.write_bytes(b"old")
    check_writable(old)
    check_writable(str(tmp_path / "new.png"))
    assert os.listdir(tmp_path) == ["old.png"]
    assert old.read_bytes() == b"old"


def test_saving_replaces_an_existing_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    save_image(tensor_of(NOISE[..., :3]), path)
    assert torch.equal(load_image(path, max_pixels=LIMIT), tensor_of(NOISE[..., :3]))


@pytest.mark.parametrize(
    ("failure", "seen"),
    [
        (OSError(28, "No space left on device"), ImageError),
        (ValueError("picture too large for this format"), ImageError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failing_encoder_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, failure, seen
):
    def half_an_encoder(_, stream: io.RawIOBase, *__, **___):
        stream.write(b"half a pict")
        raise failure

    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(Image.Image, "save", half_an_encoder)
    with pytest.raises(seen):
        save_image(torch.rand(3, 2, 2), path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_picture_too_large_for_its_format_is_an_image_error(tmp_path):
    path = Path(tmp_path / "a.webp")
    with pytest.raises(ImageError, match=r"WebP holds at most 16383\. Write PNG or TIFF"):
        save_image(torch.zeros(3, 1, 16384), path)
    assert os.listdir(tmp_path) == []
