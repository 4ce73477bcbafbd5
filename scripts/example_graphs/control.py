"""The graphs that say what is painted where, in whose colors, and with how large a brush."""

from .parts import Example, Node, content_loss, network, note, optimize, sample, shown, style_loss

# Of the harbor, and where its water begins.
WIDTH, HEIGHT, SHORE = 512, 384, 215


def _solid(at: tuple[int, int], title: str, value: float, height: int) -> Node:
    widgets = {"value": value, "width": WIDTH, "height": height}
    return Node("SolidMask", at, (270, 110), title, widgets)


TWO_REGIONS = Example(
    {
        "note": note(
            "## Two styles in two regions\n\nA **mask** says where in the picture a *Style Loss* "
            "counts: one style above the shore, another below. **feather** makes the edge soft."
            "\n\nFor a mask of your own, right-click a *Load Image* node and open the mask editor. "
            "*Keep Pixels* holds what nobody shall paint.",
            height=300,
        ),
        "content": sample((0, 370), "harbor", "Content"),
        "style": sample((0, 520), "brushstrokes", "Style above"),
        "other_style": sample((0, 670), "waves", "Style below"),
        "nowhere": _solid((310, 0), "All of the picture", 0.0, HEIGHT),
        "upper_part": _solid((310, 180), "Its upper part", 1.0, SHORE),
        "above": Node(
            "MaskComposite",
            (310, 360),
            (270, 130),
            "Mask: above",
            {"x": 0, "y": 0, "operation": "add"},
            {"destination": "nowhere.MASK", "source": "upper_part.MASK"},
        ),
        "below": Node(
            "InvertMask", (310, 560), (270, 30), "Mask: below", wires={"mask": "above.MASK"}
        ),
        "drawn": Node("MaskToImage", (310, 660), (270, 30), wires={"mask": "above.MASK"}),
        "shown_mask": shown((310, 750), "Mask: above", "drawn.IMAGE", (270, 270)),
        "vgg": network((620, 0)),
        "content_loss": content_loss((620, 270)),
        "above_loss": style_loss((620, 540), "Style Loss: above", mask="above.MASK"),
        "below_loss": style_loss(
            (950, 540),
            "Style Loss: below",
            image="other_style.image",
            losses="above_loss.losses",
            mask="below.MASK",
        ),
        "run": optimize((1290, 0), "below_loss", steps=80),
        "result": shown((1650, 0), "Result", "run.image", (390, 360)),
    },
    pictured=("shown_mask", "result"),
    zoom=0.6,
)

KEEP_COLORS = Example(
    {
        "note": note(
            "## Whose colors\n\nBoth runs have the same losses. The first takes the style's colors "
            "with its strokes. In the second, **colors** is *luminance*: light and dark are "
            "painted, every pixel keeps the content's color.\n\n*cholesky*, *pca*, *symmetric* and "
            "*histogram* match the palette as a whole; **color_strength** mixes.",
            height=300,
        ),
        "content": sample((0, 370), "landscape", "Content"),
        "style": sample((0, 520), "brushstrokes", "Style"),
        "vgg": network((330, 0)),
        "content_loss": content_loss((330, 270)),
        "style_loss": style_loss((330, 540)),
        "style_run": optimize(
            (690, 0), "style_loss", "L-BFGS Optimize: the style's colors", steps=40
        ),
        "content_run": optimize(
            (1050, 0),
            "style_loss",
            "L-BFGS Optimize: the content's colors",
            steps=40,
            colors="luminance",
        ),
        "style_result": shown((1410, 0), "The style's colors", "style_run.image"),
        "content_result": shown((1410, 450), "The content's colors", "content_run.image"),
    },
    pictured=("style_result", "content_result"),
    zoom=0.65,
)


def _brush(name: str, row: int, scale: float) -> dict[str, Node]:
    title = f"{name} strokes"
    return {
        f"{name}_loss": style_loss((630, 370 * row), f"Style Loss: {title}", style_scale=scale),
        f"{name}_run": optimize(
            (960 + 350 * row, 0), f"{name}_loss", f"L-BFGS Optimize: {title}", steps=50
        ),
        f"{name}_result": shown((1660, 450 * row), title, f"{name}_run.image", (380, 400)),
    }


LARGE_STROKES = Example(
    {
        "note": note(
            "## A smaller or a larger brush\n\n**style_scale** is the size of the style picture "
            "against the result: at 0.5 strokes are half as large, at 2 twice as large.\n\nLarge "
            "results keep their strokes: every search begins at 64 pixels (**scales**).",
        ),
        "content": sample((0, 340), "portrait", "Content"),
        "style": sample((0, 490), "brushstrokes", "Style"),
        "vgg": network((300, 0)),
        "content_loss": content_loss((300, 270)),
        **_brush("small", 0, 0.5),
        **_brush("large", 1, 2.0),
    },
    pictured=("small_result", "large_result"),
    zoom=0.6,
)
