"""Make example_workflows/: build the graphs in ComfyUI's page, export them, run them.

    COMFYUI_PATH=~/ComfyUI python scripts/make_examples.py [name ...]

Needs Chromium and playwright. The thumbnails show what the workflows gave.
"""

import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/host")]

# Found by the line before.
from real_host import NAME, Comfy, Page, opened  # noqa: E402

from nst_core.settings import preset_named  # noqa: E402

HEIGHT, GAP = 288, 8
SEED = preset_named("gatys-vgg16").settings
SEEDS_OWN = ("init", "size", "scales", "shape", "bounded", "preconditioner")

# Each graph: {key: (type, (x, y), widgets, title or None, size or None)} and links
# "key.output > key.input". A note is a MarkdownNote with its text as the only widget.
Node = tuple[str, tuple[int, int], dict[str, Any], str | None, tuple[int, int] | None]
Graph = tuple[dict[str, Node], list[str]]


def sample(x: int, y: int, name: str, title: str) -> Node:
    """A picture drawn by code."""
    return "NST_SampleImage", (x, y), {"name": name, "size": 512}, title, (270, 82)


def note(x: int, y: int, width: int, height: int, text: str) -> Node:
    """A text beside the nodes."""
    return "MarkdownNote", (x, y), {"": text}, "Read me", (width, height)


def shown(x: int, y: int, title: str, width: int = 400, height: int = 400) -> Node:
    """A picture in the page."""
    return "PreviewImage", (x, y), {}, title, (width, height)


FIRST: Graph = (
    {
        "note": note(
            0,
            0,
            270,
            250,
            "## A first style transfer\n\nPress **Run** and watch the node paint.\n\n"
            "Then put *Load Image* nodes in the place of the samples, raise **size** and "
            "**steps**, and try **style_strength**.\n\nCancel stops it at once.",
        ),
        "content": sample(0, 320, "harbor", "Content"),
        "style": sample(0, 470, "brushstrokes", "Style"),
        "shown_content": shown(310, 0, "Content", 270, 270),
        "shown_style": shown(310, 330, "Style", 270, 270),
        "transfer": (
            "NST_NeuralStyleTransfer",
            (640, 0),
            {"preset": "default", "style_strength": 1.0, "size": 256, "steps": 40},
            None,
            (320, 560),
        ),
        "result": (
            "SaveImage",
            (1020, 0),
            {"filename_prefix": "style_transfer"},
            "Result",
            (480, 480),
        ),
    },
    [
        "content.image > transfer.content",
        "style.image > transfer.style",
        "content.image > shown_content.images",
        "style.image > shown_style.images",
        "transfer.image > result.images",
    ],
)

BY_HAND: Graph = (
    {
        "note": note(
            0,
            0,
            270,
            270,
            "## The method, part by part\n\nGatys, Ecker and Bethge (2015): a gray square is "
            "changed, step by step, until VGG-16 sees the **shapes** of the content and the "
            "**textures** of the style in it.\n\nalpha 1, beta 1000, five style layers, L-BFGS.",
        ),
        "content": sample(0, 340, "harbor", "Content"),
        "style": sample(0, 490, "waves", "Style"),
        "vgg": ("NST_LoadVGG16", (330, 0), {"weights": "auto"}, None, (300, 210)),
        "content_loss": (
            "NST_ContentLoss",
            (330, 280),
            {
                "content_weight": SEED.content_weight,
                "content_layers": SEED.content_layers,
                "normalization": SEED.normalization,
            },
            None,
            (300, 170),
        ),
        "style_loss": (
            "NST_StyleLoss",
            (330, 520),
            {
                "style_weight": SEED.style_weight,
                "style_layers": "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1",
                "normalization": SEED.normalization,
            },
            None,
            (300, 170),
        ),
        "optimize": (
            "NST_LBFGSOptimize",
            (690, 0),
            {name: getattr(SEED, name) for name in SEEDS_OWN} | {"steps": 60},
            None,
            (320, 660),
        ),
        "result": shown(1070, 0, "Result", 400, 420),
        "plot": ("NST_LossPlot", (1070, 480), {}, None, (200, 30)),
        "curve": shown(1070, 570, "The loss falls", 480, 330),
    },
    [
        "content.image > content_loss.image",
        "style.image > style_loss.image",
        "content_loss.losses > style_loss.losses",
        "style_loss.losses > optimize.losses",
        "vgg.vgg > optimize.vgg",
        "optimize.image > result.images",
        "optimize.report > plot.report",
        "plot.image > curve.images",
    ],
)


def _style_from(layers: str, row: int, title: str) -> dict[str, Node]:
    run = {"init": "content", "size": 256, "steps": 25, "scales": 1}
    return {
        f"{layers}_loss": (
            "NST_StyleLoss",
            (640, 240 * row),
            {"style_layers": layers},
            f"Style Loss: {title}",
            (300, 170),
        ),
        f"{layers}_run": ("NST_LBFGSOptimize", (980 + 360 * row, 0), run, None, (320, 700)),
        f"{layers}_result": shown(1700, 365 * row, title, 400, 335),
    }


LOW_OR_HIGH: Graph = (
    {
        "note": note(
            0,
            0,
            270,
            270,
            "## Where the style is\n\nLow layers of the network see a few pixels: they hold "
            "**colors and fine texture**. High layers see large areas: **strokes and shapes**."
            "\n\nSame content, same style, only *style_layers* differs.",
        ),
        "content": sample(0, 340, "portrait", "Content"),
        "style": sample(0, 490, "mosaic", "Style"),
        "vgg": ("NST_LoadVGG16", (300, 0), {"weights": "auto"}, None, (300, 210)),
        "content_loss": ("NST_ContentLoss", (300, 280), {}, None, (300, 170)),
        **_style_from("low", 0, "low layers"),
        **_style_from("high", 1, "high layers"),
    },
    [
        "content.image > content_loss.image",
        *(
            link
            for layers in ("low", "high")
            for link in (
                f"style.image > {layers}_loss.image",
                f"content_loss.losses > {layers}_loss.losses",
                f"{layers}_loss.losses > {layers}_run.losses",
                f"vgg.vgg > {layers}_run.vgg",
                f"{layers}_run.image > {layers}_result.images",
            )
        ),
    ],
)

# With the nodes whose pictures make the thumbnail, from left to right, and the zoom.
WORKFLOWS: dict[str, tuple[Graph, tuple[str, ...], float]] = {
    "1_first_style_transfer": (FIRST, ("shown_content", "shown_style", "result"), 0.8),
    "2_losses_by_hand": (BY_HAND, ("result", "curve"), 0.75),
    "3_low_or_high_layers": (LOW_OR_HIGH, ("low_result", "high_result"), 0.65),
}

BUILD = """
async ([nodes, links, scale]) => {
  app.graph.clear();
  const made = {};
  for (const [key, [type, pos, widgets, title, size]] of Object.entries(nodes)) {
    const node = LiteGraph.createNode(type);
    app.graph.add(node);
    node.pos = pos;
    if (title) node.title = title;
    for (const [name, value] of Object.entries(widgets)) {
      const widget = name ? node.widgets.find(w => w.name === name) : node.widgets[0];
      if (!widget) throw new Error(`${type} has no widget ${name}`);
      widget.value = value;
    }
    const least = node.computeSize();
    node.setSize([Math.max(size[0], least[0]), Math.max(size[1], least[1])]);
    made[key] = node;
  }
  const slot = (slots, name) => slots.findIndex(s => [s.name, s.label].includes(name));
  for (const link of links) {
    const [from, to] = link.split(" > ").map(end => end.split("."));
    const [source, target] = [made[from[0]], made[to[0]]];
    const [output, input] = [slot(source.outputs, from[1]), slot(target.inputs, to[1])];
    if (output < 0 || input < 0) throw new Error(`no ${link}`);
    source.connect(output, target, input);
  }
  app.canvas.ds.scale = scale;
  app.canvas.ds.offset = [90 / scale, 110 / scale];  // beside the page's own buttons
  const ids = Object.fromEntries(Object.entries(made).map(([k, n]) => [k, String(n.id)]));
  return JSON.stringify([(await app.graphToPrompt()).workflow, ids]);  // as the Export menu does
}
"""


def say_where_from(graph: dict[str, Any]) -> None:
    """Add each node's pack, by which the host's manager finds the nodes that someone lacks."""
    for node in graph["nodes"]:
        if node["type"] != "MarkdownNote":  # the page's own
            pack = NAME if node["type"].startswith("NST_") else "comfy-core"
            node["properties"]["cnr_id"] = pack


def make(page: Page, name: str) -> None:
    """Build, export, run and photograph one workflow."""
    graph, pictured, scale = WORKFLOWS[name]
    exported, ids = json.loads(page.page.evaluate(BUILD, [*graph, scale]))
    say_where_from(exported)
    path = ROOT / "example_workflows" / f"{name}.json"
    path.write_text(json.dumps(exported, indent=2) + "\n")
    page.load(exported)  # as a user will
    ended = page.wait(page.press_run())
    if ended.error:
        raise SystemExit(f"{name}: {ended.error}")
    items = [ended.outputs[ids[key]]["images"][0] for key in pictured]
    pictures = [Image.open(io.BytesIO(page.host.file(item))).convert("RGB") for item in items]
    side_by_side(pictures).save(path.with_suffix(".jpg"), quality=88)
    sys.stdout.write(f"{name}: {ended.seconds:.0f} s\n")


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """All in a row, at one height."""
    resized = [p.resize((round(p.width * HEIGHT / p.height), HEIGHT)) for p in pictures]
    width = sum(p.width for p in resized) + GAP * (len(resized) - 1)
    row, left = Image.new("RGB", (width, HEIGHT), "white"), 0
    for picture in resized:
        row.paste(picture, (left, 0))
        left += picture.width + GAP
    return row


def main() -> None:
    """Make those that were named, or all."""
    names = sys.argv[1:] or list(WORKFLOWS)
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
