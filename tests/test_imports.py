"""Architecture as a test: who may import whom, and how long a file may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nst_core

PACKAGE = Path(nst_core.__file__).parent
ENGINE = {"torch", "numpy", "PIL", "safetensors", "nst_core"}
# Optional, and imported only where they are needed: Keras weights, films as MP4, HEIC, rare TIFF,
# free memory of Windows and macOS, optical flow (OpenCV's DIS, torchvision's RAFT).
ENGINE |= {"h5py", "av", "pillow_heif", "tifffile", "psutil", "cv2", "torchvision"}
# Each package imports from those of lower levels and from itself (ARCHITECTURE.md).
LEVELS = {
    "errors": 0,
    "optional": 1,
    "settings": 1,
    "processes": 2,
    "gatys": 2,
    "kernels": 3,
    "control": 3,
    "files": 3,
    "run": 4,
    "video": 5,
    "page": 6,
    "cli": 7,  # `nst page` starts the page
}
FILES = [path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem in LEVELS]


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
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "imported":
            names.add(ast.literal_eval(node.args[0]))
    return names


def printed_by(code: str) -> str:
    """What a fresh Python prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_engine_needs_nothing_but_its_few_packages():
    for path in PACKAGE.rglob("*.py"):
        if path.name == "__main__.py" or any(
            path.is_relative_to(PACKAGE / interface) for interface in ("cli", "page")
        ):
            continue
        roots = {name.split(".")[0] for name in imports_of(path)}
        assert roots - set(sys.stdlib_module_names) <= ENGINE, path


def test_importing_the_engine_loads_no_host_page_or_command_line():
    code = (
        "import sys; from nst_core import *; "
        "print(*{n.split('.')[0] for n in sys.modules}); "
        "print(*[n for n in sys.modules if 'nst_core' in n])"
    )
    loaded = printed_by(code).split()
    unwanted = {"comfy", "comfy_api", "gradio", "typer", "rich", "click", "torchvision", "h5py"}
    unwanted |= {"av", "pillow_heif", "tifffile", "imagecodecs", "psutil", "cv2"}
    assert not unwanted & set(loaded)
    assert not [name for name in loaded if name.startswith(("nst_core.cli", "nst_core.page"))]


def test_torch_is_imported_with_the_first_name_that_needs_it():
    code = (
        "import sys, nst_core; print('torch' in sys.modules); "
        "import nst_core.settings.samples; "
        "from nst_core import NSTError, Settings, preset_named; print('torch' in sys.modules); "
        "from nst_core import VGG16, stylize; print('torch' in sys.modules)"
    )
    assert printed_by(code).split() == ["False", "False", "True"]


def test_every_public_name_is_listed_before_it_is_imported():
    code = "import nst_core; print(*set(nst_core.__all__) - set(dir(nst_core)))"
    assert printed_by(code).split() == []


def test_a_public_name_is_never_the_file_it_is_from():
    code = (
        "import types, nst_core.run.plan, nst_core.run.stylize, nst_core.files.samples; "
        "values = {name: getattr(nst_core, name) for name in nst_core.__all__}; "
        "print(*[n for n, value in values.items() if isinstance(value, types.ModuleType)])"
    )
    assert printed_by(code).split() == []


def test_a_name_that_is_not_there_is_an_attribute_error():
    assert not hasattr(nst_core, "stylise")


def test_type_checkers_find_public_names_where_python_does():
    lazy = {f"nst_core.{home}.{name}" for name, home in nst_core._HOMES.items()}
    assert lazy <= imports_of(PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_down(path):
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for name in imports_of(path):
        package = name.removeprefix("nst_core.").split(".")[0]
        if name.startswith("nst_core.") and package not in (own, "__version__"):
            assert LEVELS[package] < LEVELS[own], f"{path.name} imports {name}"


def test_every_package_has_a_level():
    # Of a package that was moved, folders without a source file may be left.
    sources = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")}
    found = {Path(path.parts[0]).stem for path in sources}
    found = {name for name in found if not name.startswith("__")}
    assert found == set(LEVELS)


def test_the_method_can_be_read_in_one_sitting():
    lines = {path.stem: len(path.read_text().splitlines()) for path in PACKAGE.glob("gatys/*.py")}
    assert sum(lines.values()) <= 900
    assert max(lines.values()) <= 220


def test_no_file_holds_two_ideas():
    long = {str(path): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert not {path: lines for path, lines in long.items() if lines > 220}
