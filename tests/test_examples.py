import re
import subprocess
import sys
from pathlib import Path

import torch
from small import objective_of, picture

from nst_core import PRESETS, load_image, load_vgg16, losses_of, save_image

ROOT = Path(__file__).parent.parent


def test_the_paper_by_hand_runs_and_its_loss_is_the_seed_presets(tmp_path):
    for name, seed in (("content", 1), ("style", 2)):
        save_image(picture(48, 48, seed=seed), tmp_path / f"{name}.png")
    out = tmp_path / "out.png"
    script = ROOT / "examples" / "gatys_by_hand.py"
    done = subprocess.run(
        [sys.executable, script, "content.png", "style.png", out, "48", "10"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "NST_MIRROR": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert load_image(out, max_pixels=10**6).shape == (1, 3, 48, 48)
    first, last = map(float, re.search(r"loss (\S+) -> (\S+) in", done.stdout).groups())
    assert last < first
    content, style = (
        load_image(tmp_path / f"{n}.png", max_pixels=10**6) for n in ("content", "style")
    )
    settings = PRESETS["gatys-vgg16"].settings
    objective = objective_of(
        losses_of(content, [style], settings), vgg=load_vgg16("builtin"), height=48, width=48
    )
    gray = torch.full((1, 3, 48, 48), 0.5)
    assert abs(objective.evaluate(gray).loss * objective.unit - first) < 1e-3 * first


def test_the_readmes_snippet_runs(tmp_path):
    snippet, _page = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", snippet], cwd=tmp_path, env=environment, check=True)
    assert load_image(tmp_path / "harbor-waves.png", max_pixels=10**6).shape == (1, 3, 96, 128)


def test_the_readme_shows_every_picture_of_its_own_and_no_other():
    shown = re.findall(r"docs/images/([\w-]+\.jpg)", (ROOT / "README.md").read_text())
    assert sorted(shown) == sorted(path.name for path in (ROOT / "docs/images").iterdir())
