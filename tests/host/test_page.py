"""The example workflows, and what goes wrong, on the real page."""

import json

import pytest
from real_host import NAME, PACK

WORKFLOWS = sorted((PACK / "example_workflows").glob("*.json"))


def opened_workflow(page, path):
    page.errors.clear()
    page.load(json.loads(path.read_text()))
    assert page.unknown_nodes() == []


def test_the_template_dialog_has_every_workflow_and_its_picture(comfy):
    assert set(comfy.call("/workflow_templates")[NAME]) == {path.stem for path in WORKFLOWS}
    for path in WORKFLOWS:
        picture = comfy.call(f"/api/workflow_templates/{NAME}/{path.stem}.jpg")
        assert picture[:2] == b"\xff\xd8"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_example_runs_as_it_is_by_the_run_button(page, path, tmp_path):
    opened_workflow(page, path)
    page.previews.clear()
    ended = page.wait(page.press_run())
    assert ended.end == "execution_success", ended.error
    assert page.previews, "nothing was to be seen while it worked"
    assert "GB of memory" in page.text()
    assert page.errors == []
    # The same by prompt: all of it is known, and none refused.
    page.host.run(page.prompt())


def test_bad_input_is_a_sentence_on_the_page(page):
    graph = json.loads((PACK / "example_workflows/2_losses_by_hand.json").read_text())
    node = next(node for node in graph["nodes"] if node["type"] == "NST_ContentLoss")
    node["widgets_values"][1] = "relu4_22"
    page.load(graph)
    page.wait(page.press_run())
    details = page.page.get_by_role("button", name="View details")
    if details.count():  # newer pages show the sentence in a panel
        details.first.click()
        page.page.wait_for_timeout(1000)
    text = page.text()
    assert "There is no layer 'relu4_22' in VGG-16. Did you mean relu4_2" in text
    assert "inference" not in text
    page.page.keyboard.press("Escape")


def test_cancel_on_the_page_stops_a_run_that_shows_previews(page, comfy):
    graph = json.loads((PACK / "example_workflows/1_first_style_transfer.json").read_text())
    node = next(node for node in graph["nodes"] if node["type"] == "NST_NeuralStyleTransfer")
    node["widgets_values"][1:4] = [1.1, 512, 900]
    page.load(graph)
    prompt_id = page.press_run()
    page.wait_for_previews(2)
    comfy.call("/interrupt", {})
    assert page.wait(prompt_id, 10).end == "execution_interrupted"


@pytest.mark.parametrize("node_id", ["NST_StyleLoss", "NST_LBFGSOptimize"])
def test_help_pages_are_served_with_their_pictures(comfy, node_id):
    text = comfy.call(f"/extensions/{NAME}/docs/{node_id}.md").decode()
    assert "![" in text
    picture = text.split("![", 1)[1].split("(", 1)[1].split(")", 1)[0]
    assert comfy.call(f"/extensions/{NAME}/docs/{picture}")[:2] == b"\xff\xd8"
