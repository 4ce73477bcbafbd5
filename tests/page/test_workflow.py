"""The ComfyUI graph in a picture has our nodes, with inputs that they have."""

import json
from pathlib import Path

import pytest

from nst_core.page.workflow import graph_of

SCHEMAS = json.loads((Path(__file__).parents[1] / "nodes/schemas.json").read_text())
WIRES = {"IMAGE", "MASK", "NST_VGG16", "NST_LOSSES", "NST_REPORT"}
WEIGHTS = "builtin (random)"


def inputs_of(kind):
    schema = SCHEMAS[kind]["inputs"]
    return {**schema["required"], **schema.get("optional", {})}


@pytest.fixture
def graphs(ask):
    """A simple graph, and one with everything."""
    full = ask(styles=("ink", "waves"), shares=[1.0, 0.5], tv_weight=0.5, init="gray")
    return [graph_of(ask(), WEIGHTS), graph_of(full, WEIGHTS)]


def test_every_node_is_given_what_it_requires_and_nothing_it_does_not_know(graphs):
    for prompt, _ in graphs:
        for node in prompt.values():
            if node["class_type"] not in SCHEMAS:
                assert node["class_type"] in ("SaveImage", "LoadImage")
                continue
            given, schema = set(node["inputs"]), SCHEMAS[node["class_type"]]["inputs"]
            assert set(schema["required"]) <= given
            assert given <= set(inputs_of(node["class_type"]))


def test_every_wire_comes_from_an_output_of_its_kind(graphs):
    for prompt, _ in graphs:
        for node in prompt.values():
            for name, value in node["inputs"].items():
                if isinstance(value, list) and node["class_type"] in SCHEMAS:
                    source = prompt[value[0]]["class_type"]
                    kinds = list(SCHEMAS[source]["outputs"].values())
                    assert kinds[value[1]] == inputs_of(node["class_type"])[name]


def test_widgets_stand_in_the_order_of_the_node(graphs):
    for prompt, workflow in graphs:
        for node in workflow["nodes"]:
            if node["type"] in SCHEMAS:
                order = [n for n, kind in inputs_of(node["type"]).items() if kind not in WIRES]
                given = prompt[str(node["id"])]["inputs"]
                assert node["widgets_values"] == [given[name] for name in order], node["type"]


def test_links_and_their_ends_agree(graphs):
    for _, workflow in graphs:
        nodes = {node["id"]: node for node in workflow["nodes"]}
        for number, source, output, target, slot, kind in workflow["links"]:
            assert number in nodes[source]["outputs"][output]["links"]
            assert nodes[target]["inputs"][slot]["link"] == number
            assert nodes[target]["inputs"][slot]["type"] == kind


def test_an_upload_becomes_a_load_image_node(runs, samples, tmp_path):
    mine = tmp_path / "me.jpg"
    mine.write_bytes(samples.files["portrait"].read_bytes())
    paths = [str(mine), str(samples.files["ink"])]
    request = runs.request(paths, [1.0], "default", 1, {"size": 64, "steps": 1})
    prompt, _ = graph_of(request, WEIGHTS)
    loads = [n["inputs"] for n in prompt.values() if n["class_type"] == "LoadImage"]
    assert loads == [{"image": "me.jpg"}]


def test_shares_weigh_the_style_losses(graphs):
    prompt, _ = graphs[1]
    weights = [
        n["inputs"]["style_weight"] for n in prompt.values() if n["class_type"] == "NST_StyleLoss"
    ]
    assert sum(weights) == pytest.approx(100)
    assert weights[0] == pytest.approx(2 * weights[1])


def test_weights_that_the_node_does_not_know_become_auto(ask):
    prompt, _ = graph_of(ask(), "a file of mine")
    node = next(n for n in prompt.values() if n["class_type"] == "NST_LoadVGG16")
    assert node["inputs"]["weights"] == "auto"
