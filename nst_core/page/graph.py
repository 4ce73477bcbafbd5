"""A ComfyUI graph: as the host runs it, and as the host's page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
# Of the columns of the graph, and between nodes of one column, in the page's pixels.
_COLUMN, _ROW = 380, 70


@dataclass
class Node:
    """A node, its widgets in the order of the node, and where its inputs come from."""

    kind: str
    widgets: Json
    inputs: dict[str, "tuple[Node, str]"]
    outputs: tuple[tuple[str, str], ...]
    column: int
    height: int
    title: str = ""
    number: int = 0


@dataclass
class Graph:
    """Nodes, numbered as they are added."""

    nodes: list[Node] = field(default_factory=list)

    def add(self, kind: str, column: int, height: int, **facts: Any) -> Node:
        """A node of this kind, in a column, so many pixels high."""
        node = Node(
            kind=kind,
            widgets=facts.pop("widgets", {}),
            inputs=facts.pop("inputs", {}),
            outputs=facts.pop("outputs", ()),
            column=column,
            height=height,
            number=len(self.nodes) + 1,
            **facts,
        )
        self.nodes.append(node)
        return node


def prompt_of(graph: Graph) -> Json:
    """The graph as the host runs it."""
    return {
        str(node.number): {
            "class_type": node.kind,
            "inputs": node.widgets
            | {
                name: [str(source.number), _slot(source, output)]
                for name, (source, output) in node.inputs.items()
            },
        }
        for node in graph.nodes
    }


def workflow_of(graph: Graph) -> Json:
    """The graph as the host's page shows it."""
    links: list[list[Any]] = []
    shown = [_shown(node, links) for node in graph.nodes]
    _connect_outputs(shown, links)
    _place(graph.nodes, shown)
    return {
        "last_node_id": len(shown),
        "last_link_id": len(links),
        "nodes": shown,
        "links": links,
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def _shown(node: Node, links: list[list[Any]]) -> Json:
    inputs = []
    for slot, (name, (source, output)) in enumerate(node.inputs.items()):
        kind = dict(source.outputs)[output]
        links.append(
            [len(links) + 1, source.number, _slot(source, output), node.number, slot, kind]
        )
        inputs.append({"name": name, "type": kind, "link": len(links)})
    return {
        "id": node.number,
        "type": node.kind,
        "flags": {},
        "order": node.number - 1,
        "mode": 0,
        "inputs": inputs,
        "outputs": [{"name": name, "type": kind, "links": []} for name, kind in node.outputs],
        **({"title": node.title} if node.title else {}),
        "properties": {"Node name for S&R": node.kind},
        "widgets_values": list(node.widgets.values()) + (["image"] * (node.kind == "LoadImage")),
    }


def _connect_outputs(shown: Sequence[Json], links: Sequence[Sequence[Any]]) -> None:
    by_number = {node["id"]: node for node in shown}
    for number, source, slot, *_ in links:
        by_number[source]["outputs"][slot]["links"].append(number)


def _place(nodes: Sequence[Node], shown: Sequence[Json]) -> None:
    """Columns from left to right, nodes of a column below each other."""
    below = dict.fromkeys({node.column for node in nodes}, 0)
    for node, item in zip(nodes, shown, strict=True):
        item["pos"] = [node.column * _COLUMN, below[node.column]]
        item["size"] = [300, node.height]
        below[node.column] += node.height + _ROW


def _slot(node: Node, output: str) -> int:
    return [name for name, _ in node.outputs].index(output)
