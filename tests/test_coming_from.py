"""docs/coming-from.md: the flags that it names exist, and its conversions hold."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small import picture

from nst_core import save_image
from nst_core.cli import main
from nst_core.control.image_losses import total_variation
from nst_core.gatys.functions import NORMALIZATIONS, style_loss

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def flags_of_ours(text):
    """Flags in the second column of tables, in commands, and in prose outside of tables."""
    rows = [line.split("|") for line in text.splitlines() if line.startswith("|")]
    prose = [line for line in text.splitlines() if not line.startswith("|")]
    return {flag for cells in rows for flag in FLAG.findall("|".join(cells[2:]))} | {
        flag for line in prose for flag in FLAG.findall(line)
    }


@pytest.fixture(scope="module")
def known():
    command = [sys.executable, "-m", "nst_core", "stylize", "--help"]
    shown = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
    return set(FLAG.findall(shown))


def test_every_flag_that_is_called_ours_exists(known):
    named = flags_of_ours(PAGE)
    assert len(named) > 25
    # One of theirs stands in a sentence.
    assert named - known == {"--model"}


def test_every_flag_in_a_command_of_the_readme_exists(known):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line for line in readme.splitlines() if line.startswith("nst stylize ")]
    assert len(commands) > 5
    assert {flag for line in commands for flag in FLAG.findall(line)} <= known


COMMANDS = [line for line in PAGE.splitlines() if line.startswith("nst stylize ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_page_make_a_picture(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("content.jpg", "style.jpg")):
        save_image(picture(40, 40, seed=seed), name)
    # The last of two flags wins.
    quick = "--weights untrained --size 32 --steps 1 --max-evaluations 1 --quiet"
    with pytest.raises(SystemExit) as exit_:
        main([*command.split()[1:], *quick.split()])
    assert not exit_.value.code
    assert (tmp_path / "out.png").is_file()


def test_the_smoothness_of_neural_style_in_our_units():
    """Its gradient, of values to 255, is that of our loss with the weight that the page says."""
    image = picture(12, 10).double().requires_grad_()
    weight = 1e-3
    ours = 97_538 * 10 * 12 * weight * total_variation(image)
    (gradient,) = torch.autograd.grad(ours, image)
    values = 255 * image.detach()
    down, right = values.diff(dim=-2), values.diff(dim=-1)
    theirs = torch.zeros_like(values)
    theirs[..., 1:, :] += down
    theirs[..., :-1, :] -= down
    theirs[..., 1:] += right
    theirs[..., :-1] -= right
    # A value to 255 is 255 times one to 1.
    assert torch.allclose(gradient, 255 * weight * theirs, rtol=1e-4)


def test_the_style_loss_that_adds_up_in_our_units():
    """gordicaleksa's: Gram / (C H W), squared differences added up."""
    channels, positions = 64, 30
    generator = torch.Generator().manual_seed(0)
    first, second = torch.rand(2, channels, positions, generator=generator, dtype=torch.float64)
    theirs = (first @ first.T - second @ second.T).div(channels * positions).square().sum()
    averaged = (one @ one.T / positions for one in (first, second))
    ours = style_loss(*averaged, NORMALIZATIONS["mean"])
    assert torch.allclose(theirs, 4096 * ours)
