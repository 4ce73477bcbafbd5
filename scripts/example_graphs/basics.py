"""The graphs to begin with: everything in one node, the paper loss by loss, and its layers."""

from nst_core.settings import preset_named

from .parts import Example, Node, content_loss, network, note, optimize, sample, shown, style_loss

SEED = preset_named("gatys-vgg16").settings
SEEDS_OWN = ("init", "size", "scales", "shape", "bounded", "preconditioner")

FIRST = Example(
    {
        "note": note(
            "## A first style transfer\n\nPress **Run** and watch the node paint.\n\n"
            "Then put *Load Image* nodes in the place of the samples, raise **size** and "
            "**steps**, and try **style_strength**.\n\nCancel stops it at once.",
        ),
        "content": sample((310, 0), "harbor", "Content"),
        "style": sample((310, 450), "brushstrokes", "Style"),
        "shown_content": shown((310, 130), "Content", "content.image", (270, 270)),
        "shown_style": shown((310, 580), "Style", "style.image", (270, 270)),
        "transfer": Node(
            "NST_NeuralStyleTransfer",
            (640, 0),
            (320, 560),
            widgets={"preset": "default", "style_strength": 1.0, "size": 256, "steps": 60},
            wires={"content": "content.image", "style": "style.image"},
        ),
        "result": Node(
            "SaveImage",
            (1020, 0),
            (480, 480),
            "Result",
            {"filename_prefix": "style_transfer"},
            {"images": "transfer.image"},
        ),
    },
    pictured=("shown_content", "shown_style", "result"),
    zoom=0.8,
)

BY_HAND = Example(
    {
        "note": note(
            "## The method, part by part\n\nGatys, Ecker and Bethge (2015): a gray square is "
            "changed, step by step, until VGG-16 sees the **shapes** of the content and the "
            "**textures** of the style in it.\n\nalpha 1, beta 1000, five style layers, L-BFGS.",
        ),
        "content": sample((0, 340), "portrait", "Content"),
        "style": sample((0, 490), "brushstrokes", "Style"),
        "vgg": network((330, 0)),
        "content_loss": content_loss(
            (330, 270),
            content_weight=SEED.content_weight,
            content_layers=SEED.content_layers,
            normalization=SEED.normalization,
        ),
        "style_loss": style_loss(
            (330, 540),
            style_weight=SEED.style_weight,
            style_layers="relu1_1,relu2_1,relu3_1,relu4_1,relu5_1",
            normalization=SEED.normalization,
        ),
        "optimize": optimize(
            (690, 0),
            "style_loss",
            **{name: getattr(SEED, name) for name in SEEDS_OWN} | {"steps": 80},
        ),
        "result": shown((1070, 0), "Result", "optimize.image", (400, 420)),
        "plot": Node("NST_LossPlot", (1070, 480), (200, 30), wires={"report": "optimize.report"}),
        "curve": shown((1070, 570), "The loss falls", "plot.image", (480, 330)),
    },
    pictured=("result", "curve"),
    zoom=0.75,
)


def _style_from(layers: str, row: int) -> dict[str, Node]:
    title = f"{layers} layers"
    return {
        f"{layers}_loss": style_loss((630, 370 * row), f"Style Loss: {title}", style_layers=layers),
        f"{layers}_run": optimize(
            (960 + 350 * row, 0), f"{layers}_loss", f"L-BFGS Optimize: {title}", steps=40
        ),
        f"{layers}_result": shown((1660, 450 * row), title, f"{layers}_run.image", (380, 400)),
    }


LOW_OR_HIGH = Example(
    {
        "note": note(
            "## Where the style is\n\nLow layers of the network see a few pixels: they hold "
            "**colors and fine texture**. High layers see large areas: **strokes and shapes**."
            "\n\nSame content, same style, only *style_layers* differs.",
        ),
        "content": sample((0, 340), "portrait", "Content"),
        "style": sample((0, 490), "mosaic", "Style"),
        "vgg": network((300, 0)),
        "content_loss": content_loss((300, 270)),
        **_style_from("low", 0),
        **_style_from("high", 1),
    },
    pictured=("low_result", "high_result"),
    zoom=0.6,
)
