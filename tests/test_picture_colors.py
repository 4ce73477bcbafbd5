"""Pictures in other colors than sRGB look as they should, in 8 bits and in more."""

import importlib.util
import io
import logging
import struct
import zlib

import numpy as np
import pytest
from odd_files import chunk, png, tiff
from PIL import Image, ImageCms
from test_picture_files import WHITE, icc_profile, srgb_curve, xyz

from nst_core.files.icc import ADOBE_PRIMARIES, SRGB_PRIMARIES, converter, profile_of
from nst_core.files.read_image import load_image

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (24, 32, 5), dtype=np.uint8)
WORDS = RNG.integers(0, 65536, (24, 32, 5), dtype=np.uint16)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
STUDIO = all(importlib.util.find_spec(name) for name in ("tifffile", "imagecodecs"))

# Linear Adobe RGB and Display P3 to linear sRGB, as published, all under D65.
ADOBE = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]])
P3 = np.array([[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]])
ADOBE_ICC = profile_of(2.19921875, ADOBE_PRIMARIES, gray=False)
# The curve of sRGB (IEC 61966-2-1), and the primaries that Apple's profile has.
PARA = b"para\0\0\0\0\0\3\0\0" + struct.pack(
    ">5i", *(round(65536 * v) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)
P3_TAGS = {
    **WHITE,
    b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
    b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
    b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
}
P3_ICC = icc_profile(b"RGB ", {**P3_TAGS, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), PARA)})
TABLE = (linear := (np.arange(1024) / 1023)) ** 2.19921875
CURVE = b"curv\0\0\0\0" + struct.pack(">I1024H", 1024, *(TABLE * 65535).round().astype(int))


def linear_srgb(values):
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def through(matrix, linear):
    return srgb_curve((linear @ matrix.T).clip(0, 1))


SPACES = {
    "Adobe RGB": (ADOBE_ICC, lambda v: through(ADOBE, v**2.19921875)),
    "Display P3": (P3_ICC, lambda v: through(P3, linear_srgb(v))),
}


def loaded(data):
    image = load_image(io.BytesIO(data), max_pixels=10**6)
    return image[0].permute(1, 2, 0).numpy()


def encoded(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def iccp(icc):
    return chunk(b"iCCP", b"x\0\0" + zlib.compress(icc))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_8_bit_colors_become_srgb(space, kind):
    icc, expected = SPACES[space]
    options = {"lossless": True} if kind == "WEBP" else {}
    image = loaded(encoded(Image.fromarray(BYTES[..., :3]), kind, icc_profile=icc, **options))
    assert np.abs(image - expected(BYTES[..., :3] / 255)).max() < 3 / 255


@pytest.mark.parametrize("space", SPACES)
def test_16_bit_colors_become_srgb_without_losing_bits(space):
    icc, expected = SPACES[space]
    shown = expected(WORDS[..., :3] / 65535)
    for data in (
        png(WORDS[..., :3], 2, before=iccp(icc)),
        tiff(WORDS[..., :3], 2, tags={34675: (7, list(icc))}),
    ):
        assert np.abs(loaded(data) - shown).max() < 3e-3
    ramp = np.linspace(20000, 21000, 24 * 32, dtype=np.uint16).reshape(24, 32, 1).repeat(3, -1)
    assert len(np.unique(loaded(png(ramp, 2, before=iccp(icc))))) > 700


@pytest.mark.parametrize("space", SPACES)
def test_floating_point_colors_become_srgb(space):
    if not STUDIO:
        pytest.skip("needs tifffile")
    icc, expected = SPACES[space]
    floats = RNG.random((24, 32, 3), dtype=np.float32)
    image = loaded(tiff(floats, 2, tags={34675: (7, list(icc))}))
    assert np.abs(image - expected(floats)).max() < 1e-3


def test_our_arithmetic_is_that_of_little_cms():
    probe = Image.fromarray(BYTES[..., :3])
    table = icc_profile(b"RGB ", {**P3_TAGS, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), CURVE)})
    flat = b"para\0\0\0\0\0\0\0\0" + struct.pack(">i", 65536 * 18 // 10)
    power = icc_profile(b"RGB ", {**P3_TAGS, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), flat)})
    for icc in (ADOBE_ICC, P3_ICC, table, power, SRGB):
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        theirs = ImageCms.profileToProfile(probe, profile, ImageCms.createProfile("sRGB"))
        ours = converter(icc)((BYTES[..., :3] / 255).astype(np.float32))
        assert np.abs(ours - np.asarray(theirs) / 255).max() < 2 / 255


def test_a_gray_profile_of_16_bits_becomes_srgb():
    icc = profile_of(1.8, SRGB_PRIMARIES, gray=True)
    gray = WORDS[..., :1]
    expected = srgb_curve((gray / 65535) ** (round(1.8 * 256) / 256))
    for data in (
        png(gray, 0, before=iccp(icc)),
        tiff(gray, 1, tags={34675: (7, list(icc))}),
        png(np.concatenate([gray, np.full_like(gray, 65535)], -1), 4, before=iccp(icc)),
    ):
        assert np.abs(loaded(data) - expected).max() < 1e-4


@pytest.mark.parametrize("depth", [8, 16])
def test_an_srgb_profile_changes_no_pixel(depth):
    pixels = (BYTES if depth == 8 else WORDS)[..., :3]
    assert np.array_equal(loaded(png(pixels, 2, before=iccp(SRGB))), loaded(png(pixels, 2)))


def test_a_conversion_is_said_in_one_line(caplog):
    with caplog.at_level(logging.INFO):
        for pixels in (BYTES, WORDS):
            caplog.clear()
            loaded(png(pixels[..., :3], 2, before=iccp(ADOBE_ICC)))
            assert [record.levelname for record in caplog.records] == ["INFO"]
            assert "to sRGB" in caplog.text


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    "icc", [b"nothing", ADOBE_ICC[:200], profile_of(2, SRGB_PRIMARIES, gray=True)]
)
def test_an_unusable_profile_is_ignored_with_a_line(icc, depth, caplog):
    pixels = (BYTES if depth == 8 else WORDS)[..., :3]
    assert np.array_equal(loaded(png(pixels, 2, before=iccp(icc))), loaded(png(pixels, 2)))
    assert "ICC profile ignored" in caplog.text


# --- what PNG and cameras say without a profile -------------------------------------------------


def gama(gamma):
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(primaries):
    return chunk(b"cHRM", struct.pack(">8I", *(round(100_000 * v) for v in primaries)))


@pytest.mark.parametrize("depth", [8, 16])
def test_a_png_says_its_gamma_and_its_primaries(depth):
    pixels, white = (BYTES, 255) if depth == 8 else (WORDS, 65535)
    pixels = pixels[..., :3]
    off = 3 / 255 if depth == 8 else 3e-3
    image = loaded(png(pixels, 2, before=gama(1)))
    assert np.abs(image - srgb_curve(pixels / white)).max() < off
    image = loaded(png(pixels, 2, before=gama(1 / 2.19921875) + chrm(ADOBE_PRIMARIES)))
    assert np.abs(image - SPACES["Adobe RGB"][1](pixels / white)).max() < off
    gray = loaded(png(pixels[..., :1], 0, before=gama(1 / 1.8)))
    assert np.abs(gray - srgb_curve((pixels[..., :1] / white) ** 1.8)).max() < off


def test_what_a_png_of_srgb_says_changes_no_pixel():
    plain = loaded(png(BYTES[..., :3], 2))
    srgb = chunk(b"sRGB", b"\0")
    for before in (
        gama(0.45455),
        gama(0.45455) + chrm(SRGB_PRIMARIES),
        gama(1) + srgb,
        chrm([0.3] * 8),
    ):
        assert np.array_equal(loaded(png(BYTES[..., :3], 2, before=before)), plain)


def test_a_png_of_impossible_colors_is_shown_as_it_is(caplog):
    plain = loaded(png(BYTES[..., :3], 2))
    for before in (gama(0), gama(1) + chrm([0.3] * 8), gama(1) + chunk(b"cHRM", b"abc")):
        caplog.clear()
        assert np.array_equal(loaded(png(BYTES[..., :3], 2, before=before)), plain)
        assert "gAMA or cHRM" in caplog.text


def test_a_profile_comes_before_gamma():
    both = png(BYTES[..., :3], 2, before=gama(1) + iccp(ADOBE_ICC))
    assert np.array_equal(loaded(both), loaded(png(BYTES[..., :3], 2, before=iccp(ADOBE_ICC))))


def test_a_camera_set_to_adobe_rgb_says_so_in_exif_alone():
    # Each directory has one entry, of which the first two are where the next one is.
    exif = b"Exif\0\0II*\0\x08\0\0\0"
    exif += struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
    exif += struct.pack("<HHHIII", 1, 0xA005, 4, 1, 44, 0)
    exif += struct.pack("<HHHI4sI", 1, 1, 2, 4, b"R03\0", 0)
    picture = Image.fromarray(BYTES[..., :3])
    data = encoded(picture, "JPEG", quality=100, subsampling=0, exif=exif)
    with Image.open(io.BytesIO(data)) as decoded:
        expected = SPACES["Adobe RGB"][1](np.asarray(decoded) / 255)
    assert np.abs(loaded(data) - expected).max() < 3 / 255


# --- inks and Lab -----------------------------------------------------------------------------


def table_profile(space, channels):
    """Tables from `channels` inks to L*: what is not black is gray, the lighter the fewer inks."""
    inks = np.stack(np.meshgrid(*[[0, 1]] * channels, indexing="ij"), -1).reshape(-1, channels)
    light = 1 - inks.mean(-1) if space == b"CMYK" else inks.mean(-1)
    lab = np.stack([light * 255, np.full(len(inks), 128), np.full(len(inks), 128)], -1).round()
    same = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([channels, 3, 2, 0])
    table += struct.pack(">9i", *(65536 * np.eye(3, dtype=int)).ravel())
    table += same * channels + lab.astype(np.uint8).tobytes() + same * 3
    profile = bytearray(icc_profile(space, {**WHITE, b"A2B0": table}))
    profile[20:24] = b"Lab "
    return bytes(profile)


def gray_of(lightness):
    """sRGB of an L* in [0, 1] (CIE 15)."""
    root = (lightness * 100 + 16) / 116
    return srgb_curve(np.where(root > 6 / 29, root**3, (root - 4 / 29) * (108 / 841)))


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_inks_go_through_their_profile(kind):
    picture = Image.fromarray(np.full((16, 16, 4), [255, 0, 0, 0], np.uint8), "CMYK")
    icc = table_profile(b"CMYK", 4)
    image = loaded(encoded(picture, kind, icc_profile=icc))
    assert np.abs(image - gray_of(0.75)).max() < 4 / 255


def test_deep_inks_with_alpha_go_through_their_profile():
    if not STUDIO:
        pytest.skip("needs tifffile")
    tags = {34675: (7, list(table_profile(b"CMYK", 4))), 338: (3, [2])}
    inks = np.full((8, 8, 5), [65535, 0, 0, 0, 65535], np.uint16)
    assert np.abs(loaded(tiff(inks, 5, tags=tags)) - gray_of(0.75)).max() < 3 / 255


def test_deep_colors_of_a_profile_with_tables_are_right_in_8_bits(caplog):
    icc = table_profile(b"RGB ", 3)
    image = loaded(png(WORDS[..., :3], 2, before=iccp(icc)))
    assert "has tables" in caplog.text
    assert np.abs(image - gray_of(WORDS[..., :3].mean(-1, keepdims=True) / 65535)).max() < 5 / 255


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("photometric", "bits"), [(8, 8), (8, 16), (9, 8)])
def test_lab_becomes_srgb(photometric, bits, order):
    if (photometric, bits) != (8, 8) and not STUDIO:
        pytest.skip("needs tifffile")
    # Red, green, blue and gray of sRGB in L*a*b* under D50 (by ICC's sRGB profile).
    lab = np.array(
        [[54.29, 80.81, 69.89], [87.82, -79.28, 80.99], [29.57, 68.30, -112.03], [60, 0, 0]]
    )
    expected = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [gray_of(0.6)] * 3], float)
    unit = 2 ** (bits - 8)
    stored = np.round(
        np.stack([lab[:, 0] * (2**bits - 1) / 100, lab[:, 1] * unit, lab[:, 2] * unit], -1)
    )
    if photometric == 9:
        stored[:, 1:] += 128
    pixels = stored.astype(int).astype(f"u{bits // 8}").reshape(1, 4, 3)
    # 8 bits are few for colors as strong as these, and Pillow rounds once more.
    off = 0.005 if bits == 16 else 0.05 if photometric == 9 else 0.1
    assert np.abs(loaded(tiff(pixels, photometric, order=order)) - expected).max() < off


def test_a_heic_picture_of_a_phone_has_the_right_colors():
    pillow_heif = pytest.importorskip("pillow_heif")
    y, x = np.mgrid[:64, :64] * 4
    picture = Image.fromarray(np.stack([x, y, 255 - x], -1).astype(np.uint8))
    picture.info["icc_profile"] = P3_ICC
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture).save(stream, quality=-1, chroma=444)
    expected = SPACES["Display P3"][1](np.asarray(picture) / 255)
    assert np.abs(loaded(stream.getvalue()) - expected).max() < 10 / 255
