"""The example workflows: built in ComfyUI's page, exported, and run for their thumbnails."""

import io
import json
import os
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from example_graphs import EXAMPLES
from job import DRAFT_SIZE, DRAFT_STEPS, GIVEN, Job, Networks
from PIL import Image
from strip import side_by_side

sys.path.append(str(Path(__file__).parents[1] / "tests/host"))

# Found by the line before.
from real_host import NAME, Comfy, Page, opened

HEIGHT = 288
PATIENCE = 7200  # seconds for a run on a busy machine
NETWORKS: Networks = {f"example_workflows/{name}.jpg": (GIVEN,) for name in EXAMPLES}
# The page's own: no pack is needed for it.
OF_THE_PAGE = {"MarkdownNote"}

BUILD = """
async ([nodes, zoom]) => {
  app.graph.clear();
  const made = {};
  for (const [key, {kind, at, size, title, widgets}] of Object.entries(nodes)) {
    const node = LiteGraph.createNode(kind);
    app.graph.add(node);
    node.pos = at;
    if (title) node.title = title;
    for (const [name, value] of Object.entries(widgets)) {
      const widget = name ? node.widgets.find(w => w.name === name) : node.widgets[0];
      if (!widget) throw new Error(`${kind} has no widget ${name}`);
      widget.value = value;
    }
    const least = node.computeSize();
    node.setSize([Math.max(size[0], least[0]), Math.max(size[1], least[1])]);
    made[key] = node;
  }
  const slot = (slots, name) => slots.findIndex(s => [s.name, s.label].includes(name));
  for (const [key, {wires}] of Object.entries(nodes)) {
    for (const [name, from] of Object.entries(wires)) {
      const [source, called] = [made[from.split(".")[0]], from.split(".")[1]];
      const [output, input] = [slot(source.outputs, called), slot(made[key].inputs, name)];
      if (output < 0 || input < 0) throw new Error(`no wire from ${from} to ${key}.${name}`);
      source.connect(output, made[key], input);
    }
  }
  app.canvas.ds.scale = zoom;
  app.canvas.ds.offset = [90 / zoom, 110 / zoom];  // beside the page's own buttons
  const ids = Object.fromEntries(Object.entries(made).map(([k, n]) => [k, String(n.id)]));
  return JSON.stringify([(await app.graphToPrompt()).workflow, ids]);  // as the Export menu does
}
"""


def say_where_from(graph: dict[str, Any]) -> None:
    """Add each node's pack, by which the host's manager finds the nodes that someone lacks."""
    for node in graph["nodes"]:
        if node["type"] not in OF_THE_PAGE:
            pack = NAME if node["type"].startswith("NST_") else "comfy-core"
            node["properties"]["cnr_id"] = pack


def with_network(prompt: dict[str, Any], job: Job) -> dict[str, Any]:
    """The prompt of a workflow, by the job's network; the file keeps what runs on every host."""
    loaded = {"weights": job.weights, "pooling": "max"}
    prompt = {**prompt, "network": {"class_type": "NST_LoadVGG16", "inputs": loaded}}
    for node in prompt.values():
        kind, inputs = node["class_type"], node["inputs"]
        if kind == "NST_LoadVGG16":
            inputs["weights"] = job.weights
        elif kind == "NST_NeuralStyleTransfer":
            inputs["vgg"] = ["network", 0]
        elif kind in ("NST_LBFGSOptimize", "NST_StylizeVideo") and job.draft:
            inputs |= {"size": DRAFT_SIZE, "steps": DRAFT_STEPS}
    return prompt


def export(page: Page, name: str, path: Path) -> dict[str, str]:
    """Build a workflow, write it to a file and open it as a user will; the ids of its nodes."""
    example = EXAMPLES[name]
    nodes = {key: asdict(node) for key, node in example.graph.items()}
    exported, ids = json.loads(page.page.evaluate(BUILD, [nodes, example.zoom]))
    say_where_from(exported)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(exported, indent=2) + "\n")
    page.load(exported)
    return dict(ids)


def thumbnail(page: Page, path: Path, job: Job) -> Image.Image:
    """Export and run one workflow; the pictures it gives."""
    ids = export(page, path.stem, path.with_suffix(".json"))
    ended = page.wait(page.host.submit(with_network(page.prompt(), job)), PATIENCE)
    if ended.error:
        raise SystemExit(f"{path.stem}: {ended.error}")
    items = [ended.outputs[ids[key]]["images"][0] for key in EXAMPLES[path.stem].pictured]
    pictures = [picture for item in items for picture in ends(page.host.file(item))]
    return side_by_side(pictures, HEIGHT)


def ends(file: bytes) -> list[Image.Image]:
    """A picture, or the first and the last of an animation."""
    found = []
    with Image.open(io.BytesIO(file)) as picture:
        last = getattr(picture, "n_frames", 1) - 1
        for index in sorted({0, last}):
            picture.seek(index)
            found.append(picture.convert("RGB"))
    return found


def make(job: Job, paths: Collection[str]) -> Iterator[tuple[str, Image.Image]]:
    """Each of these with its picture; their workflows are written too."""
    checkout = Path(os.environ["COMFYUI_PATH"]).expanduser()
    with tempfile.TemporaryDirectory() as base:
        python = os.environ.get("COMFYUI_PYTHON", sys.executable)
        host = Comfy(checkout, python, Path(base) / "host")
        try:
            with opened(host) as page:
                for path in paths:
                    yield path, thumbnail(page, job.folder / path, job)
        finally:
            host.stop()
