"""The graphs of a style alone, and of a content alone."""

from .parts import Example, Node, content_loss, network, note, optimize, sample, shown, style_loss

# The network is blind to some noise; smoothness picks the plainest of the pictures that fit.
SMOOTH = 10.0


def _stitched(at: tuple[int, int], direction: str, image: str) -> Node:
    """A picture beside itself."""
    widgets = {"direction": direction, "match_image_size": True, "spacing_width": 0}
    return Node("ImageStitch", at, (270, 150), None, widgets, {"image1": image, "image2": image})


TEXTURE = Example(
    {
        "note": note(
            "## More of a texture\n\nA *Style Loss* alone, from noise: texture synthesis. With "
            "**seamless** the left side meets the right and the top the bottom, so that copies lie "
            "side by side; below are four of them.\n\n**size** may be anything, and **aspect** is "
            "width divided by height.",
        ),
        "style": sample((0, 340), "brushstrokes", "Texture"),
        "shown_style": shown((0, 490), "Texture", "style.image", (270, 270)),
        "vgg": network((330, 0)),
        "style_loss": style_loss((330, 270), losses=None),
        "run": optimize((690, 0), "style_loss", init="noise", steps=80, seamless=True, aspect=1.0),
        "tile": Node(
            "SaveImage",
            (1070, 0),
            (400, 400),
            "The tile",
            {"filename_prefix": "texture"},
            {"images": "run.image"},
        ),
        "two": _stitched((1070, 470), "right", "run.image"),
        "four": _stitched((1070, 680), "down", "two.IMAGE"),
        "tiled": shown((1530, 0), "Four tiles", "four.IMAGE", (520, 540)),
    },
    pictured=("shown_style", "tile", "tiled"),
    zoom=0.65,
)


def _from(layer: str, row: int, title: str) -> dict[str, Node]:
    return {
        f"{layer}_loss": content_loss(
            (330, 270 + 290 * row), f"Content Loss: {title}", content_layers=layer
        ),
        f"{layer}_smooth": Node(
            "NST_TotalVariationLoss",
            (650, 270 + 290 * row),
            (270, 60),
            None,
            {"tv_weight": SMOOTH},
            {"losses": f"{layer}_loss.losses"},
        ),
        f"{layer}_run": optimize(
            (960 + 350 * row, 0),
            f"{layer}_smooth",
            f"L-BFGS Optimize: {title}",
            init="noise",
            steps=60,
        ),
        f"{layer}_result": shown((1660, 450 * row), title, f"{layer}_run.image", (380, 400)),
    }


RECONSTRUCT = Example(
    {
        "note": note(
            "## What a layer knows\n\nA *Content Loss* alone, from noise: the picture that a layer "
            "of the network takes for the content. A low layer knows nearly every pixel, a high "
            "one the shapes and where they are.\n\nFigure 1 of Gatys, Ecker and Bethge (2015). "
            "*Total variation* and average pooling pick the plainest of the pictures.",
        ),
        "content": sample((0, 340), "harbor", "Content"),
        "vgg": network((330, 0), pooling="average"),
        **_from("relu2_1", 0, "relu2_1"),
        **_from("relu4_2", 1, "relu4_2"),
    },
    pictured=("relu2_1_result", "relu4_2_result"),
    zoom=0.6,
)
