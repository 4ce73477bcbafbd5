"""Make example_workflows/: build the graphs in ComfyUI's page, export them, run them.

    COMFYUI_PATH=~/ComfyUI python scripts/make_examples.py [name ...]

Needs Chromium and playwright. The thumbnails show what the workflows gave.
"""

import io
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image
from strip import side_by_side

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/host")]

# Found by the line before.
from example_graphs import EXAMPLES  # noqa: E402
from real_host import NAME, Comfy, Page, opened  # noqa: E402

HEIGHT = 288
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


def make(page: Page, name: str) -> None:
    """Build, export, run and photograph one workflow."""
    example = EXAMPLES[name]
    nodes = {key: asdict(node) for key, node in example.graph.items()}
    exported, ids = json.loads(page.page.evaluate(BUILD, [nodes, example.zoom]))
    say_where_from(exported)
    path = ROOT / "example_workflows" / f"{name}.json"
    path.write_text(json.dumps(exported, indent=2) + "\n")
    page.load(exported)  # as a user will
    ended = page.wait(page.press_run())
    if ended.error:
        raise SystemExit(f"{name}: {ended.error}")
    items = [ended.outputs[ids[key]]["images"][0] for key in example.pictured]
    pictures = [Image.open(io.BytesIO(page.host.file(item))).convert("RGB") for item in items]
    side_by_side(pictures, HEIGHT).save(path.with_suffix(".jpg"), quality=88)
    sys.stdout.write(f"{name}: {ended.seconds:.0f} s\n")


def main() -> None:
    """Make those that were named, or all."""
    names = sys.argv[1:] or list(EXAMPLES)
    checkout = Path(os.environ["COMFYUI_PATH"]).expanduser()
    with tempfile.TemporaryDirectory() as base:
        python = os.environ.get("COMFYUI_PYTHON", sys.executable)
        host = Comfy(checkout, python, Path(base) / "host")
        try:
            with opened(host) as page:
                for name in names:
                    make(page, name)
        finally:
            host.stop()


if __name__ == "__main__":
    main()
