"""What the nodes look like: to saved workflows, to people, and to older hosts."""

import ast
import json
from dataclasses import fields
from pathlib import Path

import pytest
import standin
from standin import ROOT, Host, description_of, loaded_pack

SNAPSHOT = Path(__file__).parent / "schemas.json"
SOURCES = sorted((ROOT / "nodes").glob("*.py"))
HOST_ROOTS = {"comfy", "comfy_api", "comfy_execution", "folder_paths", "server", "nodes"}


def wiring_of(node):
    """What saved workflows depend on: names, types and order of inputs and outputs."""
    described = description_of(node)
    return {
        "class": node.__name__,
        "inputs": {
            kind: {name: part[0] for name, part in parts.items()}
            for kind, parts in described["input"].items()
        },
        "outputs": dict(zip(described["output_name"], described["output"], strict=True)),
    }


def test_nothing_that_saved_workflows_depend_on_has_changed(modules, host):
    """An id is for ever. Inputs are only added, as optional ones at the end."""
    assert {k: wiring_of(n) for k, n in modules.nodes.items()} == json.loads(SNAPSHOT.read_text())


def test_the_order_of_inputs_has_not_changed_either(modules, host):
    frozen = json.loads(SNAPSHOT.read_text())
    for node_id, node in modules.nodes.items():
        for kind, parts in description_of(node)["input"].items():
            assert list(parts) == list(frozen[node_id]["inputs"][kind]), node_id


class OldHost(Host):
    """A host from before the nodes' interface."""

    def modules(self):
        return {**super().modules(), "comfy_api.latest": None}  # Python then finds none


def test_a_host_that_is_too_old_is_told_which_one_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(standin, "PACK", "/comfy/custom_nodes/nst-gram_x_old")  # not imported yet
    said = r"needs ComfyUI 0\.8\.0 or newer\. Update ComfyUI\. \(.*comfy_api"
    with pytest.raises(ImportError, match=said) as caught, loaded_pack(OldHost(tmp_path)):
        pass
    assert caught.value.__suppress_context__, "a traceback of one error"


def test_every_input_and_output_has_a_tooltip(modules, host):
    for node_id, node in modules.nodes.items():
        schema = node.define_schema()
        for part in (*schema.inputs, *schema.outputs):
            assert part.facts["tooltip"].endswith((".", "…")), f"{node_id}.{part.id}"


def test_every_node_has_a_description_and_search_words(modules, host):
    for node in modules.nodes.values():
        schema = node.define_schema()
        assert schema.description
        assert schema.search_aliases
        assert schema.node_id == f"NST_{node.__name__}"


def test_a_host_without_search_words_gets_all_nodes_too(modules, host, monkeypatch):
    monkeypatch.setattr(modules.host.io, "Schema", modules.host.io.OldSchema)
    for node in modules.nodes.values():
        assert node.define_schema().display_name


def test_inputs_have_the_limits_and_the_help_of_the_settings(modules, host, engine):
    from_settings = {item.name: item for item in fields(engine.Settings)}
    checked = set()
    for node_id in ("NST_LBFGSOptimize", "NST_ContentLoss", "NST_StyleLoss", "NST_LoadVGG16"):
        for part in modules.nodes[node_id].define_schema().inputs:
            if part.id not in from_settings:
                continue
            item = from_settings[part.id]
            assert part.facts["tooltip"] == item.metadata["help"]
            assert part.facts["default"] == item.default
            assert part.facts.get("min") == item.metadata["minimum"]
            assert part.facts.get("max") == item.metadata["maximum"]
            checked.add(part.id)
    # The host chooses the device and its memory, and reads and writes the files; the others have
    # nodes of their own, which begin with a weight.
    others = {"device", "memory", "max_pixels", "transparency", "bits"}
    others |= {"tv_weight", "laplacian_weight"}
    assert set(from_settings) - checked == others


def test_the_strength_of_the_one_box_is_that_of_the_settings(modules, host, engine):
    parts = {p.id: p for p in modules.nodes["NST_NeuralStyleTransfer"].define_schema().inputs}
    (item,) = (
        item for item in fields(engine.settings.StrengthSettings) if item.name == "style_strength"
    )
    shown = parts["style_strength"].facts
    assert (shown["min"], shown["max"]) == (item.metadata["minimum"], item.metadata["maximum"])
    assert (shown["default"], shown["tooltip"]) == (item.default, item.metadata["help"])


def test_the_nodes_repeat_no_help_text(engine):
    source = " ".join(path.read_text() for path in SOURCES)
    source = "".join(source.replace('"\n', "").split())
    for item in (*fields(engine.Settings), *fields(engine.settings.StrengthSettings)):
        assert "".join(item.metadata["help"].split()) not in source, item.name


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0], node.level


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_only_one_file_imports_the_host(path):
    absolute = {name for name, level in imports_of(path) if level == 0}
    assert "nst_core" not in absolute, "the pack's folder is not on the import path of a host"
    if path.name != "_host.py":
        assert not absolute & HOST_ROOTS


def test_the_root_only_hands_the_nodes_over(pack):
    assert pack.WEB_DIRECTORY == "./web"
    assert len([line for line in (ROOT / "__init__.py").read_text().splitlines() if line]) <= 5
    assert not hasattr(pack, "NODE_CLASS_MAPPINGS"), "the host would then never ask for the rest"


def test_nothing_can_replace_the_torch_of_a_host():
    requirements = ROOT / "requirements.txt"
    assert not requirements.exists() or not requirements.read_text().strip()
