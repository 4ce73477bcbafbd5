"""Settings out of pictures."""

import json

import pytest
import torch

from nst_core.errors import ImageError, NSTError, SettingsError
from nst_core.files.write_image import save_image
from nst_core.page.canvas import png_of, url_of
from nst_core.page.kinds import RECONSTRUCT, STYLIZE, TEXTURE
from nst_core.page.messages import shown
from nst_core.page.restore import restore
from nst_core.page.restoring import _words
from nst_core.run.report import summary_of
from nst_core.settings import Settings

LEFT = torch.zeros(24, 32)
LEFT[:, :16] = 1


@pytest.fixture
def stored(tmp_path):
    """`stored(text)`: a PNG with this text where settings are."""

    def write(text):
        path = tmp_path / "stored.png"
        save_image(torch.zeros(1, 3, 8, 8), path, metadata={"nst": text})
        return str(path)

    return write


def test_what_was_asked_for_comes_back(made, ask):
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
    found = restore(str(made(request)[1].picture))
    assert found.kind is STYLIZE
    assert (found.content, *found.styles) == (*(p.name for p in request.pictures), "", "")
    assert found.shares == (0.5, 1.0, 1.0, 1.0)
    assert (found.preset, found.strength) == ("neural-style", 2.0)
    again = ask(
        preset=found.preset,
        strength=found.strength,
        **found.rest,
        **{name: getattr(found.settings, name) for name in STYLIZE.settings},
    )
    assert again.settings == request.settings
    assert found.settings.style_layers == "relu1_1=2,relu3_1"
    assert found.missing == []


@pytest.mark.parametrize("kind", [TEXTURE, RECONSTRUCT], ids=lambda kind: kind.name)
def test_a_picture_of_another_tab_says_whose_it_is(kind, made, ask):
    request = ask(kind=kind, init="noise", steps=1, seed=5)
    found = restore(str(made(request)[1].picture))
    assert found.kind is kind
    assert found.preset == kind.presets[0]
    assert found.settings == request.settings
    assert bool(found.content) is kind.content
    assert len(found.styles) == kind.styles


def test_shares_of_the_command_line_fit_the_sliders(stored, network):
    settings = Settings(style_shares="3,1")
    styles = ["a.jpg", "b.jpg"]
    summary = summary_of(settings=settings, vgg=network.vgg, content="c.jpg", styles=styles)
    assert restore(stored(json.dumps(summary))).shares[:2] == (1.0, pytest.approx(1 / 3))


def test_what_was_painted_comes_back_to_the_places_of_its_styles(made, ask):
    drawing = png_of({"blue": LEFT})
    request = ask(
        styles=(None, "ink"), parts=[None, url_of(drawing)], map_=url_of(drawing), steps=1
    )
    found = restore(str(made(request)[1].picture))
    assert found.styles == ("", "sample:ink", "", "")
    assert found.map == found.parts[1] == url_of(drawing)
    assert found.parts[0] == ""


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
        '{"settings": {}, "content": "a", "styles": ["b"], "drawn": {"map": "no picture"}}',
        '{"settings": {}, "content": "a", "styles": ["b"], "drawn": {"colors": ["pink"]}}',
        "[" * 100_000,
        '{"settings": {"size": ' + "[" * 100_000 + "]" * 100_000 + "}}",
        '{"settings": {"style_weight": 1' + "0" * 400 + '}, "content": "a", "styles": ["b"]}',
        '{"settings": {"size": ' + "9" * 5000 + '}, "content": "a", "styles": ["b"]}',
    ],
    ids=lambda text: text[:70],
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


def test_names_in_a_picture_are_words_without_folders_and_cannot_be_markup(stored, network, limits):
    evil = "a\n\n[here](http://example.com) ![x](y) <img src=x onerror=z>` <b>.png"
    names = {"content": evil, "styles": ["/home/ada/" + "s" * 999]}
    summary = summary_of(settings=Settings(), vgg=network.vgg, **names)
    found = restore(stored(json.dumps({**summary, **names})))  # as earlier versions stored them
    assert "\n" not in found.content
    assert "ada" not in found.styles[0]
    assert len(found.styles[0]) == 255
    words = _words(found, limits)
    assert "<img" not in words
    assert "<b>" not in words
    assert "\n" not in words


def test_a_mistake_in_a_picture_is_no_markup_in_a_message(stored):
    with pytest.raises(SettingsError) as caught:
        restore(stored('{"settings": {"<img src=x>": 3}, "content": "a", "styles": []}'))
    assert "<" not in shown(caught.value)
