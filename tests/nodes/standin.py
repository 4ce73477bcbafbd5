"""The least of a ComfyUI host that the nodes need, so that they can be tested without one.

`tests/host` holds it to the real thing: the node descriptions made with these classes must be those
that a real host gives.
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor

ROOT = Path(__file__).parents[2]
# A name as the host makes it from a folder: no identifier, and not that of any package.
PACK = "/comfy/custom_nodes/nst-gram_x_main"


PROMPTS = count(1)


class InterruptProcessingException(Exception):
    """What Cancel raises."""


@dataclass
class Host:
    """What the nodes asked of the host, and what it answers them."""

    models: Path
    cancel_after: int | None = None  # checks until Cancel is pressed
    checks: int = 0
    updates: list[tuple[int, int, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    readers: set[str] = field(default_factory=set)  # of the notes
    unread: int = 0  # messages that no page has taken yet
    freed: list[int] = field(default_factory=list)
    free: int = 1 << 34
    emptied: int = 0
    prompt: int = 0  # which one is running
    dtype: torch.dtype = torch.float32

    def check(self) -> None:
        """Raise if Cancel was pressed."""
        self.checks += 1
        if self.cancel_after is not None and self.checks > self.cancel_after:
            raise InterruptProcessingException

    def note(self, text: str, _node_id: str, reader: str) -> None:
        """A text for the page of that reader."""
        self.notes.append(text)
        self.readers.add(reader)

    def files(self, folder: str) -> list[str]:
        """Names of the files in a models folder, with one of its extensions."""
        paths, extensions = self.folders[folder]
        found = (path for root in paths for path in sorted(Path(root).glob("*")))
        return [path.name for path in found if path.suffix in extensions]

    def path(self, folder: str, name: str) -> str | None:
        """Full path of a file in a models folder."""
        paths = (Path(root) / name for root in self.folders[folder][0])
        return next((str(path) for path in paths if path.is_file()), None)

    def __post_init__(self) -> None:
        self.folders: dict[str, tuple[list[str], set[str]]] = {}
        self.output = self.models

    def modules(self) -> dict[str, ModuleType]:
        """The host's modules by name."""
        progress_bar = type("ProgressBar", (_ProgressBar,), {"host": self})
        server = SimpleNamespace(
            send_progress_text=self.note,
            client_id="page",
            messages=SimpleNamespace(qsize=lambda: self.unread),
        )
        return _as_packages(
            {
                "comfy.utils": _module("comfy.utils", ProgressBar=progress_bar),
                "comfy.model_management": _module(
                    "comfy.model_management",
                    get_torch_device=lambda: torch.device("cpu"),
                    intermediate_device=lambda: torch.device("cpu"),
                    intermediate_dtype=lambda: self.dtype,
                    free_memory=lambda needed, device: self.freed.append(needed),
                    get_free_memory=lambda device: self.free,
                    soft_empty_cache=lambda: setattr(self, "emptied", self.emptied + 1),
                    throw_exception_if_processing_interrupted=self.check,
                ),
                "comfy_api.latest": _module("comfy_api.latest", io=_io(), ComfyExtension=object),
                "comfy_execution.utils": _module(
                    "comfy_execution.utils",
                    get_executing_context=lambda: SimpleNamespace(
                        prompt_id=str(self.prompt), node_id="1"
                    ),
                ),
                "folder_paths": _module(
                    "folder_paths",
                    models_dir=str(self.models),
                    folder_names_and_paths=self.folders,
                    add_model_folder_path=lambda name, path: self.folders.setdefault(
                        name, ([path], set())
                    ),
                    get_folder_paths=lambda name: self.folders[name][0],
                    get_filename_list=self.files,
                    get_full_path=self.path,
                    get_input_directory=lambda: str(self.models / "input"),
                    get_output_directory=lambda: str(self.output),
                    get_system_user_directory=lambda name: str(self.output / "user" / f"__{name}"),
                    get_save_image_path=lambda prefix, folder: (folder, prefix, 1, "", prefix),
                ),
                "server": _module("server", PromptServer=SimpleNamespace(instance=server)),
            }
        )


class _ProgressBar:
    host: Host

    def __init__(self, total: int) -> None:
        self.total = total

    def update_absolute(self, value: int, total: int, preview: Any = None) -> None:
        self.host.updates.append((value, total, preview))


class _Part:
    """An input or an output: its type, its id, and everything else that was said of it."""

    io_type = ""

    def __init__(self, id: str, *, optional: bool = False, **facts: Any) -> None:
        if "advanced" in facts:
            raise TypeError(f"{id}: hosts of 0.8 do not know the keyword 'advanced'")
        self.id, self.optional = id, optional
        self.extra = facts.pop("extra_dict", None) or {}
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def as_dict(self) -> dict[str, Any]:
        renamed = {"display" if k == "display_mode" else k: v for k, v in self.facts.items()}
        if self.io_type == "COMBO":
            renamed["multiselect"] = False
        if self.io_type == "STRING":
            renamed["multiline"] = False
        plain = {k: v.value if isinstance(v, Enum) else v for k, v in renamed.items()}
        return {k: v for k, v in {**plain, **self.extra}.items() if v is not None}


def _type(io_type: str) -> SimpleNamespace:
    part = type(io_type, (_Part,), {"io_type": io_type})
    return SimpleNamespace(Input=part, Output=part)


@dataclass
class _OldSchema:
    """As of 0.8."""

    node_id: str
    display_name: str
    category: str
    description: str
    inputs: list[_Part]
    outputs: list[_Part]


@dataclass
class _Schema(_OldSchema):
    search_aliases: list[str] = field(default_factory=list)


class _NodeOutput:
    def __init__(self, *args: Any) -> None:
        self.args = args


def _io() -> SimpleNamespace:
    kinds = ("Combo", "Int", "Float", "String", "Boolean", "Image", "Mask")
    return SimpleNamespace(
        **{kind: _type(kind.upper()) for kind in kinds},
        Custom=_type,
        Input=_Part,
        Output=_Part,
        Schema=_Schema,
        OldSchema=_OldSchema,
        ComfyNode=object,
        NodeOutput=_NodeOutput,
        NumberDisplay=Enum("NumberDisplay", {"slider": "slider", "number": "number"}),
    )


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module


def _as_packages(modules: dict[str, ModuleType]) -> dict[str, ModuleType]:
    """The modules, and the packages that their dotted names say they are in."""
    packages: dict[str, ModuleType] = {}
    for name, module in modules.items():
        package, _, own = name.rpartition(".")
        if package:
            setattr(packages.setdefault(package, ModuleType(package)), own, module)
    return {**packages, **modules}


@contextmanager
def loaded_pack(host: Host) -> Iterator[ModuleType]:
    """The pack, imported as the host does: by file, under a name of the host's making."""
    before, modules = dict(sys.modules), host.modules()
    sys.modules.update(modules)
    spec = importlib.util.spec_from_file_location(PACK, ROOT / "__init__.py")
    assert spec
    assert spec.loader
    pack = importlib.util.module_from_spec(spec)
    sys.modules[PACK] = pack
    try:
        spec.loader.exec_module(pack)
        yield pack
    finally:
        for name in [name for name in sys.modules if name.startswith(PACK)]:
            del sys.modules[name]
        for name in modules:
            del sys.modules[name]
            if name in before:
                sys.modules[name] = before[name]


def description_of(node: Any) -> dict[str, Any]:
    """A node as the host's `/object_info` describes it, without what is the host's business."""
    schema = node.define_schema()
    inputs: dict[str, dict[str, Any]] = {}
    for part in schema.inputs:
        kind = "optional" if part.optional else "required"
        inputs.setdefault(kind, {})[part.id] = [part.io_type, part.as_dict()]
    return {
        "display_name": schema.display_name,
        "category": schema.category,
        "description": schema.description,
        "input": inputs,
        "output": [part.io_type for part in schema.outputs],
        "output_name": [part.facts.get("display_name", part.id) for part in schema.outputs],
        "output_tooltips": [part.facts.get("tooltip") for part in schema.outputs],
    }


def image(height: int = 32, width: int = 40, batch: int = 1, seed: int = 0) -> Tensor:
    """An IMAGE: (batch, height, width, 3) in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(batch, 3, 5, 5, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return smooth.movedim(1, -1).contiguous()
