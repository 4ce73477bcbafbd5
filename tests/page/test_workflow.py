"""The ComfyUI graph in a picture has our nodes, with inputs that they have."""

import json
from pathlib import Path

import pytest
import torch

from nst_core.page.canvas import png_of, url_of
from nst_core.page.kinds import RECONSTRUCT, TEXTURE
from nst_core.page.workflow import graph_of

SCHEMAS = json.loads((Path(__file__).parents[1] / "nodes/schemas.json").read_text())
WIRES = {"IMAGE", "MASK", "NST_VGG16", "NST_LOSSES", "NST_REPORT"}
WEIGHTS = "builtin (random)"


def inputs_of(kind):
    schema = SCHEMAS[kind]["inputs"]
    return {**schema["required"], **schema.get("optional", {})}


@pytest.fixture
def graphs(ask):
    """A simple graph, one with everything, a texture's and a reconstruction's."""
    full = ask(styles=("ink", "waves"), shares=[1.0, 0.5], tv_weight=0.5, laplacian_weight=9.0)
    others = [ask(kind=kind, init="noise") for kind in (TEXTURE, RECONSTRUCT)]
    return [graph_of(request, WEIGHTS) for request in (ask(), full, *others)]


def test_every_node_is_given_what_it_requires_and_nothing_it_does_not_know(graphs):
    for prompt, _ in graphs:
        for node in prompt.values():
            if node["class_type"] not in SCHEMAS:
                assert node["class_type"] in ("SaveImage", "LoadImage", "JoinImageWithAlpha")
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


def test_the_other_kinds_have_no_loss_that_they_are_not_about(graphs):
    texture, rebuilt = ({n["class_type"] for n in prompt.values()} for prompt, _ in graphs[2:])
    assert "NST_ContentLoss" not in texture
    assert "NST_StyleLoss" in texture
    assert "NST_ContentLoss" in rebuilt
    assert "NST_StyleLoss" not in rebuilt


def test_a_graph_that_lacks_what_was_painted_says_so(ask):
    map_ = url_of(png_of({"red": torch.eye(32)}))
    titles = [node.get("title", "") for node in graph_of(ask(map_=map_), WEIGHTS)[1]["nodes"]]
    assert "Result, without what was painted" in titles


def test_an_upload_becomes_a_load_image_node(ask_for, samples, tmp_path):
    mine = tmp_path / "me.jpg"
    mine.write_bytes(samples.files["portrait"].read_bytes())
    prompt, _ = graph_of(ask_for(str(mine), str(samples.files["ink"])), WEIGHTS)
    loads = [n["inputs"] for n in prompt.values() if n["class_type"] == "LoadImage"]
    assert loads == [{"image": "me.jpg"}]


def test_a_cutout_goes_through_the_graph_with_its_alpha(ask_for, samples, tmp_path):
    mine = tmp_path / "me.png"
    mine.write_bytes(samples.files["portrait"].read_bytes())
    prompt, workflow = graph_of(ask_for(str(mine), str(samples.files["ink"])), WEIGHTS, cutout=True)
    ((before, first), (after, second)) = (
        (number, node["inputs"])
        for number, node in prompt.items()
        if node["class_type"] == "JoinImageWithAlpha"
    )
    by_kind = {node["class_type"]: node["inputs"] for node in prompt.values()}
    assert by_kind["NST_ContentLoss"]["image"] == [before, 0]
    assert by_kind["SaveImage"]["images"] == [after, 0]
    assert prompt[first["alpha"][0]]["class_type"] == "LoadImage"
    assert first["alpha"][1] == 1
    assert prompt[second["alpha"][0]]["class_type"] == "NST_LBFGSOptimize"
    assert second["alpha"][1] == 2
    test_links_and_their_ends_agree([(prompt, workflow)])


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
