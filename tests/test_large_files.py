"""Pictures that are written in strips, and what is refused before it is begun."""

import io
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from small import picture

from nst_core import load_image, save_image
from nst_core.cli import main
from nst_core.errors import ImageError
from nst_core.files import pixels, write_image
from nst_core.files.paths import check_room, check_sides
from nst_core.files.pixels import levels_of, to_pil
from nst_core.files.write_tiff import write_tiff
from nst_core.settings.writing import MAX_SIDES

IMAGE = picture(50, 37)
ALPHA = picture(50, 37, seed=3)[0, 0]


@pytest.fixture
def strips(monkeypatch):
    """Strips of 7 rows, so that a small picture has several."""
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", 7 * 37)


@pytest.mark.parametrize("alpha", [None, ALPHA, ALPHA[:20, :20]], ids=["opaque", "alpha", "small"])
@pytest.mark.parametrize(
    "name", ["8.png", "16.png", "8.tif", "8.jpg", "8.webp", "8.bmp"], ids=lambda name: name
)
def test_strips_give_the_bytes_of_the_whole(name, alpha, tmp_path, monkeypatch):
    bits, path = int(name.split(".")[0]), tmp_path / name
    files = []
    for pixels_of_strip in (1 << 22, 7 * 37):
        monkeypatch.setattr(pixels, "_STRIP_PIXELS", pixels_of_strip)
        save_image(IMAGE, path, bits=bits, alpha=alpha, metadata={"nst": "{}"})
        files.append(path.read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize("alpha", [None, ALPHA], ids=["opaque", "alpha"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_what_is_too_large_for_pillow_has_every_level_and_says_that_it_is_srgb(
    ending, bits, alpha, strips, tmp_path, monkeypatch
):
    monkeypatch.setattr(write_image, "_BY_PILLOW", 0)
    path = tmp_path / f"a{ending}"
    save_image(IMAGE, path, bits=bits, alpha=alpha, metadata={"nst": "{}"})
    white = 2**bits - 1
    with Image.open(path) as shown:
        shown.load()
        levels = np.asarray(shown)
        assert shown.info.get("srgb") == 0 if ending == ".png" else shown.info["icc_profile"]
    if ending == ".tif":
        with tifffile.TiffFile(path) as file:
            assert len(file.pages[0].dataoffsets) == 8
            levels = file.pages[0].asarray()
    whole = IMAGE[0] if alpha is None else torch.cat([IMAGE[0], alpha[None]])
    if bits == 8 or ending == ".tif":
        assert (levels == levels_of(whole, white)).all()
    else:  # of which Pillow keeps 8 bits
        wanted = levels_of(whole, white)[..., :3]
        read = load_image(path, max_pixels=10**6)
        assert alpha is not None or (levels_of(read, white) == wanted).all()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_file_of_more_than_4_gb_is_a_bigtiff(bits, channels):
    levels = levels_of(picture(50, 37, seed=1).repeat(1, 2, 1, 1)[:, :channels], 2**bits - 1)
    stream = io.BytesIO()
    strips = np.split(levels, range(8, 50, 8))
    shape = {"shape": levels.shape, "rows": 8, "bits": bits, "profile": b"12345678901"}
    write_tiff(stream, strips, **shape, most=1000)
    assert stream.getvalue()[:4] == b"II+\0"
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        assert file.is_bigtiff
        assert (file.pages[0].asarray() == levels).all()
        assert file.pages[0].tags[34675].value == b"12345678901"
    if bits == 8:
        with Image.open(stream) as shown:
            assert (np.asarray(shown) == levels).all()
    # And ours is read by us.
    stream.seek(0)
    assert load_image(stream, max_pixels=10**6).shape == (1, 3, 50, 37)


def test_a_picture_for_pillow_is_the_same_in_strips(monkeypatch):
    whole = to_pil(IMAGE).tobytes()
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", 100)
    assert to_pil(IMAGE).tobytes() == whole


def test_jpeg_and_webp_hold_the_side_that_is_named_and_no_pixel_more(tmp_path):
    for ending, kind in ((".jpg", "JPEG"), (".webp", "WEBP")):
        path, most = tmp_path / f"a{ending}", MAX_SIDES[kind]
        save_image(torch.zeros(3, 1, most), path)
        with pytest.raises(ImageError, match=f"at most {most}. Write PNG or TIFF"):
            check_sides(path, most + 1)
        with pytest.raises((OSError, ValueError), match=r"broken data|encoding"):
            Image.new("RGB", (most + 1, 1)).save(path, kind)


def test_a_bmp_of_4_gb_is_refused(tmp_path):
    with pytest.raises(ImageError, match=r"BMP holds at most 4 GB\. Write PNG or TIFF"):
        check_room(tmp_path / "a.bmp", 40_000, 40_000, bits=8)


@pytest.mark.parametrize("format_", ["webp", "jpg"])
def test_a_size_that_the_format_cannot_have_is_refused_at_once(format_, tmp_path, capsys):
    words = f"stylize sample:harbor sample:waves --size 65536 -o {tmp_path}/out.{format_}"
    with pytest.raises(SystemExit) as exit_:
        main([*words.split(), "--weights", "no such file"])
    assert exit_.value.code == 2
    assert "Write PNG or TIFF, or use a smaller size." in capsys.readouterr().err


def test_a_full_disk_is_found_before_the_weights_are_read(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=9000))
    words = f"stylize sample:harbor sample:waves --size 64 -o {tmp_path}/out.png"
    with pytest.raises(SystemExit) as exit_:
        main([*words.split(), "--weights", "no such file"])
    assert exit_.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "may need 0.01 MB, and its disk has 0.01 MB free" in said
    assert "Free some space" in said
