"""The ComfyUI graph that makes the same picture, as `prompt` and `workflow` of a PNG.

The host reads `workflow` when a picture is dropped onto its page, and programs send `prompt`.
"""

from ..settings import Settings
from ..weights import NAMES
from .graph import Graph, Json, Node, prompt_of, workflow_of
from .job import Request
from .pictures import SAMPLE

# Widgets of a node, in the order of the node (nodes/optimize.py); a test holds them to its schema.
_OPTIMIZE = (
    *("init", "size", "steps", "scales", "seed", "precision", "preview_interval", "shape"),
    *("tolerance", "bounded", "history", "preconditioner", "max_evaluations", "tile"),
    *("scale_factor", "views", "seamless", "aspect"),
    *("colors", "color_when", "color_source", "color_strength"),
)
_PREVIEW_INTERVAL = 0.5


def graph_of(request: Request, weights: str) -> tuple[Json, Json]:
    """(`prompt`, `workflow`) for a request; `weights` says what it was made with.

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
    chain = _chain(graph, request)
    widgets = {name: getattr(settings, name, _PREVIEW_INTERVAL) for name in _OPTIMIZE}
    optimize = graph.add(
        "NST_LBFGSOptimize",
        2,
        560,
        widgets=widgets,
        inputs={"vgg": (network, "vgg"), "losses": (chain, "losses_out")},
        outputs=(("image", "IMAGE"), ("report", "NST_REPORT")),
    )
    graph.add(
        "SaveImage",
        3,
        480,
        widgets={"filename_prefix": "style_transfer"},
        inputs={"images": (optimize, "image")},
        title="Result",
    )
    return prompt_of(graph), workflow_of(graph)


def _weights_name(source: str) -> str:
    """The name at the head of a network's source, if the node knows it."""
    name = source.split(" ")[0]
    return name if name in NAMES else "auto"


def _chain(graph: Graph, request: Request) -> Node:
    settings = request.settings
    content, *styles = (_picture(graph, name, settings) for name in request.names)
    content.title, total = "Content", sum(request.shares)
    last = graph.add(
        "NST_ContentLoss",
        1,
        200,
        widgets={
            "content_weight": settings.content_weight,
            "content_layers": settings.content_layers,
            "normalization": settings.normalization,
            "feather": settings.feather,
        },
        inputs={"image": (content, "image")},
        outputs=(("losses_out", "NST_LOSSES"),),
    )
    for style, share in zip(styles, request.shares, strict=True):
        style.title = "Style"
        last = graph.add(
            "NST_StyleLoss",
            1,
            200,
            widgets={
                "style_weight": settings.style_weight * share / total,
                "style_layers": settings.style_layers,
                "normalization": settings.normalization,
                "statistics": settings.statistics,
                "style_scale": settings.style_scale,
                "style_shares": "",
                "feather": settings.feather,
            },
            inputs={"image": (style, "image"), "losses": (last, "losses_out")},
            outputs=(("losses_out", "NST_LOSSES"),),
        )
    if settings.laplacian_weight:
        last = graph.add(
            "NST_LaplacianLoss",
            1,
            90,
            widgets={"laplacian_weight": settings.laplacian_weight},
            inputs={"image": (content, "image"), "losses": (last, "losses_out")},
            outputs=(("losses_out", "NST_LOSSES"),),
        )
    if settings.tv_weight:
        last = graph.add(
            "NST_TotalVariationLoss",
            1,
            90,
            widgets={"tv_weight": settings.tv_weight},
            inputs={"losses": (last, "losses_out")},
            outputs=(("losses_out", "NST_LOSSES"),),
        )
    return last


def _picture(graph: Graph, name: str, settings: Settings) -> Node:
    if name.startswith(SAMPLE):
        return graph.add(
            "NST_SampleImage",
            0,
            90,
            widgets={"name": name.removeprefix(SAMPLE), "size": max(settings.size, 512)},
            outputs=(("image", "IMAGE"),),
        )
    outputs = (("image", "IMAGE"), ("mask", "MASK"))
    return graph.add("LoadImage", 0, 310, widgets={"image": name}, outputs=outputs)
