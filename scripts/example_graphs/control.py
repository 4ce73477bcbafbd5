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
        "nowhere": _solid((330, 0), "All of the picture", 0.0, HEIGHT),
        "upper_part": _solid((330, 180), "Its upper part", 1.0, SHORE),
        "above": Node(
            "MaskComposite",
            (330, 360),
            (270, 130),
            "Above",
            {"x": 0, "y": 0, "operation": "add"},
            {"destination": "nowhere.MASK", "source": "upper_part.MASK"},
        ),
        "below": Node("InvertMask", (330, 560), (270, 30), "Below", wires={"mask": "above.MASK"}),
        "drawn": Node("MaskToImage", (330, 660), (270, 30), wires={"mask": "above.MASK"}),
        "shown_mask": shown((330, 750), "Above", "drawn.IMAGE", (270, 270)),
        "vgg": network((660, 0)),
        "content_loss": content_loss((660, 210)),
        "above_loss": style_loss((660, 490), "Style Loss: above", mask="above.MASK"),
        "below_loss": style_loss(
            (1000, 490),
            "Style Loss: below",
            image="other_style.image",
            losses="above_loss.losses",
            mask="below.MASK",
        ),
        "run": optimize((1340, 0), "below_loss", steps=80),
        "result": shown((1700, 0), "Result", "run.image", (480, 420)),
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
        "content_loss": content_loss((330, 210)),
        "style_loss": style_loss((330, 490)),
        "style_run": optimize((690, 0), "style_loss", "The style's colors", steps=40),
        "content_run": optimize(
            (1050, 0), "style_loss", "The content's colors", steps=40, colors="luminance"
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
        f"{name}_loss": style_loss((330, 490 + 370 * row), title, style_scale=scale),
        f"{name}_run": optimize((690 + 360 * row, 0), f"{name}_loss", title, steps=50),
        f"{name}_result": shown((1410, 450 * row), title, f"{name}_run.image"),
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
        "vgg": network((330, 0)),
        "content_loss": content_loss((330, 210)),
        **_brush("small", 0, 0.5),
        **_brush("large", 1, 2.0),
    },
    pictured=("small_result", "large_result"),
    zoom=0.6,
)
