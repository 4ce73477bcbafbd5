"""Settings out of pictures."""

import json

import pytest
import torch

from nst_core.errors import ImageError, NSTError, SettingsError
from nst_core.image_io import save_image
from nst_core.page.restore import restore
from nst_core.report import summary_of
from nst_core.settings import Settings


@pytest.fixture
def stored(tmp_path):
    """`stored(text)`: a PNG with this text where settings are."""

    def write(text):
        path = tmp_path / "stored.png"
        save_image(torch.zeros(1, 3, 8, 8), path, metadata={"nst": text})
        return str(path)

    return write


def test_what_was_asked_for_comes_back(runs, ask):
    request = ask(
        styles=("brushstrokes", "ink"),
        shares=[0.5, 1.0],
        preset="neural-style",
        strength=2.0,
        size=48,
        steps=2,
        tv_weight=0.25,
        style_layers="relu1_1=2,relu3_1",
    )
    found = restore(str(runs.files_of(runs.begin("me", request)).picture))
    assert found.names == request.names
    assert found.shares == request.shares
    assert (found.preset, found.strength) == ("neural-style", 2.0)
    again = runs.request(
        request.paths,
        found.shares,
        found.preset,
        found.strength,
        {**found.rest, **{n: getattr(found.settings, n) for n in ("size", "steps", "tv_weight")}},
    )
    assert again.settings.style_weight == request.settings.style_weight
    assert again.settings.tv_weight == 0.25
    assert found.settings.style_layers == "relu1_1=2,relu3_1"
    assert found.missing == []


def test_a_picture_of_the_command_line_is_restored_too(stored, network):
    settings = Settings(size=64, style_weight=7.0, tolerance=0.5, weights="keras", history=50)
    summary = summary_of(
        settings=settings, vgg=network.vgg, content="me.jpg", styles=["sample:ink"]
    )
    found = restore(stored(json.dumps(summary)))
    assert (found.settings.size, found.settings.style_weight, found.strength) == (64, 7.0, 1.0)
    assert found.rest["tolerance"] == 0.5
    assert found.missing == ["me.jpg"]


def test_what_is_the_servers_to_decide_is_not_restored(stored, network):
    settings = Settings(weights="/etc/passwd", device="cuda:7", tile=256, history=200)
    summary = summary_of(settings=settings, vgg=network.vgg, content="a", styles=["b"])
    found = restore(stored(json.dumps(summary)))
    usual = Settings()
    for name in ("weights", "device", "tile", "history"):
        assert getattr(found.settings, name) == getattr(usual, name)
        assert name not in found.rest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        '{"settings": 3, "content": "a", "styles": []}',
        '{"settings": {"size": "big"}, "content": "a", "styles": []}',
        '{"settings": {"size": 1e999}, "content": "a", "styles": []}',
        '{"settings": {"size": -4}, "content": "a", "styles": []}',
        '{"settings": {"__class__": 1}, "content": "a", "styles": []}',
        '{"settings": {}, "content": "a", "styles": ["b"], "shares": ["x"]}',
    ],
)
def test_damaged_settings_are_told_in_a_sentence(text, stored):
    with pytest.raises(NSTError):
        restore(stored(text))


def test_a_picture_without_settings_says_so(tmp_path):
    save_image(torch.zeros(1, 3, 8, 8), tmp_path / "plain.png")
    with pytest.raises(ImageError, match=r"'plain\.png' holds no settings"):
        restore(str(tmp_path / "plain.png"))


def test_a_text_file_called_png_says_so_without_its_folder(tmp_path):
    path = tmp_path / "text.png"
    path.write_text("hello")
    with pytest.raises(ImageError) as caught:
        restore(str(path))
    assert str(tmp_path) not in str(caught.value)


def test_settings_of_another_version_are_an_error_of_settings(stored):
    with pytest.raises(SettingsError):
        restore(stored('{"settings": {"brushes": 3}, "content": "a", "styles": []}'))
