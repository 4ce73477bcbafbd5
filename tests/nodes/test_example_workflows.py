"""What ships beside the nodes: example workflows, help pages, pictures."""

import json
import sys

import pytest
from PIL import Image
from standin import ROOT

sys.path.append(str(ROOT / "scripts"))
from example_graphs import EXAMPLES

WORKFLOWS = sorted((ROOT / "example_workflows").glob("*.json"))
# Of the host itself, and there since long before the oldest one we run on.
CORE = {"PreviewImage", "SaveImage", "LoadImage", "MarkdownNote", "ImageStitch"}
CORE |= {"SaveAnimatedWEBP"}
CORE |= {"SolidMask", "MaskComposite", "InvertMask", "MaskToImage"}
# Wires have no widget.
WIRES = {"IMAGE", "MASK", "NST_VGG16", "NST_LOSSES", "NST_REPORT", "NST_FLOW"}


def graph_of(path):
    return json.loads(path.read_text())


def opened(path):
    """(format, size) of a picture file."""
    with Image.open(path) as picture:
        return picture.format, picture.size


def test_the_examples_are_those_that_the_script_makes():
    assert {path.stem for path in WORKFLOWS} == set(EXAMPLES)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_an_example_was_exported_since_its_graph_was_changed(path):
    def told(kind, widgets):
        # JavaScript has one kind of number.
        return kind, [value if isinstance(value, str) else float(value) for value in widgets]

    nodes = EXAMPLES[path.stem].graph.values()
    exported = [
        told(node["type"], node.get("widgets_values", [])) for node in graph_of(path)["nodes"]
    ]
    for node in nodes:
        kind, values = told(node.kind, node.widgets.values())
        fitting = [e for e in exported if e[0] == kind and set(values) <= set(e[1])]
        assert fitting, f"{kind} with {dict(node.widgets)} is not in the file: make it again"
        exported.remove(fitting[0])
    assert not exported


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_an_example_has_only_nodes_of_the_host_and_of_this_pack(path, modules):
    graph = graph_of(path)
    assert graph["version"] == 0.4
    assert {node["type"] for node in graph["nodes"]} <= CORE | set(modules.nodes)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_an_example_gives_every_widget_a_value_that_it_takes(path, modules, host):
    for node in graph_of(path)["nodes"]:
        if node["type"] not in modules.nodes:
            continue
        parts = modules.nodes[node["type"]].define_schema().inputs
        widgets = [part for part in parts if part.io_type not in WIRES]
        # The page lists the required ones first.
        widgets.sort(key=lambda part: part.optional)
        values = node.get("widgets_values", [])
        # Optional ones that were added since are not in the file: the page gives them defaults.
        assert all(part.optional for part in widgets[len(values) :]), node["type"]
        assert len(values) <= len(widgets), node["type"]
        for part, value in zip(widgets, values, strict=False):
            if "options" in part.facts:
                assert value in part.facts["options"]
            if "min" in part.facts:
                assert part.facts["min"] <= value <= part.facts["max"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_an_example_says_where_its_nodes_can_be_had(path):
    project = (ROOT / "pyproject.toml").read_text()
    for node in graph_of(path)["nodes"]:
        if node["type"].startswith("NST_"):
            assert f'name = "{node["properties"]["cnr_id"]}"' in project


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_an_example_has_a_picture_of_what_it_gives(path):
    picture = path.with_suffix(".jpg")
    assert picture.stat().st_size < 200_000
    assert opened(picture)[0] == "JPEG"


def test_every_node_has_a_help_page_with_a_picture(modules):
    for node_id in modules.nodes:
        page = ROOT / "web/docs" / f"{node_id}.md"
        assert f"({node_id}.jpg)" in page.read_text()
        picture = page.with_suffix(".jpg")
        assert picture.stat().st_size < 100_000
        assert opened(picture)[0] == "JPEG"


def test_a_help_page_names_no_input_that_is_not_there(modules, host):
    for node_id, node in modules.nodes.items():
        page = (ROOT / "web/docs" / f"{node_id}.md").read_text()
        named = {
            words.strip("*:, ")
            for line in page.splitlines()
            if line.startswith("- **")
            for words in line.split("**")[1:-1:2]
        }
        assert named <= {part.id for part in node.define_schema().inputs}, node_id


def test_the_icon_is_square_and_small_enough_for_the_registry():
    kind, (width, height) = opened(ROOT / "web/icon.png")
    assert kind == "PNG"
    assert width == height <= 400
