"""The command line, through its real entry point: files, messages and exit codes."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from safetensors.torch import save_file
from small import picture

import nst_core
from nst_core import Settings, load_image, load_vgg16, preset_named, save_image
from nst_core.cli import console, main, watch
from nst_core.files.read_image import read_metadata
from nst_core.files.samples import CONTENTS, STYLES

# Small, short, and not deep into the network. A flag that is given again wins.
QUICK = "--size 32 --steps 2 --scales 1 --style-layers low --content-layers relu2_1".split()


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """The built-in weights as a file, which loads faster than they are made."""
    path = tmp_path_factory.mktemp("weights") / "ours.safetensors"
    metadata = {"format": "nst-vgg16", "preprocessing": "caffe"}
    save_file(load_vgg16("builtin").convolutions.state_dict(), path, metadata=metadata)
    return str(path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a content, a style, and a style that is too flat for deep layers."""
    for name, size, seed in (
        ("content", (40, 40), 0),
        ("style", (36, 48), 1),
        ("flat", (4, 80), 2),
    ):
        save_image(picture(*size, seed=seed), tmp_path / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    # For processes of their own, which start in this folder.
    monkeypatch.setenv("PYTHONPATH", str(Path(nst_core.__file__).parents[1]))
    return tmp_path


@pytest.fixture
def nst(folder, capsys):
    """Runs `nst` with these words: (exit code, stdout, stderr), without colors."""

    def run(*words):
        with pytest.raises(SystemExit) as exit_:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        out, err = (re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text) for text in captured)
        return exit_.value.code or 0, out, err

    return run


@pytest.fixture
def stylized(nst, network):
    """`nst stylize content.png style.png -o out.png`, quickly, with more words."""

    def run(*words):
        paths = ("content.png", "style.png", "-o", "out.png")
        return nst("stylize", *paths, "--weights", network, *QUICK, *words)

    return run


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


def report_in(folder, name="r.json"):
    return json.loads((folder / name).read_text(encoding="utf-8"), parse_constant=refuse)


def files_in(folder):
    return {path.name for path in folder.iterdir()} - {"content.png", "style.png", "flat.png"}


def refused(outcome, folder, *words):
    """Exit code 2, one sentence with these words, no traceback, no file, no network."""
    code, out, err = outcome
    assert code == 2
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert "Weights: " not in err
    for word in words:
        assert word in err
    assert files_in(folder) == set()


# A good run.


def test_a_run_leaves_a_picture_a_report_and_a_plot(stylized, folder):
    code, out, err = stylized("--steps", "6", "--report", "r.json", "--plot", "p.png")
    assert code == 0
    assert out.splitlines()[-1] == "out.png"
    assert "Weights: ours.safetensors" in err
    assert "all steps are done" in err
    assert load_image(folder / "out.png", max_pixels=10**6).shape == (1, 3, 32, 32)
    assert load_image(folder / "p.png", max_pixels=10**6).shape == (1, 3, 540, 960)
    report = report_in(folder)
    assert report["final_loss"] < report["first_loss"]
    for record in report["records"]:
        assert sum(record["parts"].values()) == pytest.approx(record["loss"], rel=1e-9)
    assert files_in(folder) == {"out.png", "r.json", "p.png"}


def test_the_installed_way_with_built_in_weights_and_samples(folder):
    words = "stylize sample:harbor sample:ink sample:waves -o out.png --weights builtin --quiet"
    command = [sys.executable, "-m", "nst_core", *words.split(), *QUICK]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "out.png\n"
    assert done.stderr.startswith("Weights: builtin")
    assert done.stderr.count("\n") == 1
    assert load_image(folder / "out.png", max_pixels=10**6).shape == (1, 3, 24, 32)


def test_the_picture_says_how_it_was_made(stylized, folder):
    stylized("--init", "style.png")
    made = json.loads(read_metadata(folder / "out.png")["nst"], parse_constant=refuse)
    assert (made["content"], made["styles"], made["start"]) == (
        "content.png",
        ["style.png"],
        "style.png",
    )
    assert made["settings"]["size"] == 32
    assert "ours.safetensors" in made["weights"]


def test_the_same_seed_gives_the_same_bytes(stylized, folder):
    pictures = []
    for seed in (7, 7, 8):
        stylized("--init", "noise", "--seed", seed)
        pictures.append(load_image(folder / "out.png", max_pixels=10**6))
    assert torch.equal(pictures[0], pictures[1])
    assert not torch.equal(pictures[0], pictures[2])


def test_two_styles_differ_from_one(nst, network, folder):
    pictures = []
    for styles in (["style.png"], ["style.png", "flat.png"]):
        nst("stylize", "content.png", *styles, "-o", "out.jpg", "--weights", network, *QUICK)
        with Image.open(folder / "out.jpg") as image:
            assert image.format == "JPEG"
        pictures.append(load_image(folder / "out.jpg", max_pixels=10**6))
    assert not torch.equal(*pictures)


def test_pictures_on_the_way_are_kept(stylized, folder):
    code, _, _ = stylized("--max-evaluations", "5", "--steps", "9", "--save-every", "2")
    assert code == 0
    assert files_in(folder) == {"out.png", "out-0002.png", "out-0004.png"}
    assert "nst" in read_metadata(folder / "out-0002.png")


@pytest.mark.parametrize(
    "words",
    [
        ("content.png", "-o", "./content.png"),
        ("content.png", "-o", "../{folder}/content.png"),
        ("content.png", "-o", "out.png", "--mask", "out.png"),
        ("link.png", "-o", "content.png"),
        ("content.png", "-o", "link.png"),
        ("content.png", "-o", "out.png", "--init", "link.png", "--plot", "content.png"),
        ("content.png", "-o", "out.png", "--plot", "out.png"),
        ("content.png", "-o", "out.png", "--plot", "OUT.png"),
        ("step-0004.png", "-o", "step.png", "--save-every", "2"),
        ("step-0004.png", "-o", "../{folder}/step.png", "--save-every", "2"),
        ("content.png", "-o", "step.png", "--save-every", "4", "--regions", "step-0004.png"),
        ("content.png", "-o", "out.png", "--save-every", "2", "--plot", "out-0006.png"),
        ("link-to-step.png", "-o", "step.png", "--save-every", "1"),
    ],
    ids=" ".join,
)
def test_no_output_is_an_input_or_another_output(nst, folder, words):
    for name, target in (("link", "content"), ("link-to-step", "step-0004")):
        os.symlink(f"{target}.png", folder / f"{name}.png")
    (folder / "step-0004.png").write_bytes((folder / "content.png").read_bytes())
    before = {path: path.read_bytes() for path in folder.iterdir()}
    words = [word.format(folder=folder.name) for word in words]
    code, out, err = nst("stylize", words[0], "style.png", *words[1:])
    assert (code, out) == (2, "")
    assert "would replace" in err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_pictures_on_the_way_may_have_numbers_beside_those_of_the_inputs(nst, network, folder):
    os.rename("content.png", "step-0003.png")
    words = ("step-0003.png", "style.png", "-o", "step.png", "--save-every", "2")
    code, _, err = nst("stylize", *words, "--weights", network, *QUICK)
    assert code == 0, err
    assert (folder / "step-0002.png").exists()


def test_16_bits_are_refused_before_the_start_where_a_format_has_8(nst, folder):
    outcome = nst("stylize", "content.png", "style.png", "-o", "out.jpg", "--bits", "16")
    refused(outcome, folder, "'out.jpg' cannot have 16 bits")


def test_a_cutout_comes_back_as_one(nst, network, folder):
    alpha = torch.zeros(40, 40)
    alpha[:, :20] = 1
    content = load_image(folder / "content.png", max_pixels=10**6)
    save_image(content, folder / "cut.png", alpha=alpha)
    words = ("cut.png", "style.png", "--weights", network, *QUICK, "--size", "40")
    for name, more, mode in (
        ("out.png", ["--save-every", "2"], "RGBA"),
        ("deep.tif", ["--bits", "16"], "RGBA"),
        ("white.png", ["--no-transparency"], "RGB"),
        ("out.jpg", [], "RGB"),
    ):
        code, _, err = nst("stylize", *words, "-o", name, *more)
        assert code == 0, err
        assert err.count("laid over white") == (name == "out.jpg")
        with Image.open(folder / name) as image:
            assert image.mode == mode
            if mode == "RGBA":
                assert torch.equal(torch.from_numpy(np.array(image)[..., 3]), 255 * alpha.byte())
    with Image.open(folder / "out-0002.png") as image:
        assert image.mode == "RGBA"


def test_each_scale_says_why_it_ended(stylized):
    _, _, err = stylized("--size", "64", "--scales", "2")
    assert re.search(r"Scale 1, 32x32 px: \d+ evaluations, then all steps are done\.", err)
    assert re.search(r"Scale 2, 64x64 px: \d+ evaluations, then all steps are done\.", err)


def test_a_log_gets_a_line_for_each_scale_and_few_more(stylized):
    _, _, err = stylized("--size", "64", "--scales", "2", "--steps", "8")
    assert len(re.findall(r"scale 1/2  step 0/\d+  loss [\d.]+", err)) == 1
    assert len(re.findall(r"scale [12]/2", err)) <= 4


def test_a_terminal_gets_a_bar(stylized, monkeypatch):
    monkeypatch.setattr(watch, "stderr", Console(stderr=True, force_terminal=True))
    _, _, err = stylized()
    assert "━━━" in err
    assert re.search(r"loss [\d.]+  [\d.]+ evaluations/s  0:\d\d left", err)


# Flags.

CHANGED = [
    {"content_weight": 2.5, "style_weight": 7.0, "tv_weight": 3.0, "content_layers": "low"},
    {"style_layers": "relu1_1=2,relu2_1", "normalization": "mean", "shape": "square"},
    {"size": 48, "steps": 1, "max_evaluations": 3, "scales": 2, "init": "gray", "seed": 5},
    {"tolerance": 0.5, "bounded": False, "history": 3, "precision": "bfloat16", "device": "cpu"},
    {"tile": 16, "preprocessing": "torchvision", "pooling": "average"},
    {"preconditioner": "none", "max_pixels": 5000},
    {"feather": 0.1, "scale_factor": 1.5, "views": 2, "seamless": True, "aspect": 2.0},
    {"colors": "pca", "color_when": "before", "color_source": "style", "color_strength": 0.5},
    {"statistics": "gaussian", "style_scale": 0.5, "style_shares": "2", "laplacian_weight": 5.0},
    {"bits": 16, "transparency": False},
    {"memory": "8GB"},
    {"cards": 0},  # all that there are
]


@pytest.mark.parametrize("changed", CHANGED, ids=lambda changed: next(iter(changed)))
def test_flags_reach_the_settings(stylized, folder, network, changed):
    words = []
    for name, value in changed.items():
        flag = name.replace("_", "-")
        switch = f"--{flag}" if value is True else f"--no-{flag}"
        words += [switch] if isinstance(value, bool) else [f"--{flag}", value]
    code, _, err = stylized("--report", "r.json", *words)
    assert code == 0, err
    quick = {"size": 32, "steps": 2, "scales": 1, "weights": Path(network).name}
    quick |= {"style_layers": "low", "content_layers": "relu2_1"}
    assert report_in(folder)["settings"] == asdict(Settings()) | quick | changed


def test_every_setting_has_such_a_flag():
    tried = {name for changed in CHANGED for name in changed} | {"weights"}
    assert tried == {item.name for item in fields(Settings)}


def test_a_preset_gives_what_no_flag_says(stylized, folder, network):
    code, _, err = stylized("--preset", "gatys-vgg16", "--report", "r.json")
    assert code == 0, err
    expected = asdict(preset_named("gatys-vgg16").settings)
    own = {"size": 32, "steps": 2, "weights": Path(network).name}
    own |= {"style_layers": "low", "content_layers": "relu2_1"}
    assert report_in(folder)["settings"] == expected | own


def test_help_shows_every_setting_as_settings_describe_it(nst):
    code, out, _ = nst("stylize", "--help")
    assert code == 0
    shown = re.sub(r"[\s│]+", " ", out)
    for item in fields(Settings):
        assert f"--{item.name.replace('_', '-')}" in shown
        assert item.metadata["help"] in shown
        for choice in item.metadata["choices"]:
            assert str(choice) in shown
    assert "(16 to 65,536; default: 512)" in shown


# Regions and other jobs.


@pytest.fixture
def maps(folder):
    """A red left half, a white left half, and a map over the style."""
    for name, color in (("map", (1, 0, 0)), ("mask", (1, 1, 1))):
        image = torch.zeros(1, 3, 40, 40)
        image[..., :20] = torch.tensor(color).view(1, 3, 1, 1)
        save_image(image, folder / f"{name}.png")
    return folder


def changes(folder):
    """Mean change of the left and of the right quarter."""
    before = load_image(folder / "content.png", max_pixels=10**6)
    change = (load_image(folder / "out.png", max_pixels=10**6) - before).abs()
    return float(change[..., :10].mean()), float(change[..., 30:].mean())


def test_a_map_says_what_is_painted_and_the_rest_stays(nst, network, maps):
    for words in (["red=style.png", "--regions", "map.png"], ["style.png", "--mask", "mask.png"]):
        code, _, err = nst(
            "stylize", "content.png", *words, "-o", "out.png", "--weights", network, *QUICK,
            "--size", "40", "--steps", "5",
        )  # fmt: skip
        assert code == 0, err
        left, right = changes(maps)
        assert left > 5 / 255
        assert right == 0


def test_a_style_without_a_color_paints_the_rest(nst, network, maps):
    words = ["red=style.png", "flat.png", "--regions", "map.png", "--style-regions", "map.png"]
    code, _, err = nst(
        "stylize", "content.png", *words, "-o", "out.png", "--weights", network, *QUICK,
        "--size", "40", "--steps", "5",
    )  # fmt: skip
    assert code == 0, err
    assert min(changes(maps)) > 1 / 255


def test_a_style_mask_changes_what_counts(stylized, maps):
    pictures = []
    for words in ([], ["--style-mask", "mask.png"]):
        assert stylized(*words)[0] == 0
        pictures.append(load_image(maps / "out.png", max_pixels=10**6))
    assert not torch.equal(*pictures)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["red=style.png"], ["'red=style.png' names a region", "--regions MAP.png"]),
        (["style.png", "--regions", "style.png"], ["styles with a color", "red=painting.jpg"]),
        (
            ["green=style.png", "--regions", "content.png"],
            ["'content.png' has shades all over", "few flat colors"],
        ),
        (["style.png", "--mask", "style.png", "--regions", "style.png"], ["Give one of them"]),
        (["style.png", "--style-regions", "style.png"], ["needs --regions"]),
        (["style.png", "--style-mask", "no.png"], ["no.png", "does not exist"]),
        (["style.png", "--style-shares", "1,2"], ["1 style pictures but 2 shares"]),
        (
            ["style.png", *["--style-mask", "style.png"] * 2],
            ["There are 1 styles and 2 times --style-mask"],
        ),
    ],
)
def test_regions_that_make_no_sense_are_refused(nst, folder, words, said):
    refused(nst("stylize", "content.png", *words, "-o", "out.png"), folder, *said)


def test_textures_have_any_size_and_need_no_content(nst, network, folder):
    words = ("--size", "64", "--aspect", "2", "--seamless", "--report", "r.json")
    code, _, err = nst(
        "texture", "style.png", "-o", "out.png", "--weights", network, *QUICK, *words
    )
    assert code == 0, err
    assert load_image(folder / "out.png", max_pixels=10**6).shape == (1, 3, 32, 64)
    report = report_in(folder)
    assert report["content"] is None
    assert report["final_loss"] < report["first_loss"]
    assert all("content" not in name for name in report["records"][0]["parts"])


def test_reconstruction_needs_no_style(nst, network, folder):
    words = ("--report", "r.json", "--tv-weight", "0")
    code, _, err = nst(
        "reconstruct", "content.png", "-o", "out.png", "--weights", network, *QUICK, *words
    )
    assert code == 0, err
    assert set(report_in(folder)["records"][0]["parts"]) == {"content relu2_1"}


# The small commands.


def test_version(nst):
    code, out, _ = nst("--version")
    assert (code, out.split()[0]) == (0, "nst-gram")


def test_presets_are_listed_with_what_they_change(nst):
    code, out, _ = nst("presets")
    assert code == 0
    for words in ("gatys-vgg16", "neural-style", "--init noise", "--shape square"):
        assert words in out


def test_samples_are_written_and_listed(nst, folder):
    code, out, _ = nst("samples", "-o", "new/folder", "--size", "32")
    assert code == 0
    names = {*CONTENTS, *STYLES}
    assert {path.stem for path in (folder / "new" / "folder").iterdir()} == names
    assert all(f"{name}: " in out for name in names)
    assert out.splitlines()[-1] == os.path.join("new", "folder")


def test_samples_without_a_folder_are_only_listed(nst, folder):
    code, out, _ = nst("samples")
    assert code == 0
    assert "harbor: " in out
    assert files_in(folder) == set()


def test_weights_are_listed(nst):
    code, out, _ = nst("weights", "list")
    assert code == 0
    assert "keras: 59 MB to download: nst weights get keras" in out
    assert "builtin: always there" in out
    assert "License: " in out


def test_a_weights_file_is_checked(nst, network):
    code, out, _ = nst("weights", "check", network)
    assert code == 0
    assert "13 of 13" in out
    assert "caffe (known by: metadata)" in out


def test_a_weights_file_that_is_not_whole_is_refused(nst, folder):
    save_file({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, folder / "part.safetensors")
    code, out, err = nst("weights", "check", "part.safetensors", "--preprocessing", "caffe")
    assert code == 2
    assert "0 of 13" in out
    assert "not a whole VGG-16" in err


def test_unknown_weights_cannot_be_got(nst):
    code, _, err = nst("weights", "get", "vgg99")
    assert code == 2
    assert err.splitlines()[-1].startswith("Error: There are no weights 'vgg99'")


# Bad input.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--style-layers", "relu4_9"], ["'relu4_9'", "Did you mean relu4_"]),
        (["--content-layers", "relu4_2=-1"], ["-1", "0 or more"]),
        (["--content-weight", "-1"], ["content weight is -1"]),
        (["--style-weight", "nan"], ["style weight is nan"]),
        (["--tv-weight", "inf"], ["tv weight is inf"]),
        (["--size", "4"], ["size is 4", "16"]),
        (["--pooling", "median"], ["'median'", "max, average"]),
        (["--preset", "gatys"], ["Preset 'gatys'", "gatys-vgg16"]),
        (["--init", "graay"], ["'graay'", "gray"]),
        (["--max-pixels", "100"], ["'content.png' is 40x40", "the limit is 100"]),
        (["--init", "sample:nothing"], ["'nothing'", "Known samples"]),
        (["--device", "abacus"], ["Device 'abacus'", "cpu"]),
        (["-o", "missing/out.png"], ["'missing/out.png'", "does not exist"]),
        (["-o", "."], ["is a folder"]),
        (["-o", "out.docx"], ["'out.docx'", ".png"]),
        (["-o", "style.png"], ["'style.png'", "replace"]),
        (["--report", "missing/r.json"], ["'missing/r.json'", "does not exist"]),
        (["--report", "r.txt"], ["'r.txt'", ".json"]),
        (["--plot", "missing/p.png"], ["'missing/p.png'", "does not exist"]),
        (["--plot", "out.png"], ["'out.png'", "replace"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_what_cannot_be_done_is_said_before_the_work(stylized, folder, words, said):
    refused(stylized(*words), folder, *said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["content.png", "missing.png"], ["'missing.png' does not exist"]),
        (["content.png", "text.png"], ["'text.png' is not a picture"]),
        (["empty.png", "style.png"], ["'empty.png' is empty"]),
        (["cut.png", "style.png"], ["'cut.png' is a damaged"]),
        (["content.png", "sample:harbuor"], ["'harbuor'", "Did you mean harbor?"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_bad_picture_is_said_before_the_work(nst, network, folder, words, said):
    bad = folder / "bad"
    bad.mkdir()
    (bad / "text.png").write_text("just some text, and no picture at all")
    (bad / "empty.png").touch()
    (bad / "cut.png").write_bytes((folder / "content.png").read_bytes()[:300])
    code, out, err = nst(
        "stylize",
        *(f"bad/{word}" if (bad / word).exists() else word for word in words),
        *("-o", "out.png", "--weights", network, *QUICK),
    )
    assert files_in(folder) == {"bad"}
    err = err.replace("bad/", "")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert all(word in err for word in said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--content-weight", "0", "--style-weight", "0"], "No loss has a weight above 0"),
        (["--size", "20", "--scales", "1", "--style-layers", "all"], "A style picture of 48x36 px"),
        (["--weights", "vgg99"], "Weights 'vgg99' are neither a file nor one of"),
        (["--weights", "content.png"], "content.png is a picture"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_only_the_engine_sees_is_a_sentence_too(stylized, folder, words, said):
    code, out, err = stylized(*words)
    assert (code, out) == (2, "")
    assert f"Error: {said}" in err.replace(f"{folder}{os.sep}", "")
    assert files_in(folder) == set()


def test_a_style_too_small_for_a_layer_is_a_sentence(nst, network, folder):
    words = ("content.png", "flat.png", "-o", "out.png", "--weights", network, *QUICK)
    code, _, err = nst("stylize", *words, "--style-layers", "all")
    assert code == 2
    assert "relu" in err.splitlines()[-1]
    assert files_in(folder) == set()


@pytest.mark.parametrize("words", [["--steps", "many"], ["--unknown-flag"], []])
def test_a_mistyped_command_is_a_usage_error(nst, words):
    code, _, err = nst("stylize", *words)
    assert code == 2
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--help", 0),
        ("--version", 0),
        ("stylize --help", 0),
        ("plan --help", 0),
        ("page --help", 0),
        ("weights check --help", 0),
        ("presets", 0),
        ("samples", 0),
        ("stylize", 2),
        ("stylize --unknown-flag", 2),
        ("stylize content.png style.png -o out.png --steps many", 2),
        ("stylize content.png style.png -o out.png --size 4", 2),
        ("stylize content.png style.png -o out.png --preset gatys", 2),
        ("stylize content.png style.png -o out.png --init graay", 2),
        ("stylize content.png style.png -o out.png --style-layers relu4_9", 2),
        ("stylize content.png style.png -o out.png --style-shares 1,2", 2),
        ("stylize content.png red=style.png -o out.png", 2),
        ("stylize content.png style.png -o missing/out.png", 2),
        ("stylize content.png missing.png -o out.png", 2),
        ("stylize content.png sample:harbuor -o out.png", 2),
        ("plan content.png missing.png", 2),
    ],
)
def test_what_needs_no_picture_is_said_without_importing_torch(folder, words, code):
    program = (
        "import atexit, sys; from nst_core.cli import main; "
        "atexit.register(lambda: print('torch' in sys.modules)); main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert done.stdout.splitlines()[-1] == "False"
    assert files_in(folder) == set()


def test_full_memory_is_a_sentence(capsys):
    with pytest.raises(console.typer.Exit) as exit_, console.polite():
        torch.empty(2**60)
    assert exit_.value.exit_code == 2
    assert "--memory" in capsys.readouterr().err


def test_an_error_of_ours_keeps_its_traceback():
    with pytest.raises(RuntimeError, match="ours"), console.polite():
        raise RuntimeError("ours")


def test_without_typer_there_is_a_line_how_to_get_it(nst, monkeypatch):
    monkeypatch.setitem(sys.modules, "typer", None)
    code, _, err = nst("--version")
    assert code == 2
    assert "pip install 'nst-gram[cli]'" in err


def test_what_the_engine_logs_is_a_plain_line(capsys):
    with console.warnings_of_engine():
        console.logging.getLogger("nst_core.somewhere").warning("look at %s", "this")
    assert capsys.readouterr().err == "Warning: look at this\n"


# Ctrl-C.


@pytest.fixture
def started(folder):
    """Starts `nst` in a process of its own, where Ctrl-C works even if ours ignores it."""
    processes = []

    def start(*words):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "nst_core", *words],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_keeps_the_best_picture_so_far(started, network, folder):
    words = "stylize content.png style.png -o out.png --report r.json --plot p.png --size 32"
    endless = ("--steps", "100000", "--tolerance", "0", "--init", "noise")
    process = started(*words.split(), *endless, "--weights", network)
    line = next((line for line in process.stderr if "loss" in line), "ended before it began")
    assert "scale 1/1" in line
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "best picture so far" in err
    assert out == "out.png\n"
    assert load_image(folder / "out.png", max_pixels=10**6).shape == (1, 3, 32, 32)
    report = report_in(folder)
    assert report["interrupted"] is True
    assert report["scales"][-1]["stop"] == "Ctrl-C"
    assert report["evaluations"] == len(report["records"]) >= 1
    assert files_in(folder) == {"out.png", "r.json", "p.png"}


def opened_by_reader(path):
    """The writing end of a named pipe once somebody reads it; None before."""
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a named pipe")
def test_ctrl_c_before_the_first_evaluation_writes_nothing(started, folder):
    os.mkfifo(folder / "pipe")
    process = started("stylize", "pipe", "style.png", "-o", "out.png", "--weights", "builtin")
    while (pipe := opened_by_reader(folder / "pipe")) is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            pytest.fail(process.stderr.read())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    os.close(pipe)
    assert process.returncode == 130, err
    assert err == "Stopped before the first evaluation: nothing was written.\n"
    assert out == ""
    assert files_in(folder) == {"pipe"}
