"""A PNG of the Gradio page, dropped onto the host's page."""

import base64
import io
import json

import pytest
from PIL import Image, ImageChops

from nst_core.files.read_image import read_metadata
from nst_core.settings import ServingSettings

DROP = """data => {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], "style-transfer.png", {type: "image/png"}));
  const facts = {dataTransfer: files, bubbles: true, cancelable: true, clientX: 800, clientY: 450};
  document.querySelector("#graph-canvas").dispatchEvent(new DragEvent("drop", facts));
}"""


@pytest.fixture
def painted(tmp_path):
    """A small picture in two styles, as the page writes it."""
    pytest.importorskip("gradio", reason="the Gradio page needs gradio")
    from nst_core.page.kinds import STYLIZE
    from nst_core.page.network import Network
    from nst_core.page.pictures import Samples
    from nst_core.page.runs import Runs

    samples = Samples(tmp_path)
    runs = Runs(Network("builtin"), samples, ServingSettings(), tmp_path)
    content, *styles = (str(samples.files[name]) for name in ("harbor", "waves", "ink"))
    given = {"size": 64, "steps": 4, "scales": 1, "tv_weight": 0.5, "pooling": "average"}
    request = runs.request(
        STYLIZE, content=content, styles=styles, shares=[1.0, 0.5], strength=1.5, given=given
    )
    job = runs.begin("me", request)
    job.future.result()
    yield job.finished.files.picture
    runs.close()


def test_a_picture_opens_its_graph_which_makes_it_again(page, comfy, painted):
    page.errors.clear()
    page.page.evaluate(DROP, base64.b64encode(painted.read_bytes()).decode())
    page.page.wait_for_function("app.graph.nodes.some(node => node.title === 'Result')")
    page.page.wait_for_timeout(1500)
    assert page.unknown_nodes() == []
    stored = json.loads(read_metadata(painted)["prompt"])
    shown = page.prompt()
    assert {key: node["class_type"] for key, node in shown.items()} == {
        key: node["class_type"] for key, node in stored.items()
    }
    for key, node in stored.items():
        assert shown[key]["inputs"] == node["inputs"] | {
            name: shown[key]["inputs"][name]
            for name in set(shown[key]["inputs"]) - set(node["inputs"])
        }
    ended = page.wait(page.press_run())
    assert ended.end == "execution_success", ended.error
    assert page.errors == []
    (item,) = (i for output in ended.outputs.values() for i in output.get("images", []))
    with Image.open(io.BytesIO(comfy.file(item))) as theirs, Image.open(painted) as ours:
        # Two style losses with half the weight each are nearly one loss of both (see workflow.py).
        assert theirs.size == ours.size
        both = ImageChops.difference(theirs.convert("RGB"), ours.convert("RGB"))
    assert max(both.reduce(8).getextrema(), key=lambda e: e[1])[1] < 64
