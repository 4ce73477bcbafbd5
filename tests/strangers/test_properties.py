"""What holds for anything that a stranger writes: the right thing, or a sentence."""

import json
import math
from contextlib import suppress
from dataclasses import asdict, fields, replace

import numpy as np
import pytest
import seeds
import torch
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from PIL import Image
from readers import READERS, png_with_text

from nst_core.errors import CheckpointError, NSTError
from nst_core.files.checkpoint_file import read_checkpoint_file, write_checkpoint_file
from nst_core.files.pixels import from_pil
from nst_core.files.read_image import load_image, read_metadata
from nst_core.files.weights.vgg_file import read_vgg16
from nst_core.files.write_image import save_image
from nst_core.run.checkpoint import load_checkpoint, save_checkpoint
from nst_core.settings import Settings, choices_of, limits_of
from nst_core.settings.layers import LAYER_NAMES, STYLE_LAYERS, layer_weights
from nst_core.settings.loss import shares_in

stranger = profile.get_profile("strangers")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=9)
    | st.sampled_from(["default", "red", "content", 10**400, "../../etc/passwd", "\0", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def replaced(draw, document):
    """A document with one of its values, however deep, replaced by anything."""
    keys = list(document) if isinstance(document, dict) else range(len(document))
    key = draw(st.sampled_from(keys))
    inner = document[key]
    deeper = isinstance(inner, dict | list) and len(inner) and draw(st.booleans())
    value = replaced(draw, inner) if deeper else draw(JSON)
    changed = dict(document) if isinstance(document, dict) else list(document)
    changed[key] = value
    return changed


def read_or_refused(reader, data, folder):
    """A file with these bytes; any exception but an NSTError passes."""
    path = folder / "file"
    path.write_bytes(data)
    with suppress(NSTError):
        READERS[reader](path)


MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16")


@stranger
@given(st.sampled_from(MODES), st.integers(1, 9), st.integers(1, 9), st.integers(0, 9))
def test_a_picture_of_any_mode_is_a_picture_of_its_size(mode, width, height, orientation):
    noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    picture = Image.fromarray(noise)
    picture = picture.convert("I").convert(mode) if mode == "I;16" else picture.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.info["exif"] = exif.tobytes()
    image = from_pil(picture)
    turned = orientation in (5, 6, 7, 8)
    assert image.shape == (1, 3, *((width, height) if turned else (height, width)))
    assert bool(((image >= 0) & (image <= 1)).all())


SIDE = st.integers(1, 9)


@stranger
@given(SIDE, SIDE, st.sampled_from([8, 16]), st.booleans(), st.integers(0, 99))
def test_what_is_written_as_png_or_tiff_comes_back(tmp_path_factory, h, w, bits, clear, seed):
    folder = tmp_path_factory.mktemp("written")
    white = 2**bits - 1
    dice = torch.Generator().manual_seed(seed)
    image = torch.randint(0, white + 1, (1, 3, h, w), generator=dice) / white
    alpha = torch.ones(h, w) if clear else None
    for ending in (".png", ".tif"):
        save_image(image, folder / f"picture{ending}", bits=bits, alpha=alpha)
        back = load_image(folder / f"picture{ending}", max_pixels=99)
        assert torch.allclose(back, image, rtol=0, atol=0.1 / white)


@stranger
@given(st.data())
def test_the_bytes_of_a_picture_are_no_program(sound, tmp_path_factory, data):
    files = {**sound["picture"], **sound["png"], **sound["jpeg"], **sound["tiff"]}
    changed = bytearray(files[data.draw(st.sampled_from(sorted(files)))])
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(1, len(changed)))
    read_or_refused("picture", bytes(changed[:end]), tmp_path_factory.mktemp("bytes"))


WEIGHTS = st.none() | st.floats(0, 1e9, allow_subnormal=False)


@stranger
@given(st.dictionaries(st.sampled_from(LAYER_NAMES), WEIGHTS, min_size=1))
def test_layers_that_are_written_down_are_read_again(layers):
    written = ",".join(name if w is None else f"{name}={w!r}" for name, w in layers.items())
    usual = 1 / len(layers)
    wanted = {name: usual if w is None else w for name, w in layers.items()}
    assert layer_weights(written, STYLE_LAYERS, averaged=True) == wanted


@stranger
@given(st.text(st.sampled_from("relu1_45,=. \tNaN∞-e9²") | st.characters(), max_size=30))
def test_any_words_are_layers_or_a_sentence(words):
    try:
        weights = layer_weights(words, STYLE_LAYERS, averaged=True)
    except NSTError:
        return
    assert set(weights) <= set(LAYER_NAMES)
    assert all(0 <= weight < math.inf for weight in weights.values())


@stranger
@given(st.text(st.sampled_from("0123456789,. -einfa"), max_size=20) | st.text(max_size=20))
def test_any_words_are_shares_or_a_sentence(words):
    with suppress(NSTError):
        shares = shares_in(words)
        assert shares is None or all(math.isfinite(share) for share in shares)


def possible(item):
    """A value that a setting may have."""
    low, high = limits_of(item.name)
    if choices := choices_of(item.name):
        return st.sampled_from(choices)
    if isinstance(item.default, bool):
        return st.booleans()
    if isinstance(item.default, int):
        return st.integers(low, high)
    if isinstance(item.default, float):
        return st.floats(low, high)
    return st.just(item.default)


@stranger
@given(st.fixed_dictionaries({item.name: possible(item) for item in fields(Settings)}))
def test_settings_survive_a_picture(tmp_path_factory, values):
    pytest.importorskip("gradio")
    from nst_core.page.controls import SERVER
    from nst_core.page.restore import restore

    path = tmp_path_factory.mktemp("stored") / "picture.png"
    settings = Settings(**values)
    summary = {**seeds.summary(), "settings": asdict(settings), "style_strength": 1.0}
    save_image(torch.zeros(1, 3, 2, 2), path, metadata={"nst": json.dumps(summary)})
    assert json.loads(read_metadata(path)["nst"]) == summary
    servers = {name: getattr(Settings(), name) for name in SERVER}
    assert restore(str(path)).settings == replace(settings, **servers)


@stranger
@given(st.data())
def test_settings_in_a_picture_are_right_or_refused(tmp_path_factory, data):
    pytest.importorskip("gradio")
    changed = data.draw(st.just(seeds.summary()).map(lambda whole: replaced(data.draw, whole)))
    text = png_with_text(json.dumps(changed).encode())
    read_or_refused("stored_settings", text, tmp_path_factory.mktemp("settings"))


@stranger
@given(st.data())
def test_the_command_in_a_checkpoint_is_right_or_refused(tmp_path_factory, data):
    changed = json.dumps(replaced(data.draw, seeds.document())).encode()
    read_or_refused("command", changed, tmp_path_factory.mktemp("commands"))


FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@stranger
@given(
    st.lists(FLOATS, min_size=48, max_size=48),
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=3),
    st.text(st.characters(), max_size=5),
)
def test_a_checkpoint_comes_back_bit_for_bit(tmp_path_factory, values, losses, word):
    path = tmp_path_factory.mktemp("kept") / "run.checkpoint"
    seeds.small_checkpoint(path)
    image = torch.tensor(values, dtype=torch.float32).view(1, 3, 4, 4)
    kept = replace(load_checkpoint(path), image=image, losses=tuple(losses), command={word: word})
    save_checkpoint(kept, path)
    found = load_checkpoint(path)
    assert found.image.numpy().tobytes() == image.numpy().tobytes()
    assert (found.losses, found.command) == (kept.losses, kept.command)
    assert all(torch.equal(found.history[name], kept.history[name]) for name in kept.history)


def test_a_signed_checkpoint_without_its_document_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "run.checkpoint"
    from nst_core.files import checkpoint_file

    header = checkpoint_file._header

    def without(*given):
        text = header(*given)[8:].replace(b'"document"', b'"docdocdo"')
        return len(text).to_bytes(8, "little") + text

    monkeypatch.setattr(checkpoint_file, "_header", without)
    write_checkpoint_file(path, {"image": torch.zeros(2)}, {})
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_checkpoint_file(path)


@stranger
@given(st.dictionaries(st.sampled_from(["a", "conv1_1.weight", "__metadata__"]), JSON), st.binary())
def test_any_header_of_weights_is_refused_in_a_sentence(tmp_path_factory, header, data):
    text = json.dumps(header).encode()
    path = tmp_path_factory.mktemp("headers") / "file.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    with pytest.raises(NSTError):
        read_vgg16(path)
