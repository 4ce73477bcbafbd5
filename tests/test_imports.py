"""Architecture as a test: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import nst_core

PACKAGE = Path(nst_core.__file__).parent
ENGINE = {"torch", "numpy", "PIL", "safetensors", "h5py", "nst_core"}
# The rooms in order: each imports only from rooms above it (ARCHITECTURE.md).
ROOMS = """errors preprocessing memory recording convolution cudnn minimal winograd vgg tiling
guidance losses statistics color layers settings terms regions recipes places preconditioner
curvature optimizer pyramid progress pixels image_io samples weights runtime maxima passage
walk targets objective views staging finishing stylize plan drawing plot report page cli""".split()


def imports_of(path: Path) -> set[str]:
    """Absolute names a file imports, its own package's as nst_core.x."""
    names = set()
    parts = ("nst_core", *path.relative_to(PACKAGE).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = parts[: len(parts) - node.level]
            module = [*base, *(node.module.split(".") if node.module else [])]
            names |= {".".join([*module, alias.name]) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return names


def test_the_engine_needs_nothing_but_its_few_packages():
    for path in PACKAGE.rglob("*.py"):
        if path.name == "__main__.py" or any(
            path.is_relative_to(PACKAGE / door) for door in ("cli", "page")
        ):
            continue
        roots = {name.split(".")[0] for name in imports_of(path)}
        assert roots - set(sys.stdlib_module_names) <= ENGINE, path


def test_importing_the_engine_loads_no_host_page_or_command_line():
    code = (
        "import sys, nst_core; "
        "print(*{n.split('.')[0] for n in sys.modules}); "
        "print(*[n for n in sys.modules if 'nst_core' in n])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    unwanted = {"comfy", "comfy_api", "gradio", "typer", "rich", "click", "torchvision", "h5py"}
    assert not unwanted & set(loaded)
    assert not [name for name in loaded if name.startswith(("nst_core.cli", "nst_core.page"))]


def test_every_room_imports_only_rooms_above_it():
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if room in ("__init__", "__main__"):
            continue
        for name in imports_of(path):
            parts = name.split(".")
            if parts[0] == "nst_core" and len(parts) > 1 and parts[1] in ROOMS and parts[1] != room:
                assert ROOMS.index(parts[1]) < ROOMS.index(room), f"{path.name} imports {parts[1]}"


def test_no_room_is_missing_from_the_plan():
    found = {p.stem for p in PACKAGE.iterdir() if not p.name.startswith("__")}
    assert found == set(ROOMS)
