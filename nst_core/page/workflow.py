"""The ComfyUI graph that makes the same picture, as `prompt` and `workflow` of a PNG.

The host reads `workflow` when a picture is dropped onto its page, and programs send `prompt`.
"""

from ..files.weights import NAMES
from ..settings import Settings
from ..settings.samples import SAMPLE, drawn_size
from .graph import Graph, Json, Node, prompt_of, workflow_of
from .job import Picture, Request

# Widgets of a node, in the order of the node (nodes/optimize.py); a test holds them to its schema.
_OPTIMIZE = (
    *("init", "size", "steps", "scales", "seed", "precision", "preview_interval", "shape"),
    *("tolerance", "bounded", "history", "preconditioner", "max_evaluations", "tile"),
    *("scale_factor", "views", "seamless", "aspect"),
    *("colors", "color_when", "color_source", "color_strength", "resumable", "cards"),
)
# Of those that are no settings of a run here.
_NODES_OWN = {"preview_interval": 0.5, "resumable": False, "cards": 1}
# Masks are files, which the machine that opens the graph does not have.
WITHOUT_DRAWINGS = (
    "What you painted is stored in the PNG, but is not in the ComfyUI workflow: masks are files "
    "there. Connect your own to the losses."
)


def graph_of(request: Request, weights: str, *, cutout: bool = False) -> tuple[Json, Json]:
    """(`prompt`, `workflow`) for a request.

    `weights` says what it was made with, and `cutout` whether the result is transparent in parts.
    Uploads become Load Image nodes with the file's name, which the host must have in its input
    folder. Of several styles each has a loss of its own, weighed by its share: nearly the same as
    their mean, which the nodes only have for equal shares.
    """
    graph, settings = Graph(), request.settings
    network = graph.add(
        "NST_LoadVGG16",
        1,
        130,
        widgets={
            "weights": _weights_name(weights),
            "pooling": settings.pooling,
            "preprocessing": settings.preprocessing,
        },
        outputs=(("vgg", "NST_VGG16"),),
    )
    chain = _chain(graph, request, cutout)
    widgets = {
        name: _NODES_OWN[name] if name in _NODES_OWN else getattr(settings, name)
        for name in _OPTIMIZE
    }
    optimize = graph.add(
        "NST_LBFGSOptimize",
        2,
        560,
        widgets=widgets,
        inputs={"vgg": (network, "vgg"), "losses": (chain, "losses_out")},
        outputs=(("image", "IMAGE"), ("report", "NST_REPORT"), ("mask", "MASK")),
    )
    result = _joined(graph, 3, optimize) if cutout else optimize
    graph.add(
        "SaveImage",
        3,
        480,
        widgets={"filename_prefix": "style_transfer"},
        inputs={"images": (result, "image")},
        title="Result, without what was painted" if request.is_drawn else "Result",
    )
    return prompt_of(graph), workflow_of(graph)


def _weights_name(source: str) -> str:
    """The name at the head of a network's source, if the node knows it."""
    name = source.split(" ")[0]
    return name if name in NAMES else "auto"


def _joined(graph: Graph, column: int, source: Node) -> Node:
    """The picture of a node with its mask as alpha; the mask of an opaque one changes nothing."""
    return graph.add(
        "JoinImageWithAlpha",
        column,
        60,
        inputs={"image": (source, "image"), "alpha": (source, "mask")},
        outputs=(("image", "IMAGE"),),
    )


def _chain(graph: Graph, request: Request, cutout: bool) -> Node:
    settings, last = request.settings, None
    if request.content:
        content = _picture(graph, request.content, "Content", settings)
        content = _joined(graph, 0, content) if cutout else content
        last = _loss(
            graph,
            "NST_ContentLoss",
            200,
            {
                "content_weight": settings.content_weight,
                "content_layers": settings.content_layers,
                "normalization": settings.normalization,
                "feather": settings.feather,
            },
            content,
            last,
        )
    total = sum(style.share for style in request.styles)
    for style in request.styles:
        last = _loss(
            graph,
            "NST_StyleLoss",
            200,
            {
                "style_weight": settings.style_weight * style.share / total,
                "style_layers": settings.style_layers,
                "normalization": settings.normalization,
                "statistics": settings.statistics,
                "style_scale": settings.style_scale,
                "style_shares": "",
                "feather": settings.feather,
            },
            _picture(graph, style, "Style", settings),
            last,
        )
    if request.content and settings.laplacian_weight:
        widgets = {"laplacian_weight": settings.laplacian_weight}
        last = _loss(graph, "NST_LaplacianLoss", 90, widgets, content, last)
    if settings.tv_weight:
        widgets = {"tv_weight": settings.tv_weight}
        last = _loss(graph, "NST_TotalVariationLoss", 90, widgets, None, last)
    assert last is not None  # a request has a content or a style
    return last


def _loss(
    graph: Graph, kind: str, height: int, widgets: Json, image: Node | None, before: Node | None
) -> Node:
    """A loss of a picture, at the end of the chain."""
    wires = {"image": (image, "image")} if image else {}
    if before:
        wires["losses"] = (before, "losses_out")
    return graph.add(
        kind, 1, height, widgets=widgets, inputs=wires, outputs=(("losses_out", "NST_LOSSES"),)
    )


def _picture(graph: Graph, picture: Picture, title: str, settings: Settings) -> Node:
    if picture.name.startswith(SAMPLE):
        return graph.add(
            "NST_SampleImage",
            0,
            90,
            widgets={
                "name": picture.name.removeprefix(SAMPLE),
                "size": drawn_size(settings.size),
            },
            outputs=(("image", "IMAGE"),),
            title=title,
        )
    outputs = (("image", "IMAGE"), ("mask", "MASK"))
    return graph.add(
        "LoadImage", 0, 310, widgets={"image": picture.name}, outputs=outputs, title=title
    )
