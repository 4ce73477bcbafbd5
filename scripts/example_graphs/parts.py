"""What the graphs are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Point = tuple[int, int]


@dataclass(frozen=True)
class Node:
    """A node of the page.

    Attributes:
        kind: its type.
        at: its upper left corner.
        size: (width, height), or what the page needs for it if that is more.
        title: None leaves the node's own.
        widgets: {name: value}; those left out keep their defaults. "" is the only widget.
        wires: {input: "key.output"} of the nodes it gets its inputs from.
    """

    kind: str
    at: Point
    size: Point
    title: str | None = None
    widgets: Mapping[str, Any] = field(default_factory=dict)
    wires: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """A graph, the nodes whose pictures make its thumbnail from left to right, and the zoom."""

    graph: Mapping[str, Node]
    pictured: tuple[str, ...]
    zoom: float


def sample(at: Point, name: str, title: str) -> Node:
    """A picture drawn by code."""
    return Node("NST_SampleImage", at, (270, 82), title, {"name": name, "size": 512})


def note(text: str, *, height: int = 270) -> Node:
    """A text in the upper left corner."""
    return Node("MarkdownNote", (0, 0), (270, height), "Read me", {"": text})


def shown(at: Point, title: str, image: str, size: Point = (400, 400)) -> Node:
    """A picture in the page."""
    return Node("PreviewImage", at, size, title, wires={"images": image})


def network(at: Point, pooling: str = "max") -> Node:
    """The weights that are best here; it has room for the note that says which, and why."""
    return Node("NST_LoadVGG16", at, (300, 200), widgets={"weights": "auto", "pooling": pooling})


def content_loss(at: Point, title: str | None = None, **widgets: Any) -> Node:
    """Of the node "content"."""
    return Node("NST_ContentLoss", at, (300, 200), title, widgets, wires={"image": "content.image"})


def style_loss(
    at: Point,
    title: str | None = None,
    *,
    image: str = "style.image",
    losses: str | None = "content_loss.losses",
    mask: str | None = None,
    **widgets: Any,
) -> Node:
    """Added to `losses`."""
    wires = {"image": image, "losses": losses, "mask": mask}
    given = {name: wire for name, wire in wires.items() if wire}
    return Node("NST_StyleLoss", at, (300, 300), title, widgets, given)


def optimize(at: Point, losses: str, title: str | None = None, **widgets: Any) -> Node:
    """A small run of the losses of a node."""
    run = {"size": 256, "scales": 1, **widgets}
    wires = {"vgg": "vgg.vgg", "losses": f"{losses}.losses"}
    return Node("NST_LBFGSOptimize", at, (320, 700), title, run, wires)
