"""The loss of a picture and its gradient, over any number of tiles.

    pass 1: add up every term's pixel sums over the tiles, without gradient
    then:   the loss of the sums, and its derivative by each sum
    pass 2: backpropagate each tile against those derivatives, add into the full gradient

The chain rule makes this exact: the loss depends on a tile only through the sums. With one tile
both passes share one walk through the network.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from .errors import SettingsError
from .losses import laplacian, total_variation
from .passage import Passage
from .recording import directly, doer
from .targets import make_terms, numbered
from .terms import LaplacianLoss, TotalVariationLoss, Weighed
from .tiling import Tile, plan_tiles
from .vgg import LAYERS, VGG16
from .walk import Walk, owned_features, unwrapped, wrapped


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The loss of a picture, what it is made of, and which way it grows.

    `parts` add up to `loss`; `gradient` is (1, 3, H, W) in the picture's dtype.
    """

    loss: float
    parts: Mapping[str, float]
    gradient: Tensor


class Objective:
    """`evaluate(image) -> Evaluation`: the one thing the optimizer knows.

    Args:
        losses: values from `terms`, their content pictures at the size to be optimized.
        vgg: on the device and in the dtype to compute with.
        height, width: of the picture, in pixels.
        tile: longest side of a tile's core in pixels; 0 is one tile.
        wrap: the picture goes on at its other end, so that copies of it lie side by side. Its sides
            must be multiples of `tiling.ALIGNMENT`.
        unit: what weights are divided by; None is the largest of them.
        on_tile: called after each tile, and on the way back after each layer; may raise to
            cancel.
        record: whether evaluations are recorded, where that can be done (see `recording`);
            `on_tile` is then called after each of them.

    Attributes:
        unit: all weights are divided by it, because only their ratios say which picture is best:
            scaling all of them changes no bit of the path. A loss times `unit` is the loss as it
            was asked for.

    Raises:
        ImageTooSmall: a picture has no feature at a layer.
        SettingsError: nothing with a weight is left.
    """

    def __init__(
        self,
        losses: Sequence[Weighed],
        *,
        vgg: VGG16,
        height: int,
        width: int,
        tile: int = 0,
        wrap: bool = False,
        unit: float | None = None,
        on_tile: Callable[[], None] = lambda: None,
        record: bool = False,
    ) -> None:
        self.unit = unit_of(losses) if unit is None else unit
        # Divided before anything else, so that the ratios round the same at every scale.
        losses = [
            replace(loss, weight=loss.weight / self.unit) for loss in losses if loss.weight > 0
        ]
        self._vgg, self._on_tile = vgg, on_tile
        with torch.no_grad():
            walk = Walk(vgg=vgg, tile=tile, pixels=height * width, wrap=wrap, on_tile=on_tile)
            self._terms = make_terms(losses, walk, height, width)
            self._pixel_terms = _pixel_terms(losses, wrap)
        if not self._terms and not self._pixel_terms:
            raise SettingsError("No loss has a weight above 0. Give content or style a weight.")
        self._layers = sorted({term.layer for term in self._terms}, key=list(LAYERS).index)
        self._tiles = plan_tiles(height, width, tile, self._layers, wrap=wrap)
        # Many tiles are work enough for a card to be busy with while more is handed over.
        record = record and len(self._tiles) == 1 and all(term.recordable for term in self._terms)
        self._do = doer(next(vgg.parameters()).device, record=record)
        self._on_evaluation = _ignore
        if self._do is not directly:
            self._on_tile, self._on_evaluation = _ignore, on_tile

    def evaluate(self, image: Tensor) -> Evaluation:
        """Loss and gradient of a contiguous (1, 3, H, W) image."""
        gradient, values = self._do(self._whole, image)
        numbers = values.tolist()  # one wait for the device, not one for each part
        self._on_evaluation()
        return Evaluation(sum(numbers), dict(zip(self._names, numbers, strict=True)), gradient)

    def _whole(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The gradient of the image, and what each part of the loss is worth."""
        gradient, parts = self._network_part(image) if self._terms else (image * 0, {})
        if self._pixel_terms:
            leaf = image.detach().requires_grad_()
            with torch.enable_grad():
                worth = {name: term(leaf) for name, term in self._pixel_terms.items()}
                total = torch.stack(list(worth.values())).sum()
            gradient += torch.autograd.grad(total, leaf)[0]
            parts |= {name: part.detach() for name, part in worth.items()}
        self._names = list(parts)
        return gradient, torch.stack(list(parts.values()))

    def _network_part(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The gradient of all terms on features, and what each is worth."""
        alone, margin = len(self._tiles) == 1, self._tiles[0].margin
        image = wrapped(image, margin)
        totals: list[Tensor] = []
        for tile in self._tiles:
            visit = self._visit(image, tile, back=alone)
            sums = [part.detach() for part in visit.sums]
            if not alone:
                self._on_tile()
            totals = [a + b for a, b in zip(totals, sums, strict=True)] if totals else sums
        parts, seeds = self._loss_of_sums(totals)
        gradient = torch.zeros_like(image)
        for tile in self._tiles:
            if not alone:
                visit = self._visit(image, tile, back=True)
            gradient[tile.crop] += visit.gradient(seeds, self._on_tile)
        return unwrapped(gradient, margin), parts

    def _visit(self, image: Tensor, tile: Tile, *, back: bool) -> "_Visit":
        """A tile's way through the network, and each term's sum over its own positions."""
        passage = Passage(self._vgg, image[tile.crop], self._layers, back=back)
        leaves = {
            layer: features.detach().requires_grad_(back)
            for layer, features in passage.features.items()
        }
        with torch.set_grad_enabled(back):
            owned = owned_features(leaves, tile)
            sums = [
                term.sums(owned[term.layer], tile.owned_in_picture(term.layer))
                for term in self._terms
            ]
        return _Visit(passage, leaves, [term.layer for term in self._terms], sums)

    def _loss_of_sums(self, totals: list[Tensor]) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Each term's loss, and the derivative of their total by each sum."""
        leaves = [total.requires_grad_() for total in totals]
        with torch.enable_grad():
            losses = [
                term.loss(leaf) * term.weight
                for term, leaf in zip(self._terms, leaves, strict=True)
            ]
            seeds = torch.autograd.grad(torch.stack(losses).sum(), leaves)
        names = [term.name for term in self._terms]
        return dict(zip(names, [loss.detach() for loss in losses], strict=True)), list(seeds)


@dataclass(frozen=True, eq=False)
class _Visit:
    """One tile on its way: the sums hang on the leaves, and the leaves on the passage."""

    passage: Passage
    leaves: dict[str, Tensor]
    layers: list[str]  # of each sum
    sums: list[Tensor]

    def gradient(self, seeds: Sequence[Tensor], on_layer: Callable[[], None]) -> Tensor:
        """The gradient by the tile's crop, given the loss's derivative by each sum. Asked once."""
        parts = {
            layer: [
                (part, seed)
                for name, part, seed in zip(self.layers, self.sums, seeds, strict=True)
                if name == layer
            ]
            for layer in self.leaves
        }
        self.sums.clear()  # a sum keeps its layer's features alive, and these go on the way back

        def by_features(layer: str) -> Tensor:
            # One number for autograd to start from. Given tensors to start with instead, it imports
            # PyTorch's symbolic shapes and sympy: half a second, and 34 MB for as long as we run.
            with torch.enable_grad():
                worth = [(part * seed).sum() for part, seed in parts.pop(layer)]
                total = torch.stack(worth).sum()
            return torch.autograd.grad(total, self.leaves.pop(layer))[0]

        return self.passage.gradient(by_features, on_layer)


def _ignore() -> None:
    """The callback of those who need not hear."""


def unit_of(losses: Sequence[Weighed]) -> float:
    """The largest weight."""
    return max((loss.weight for loss in losses), default=0.0)


def _pixel_terms(losses: Sequence[Weighed], wrap: bool) -> dict[str, Callable[[Tensor], Tensor]]:
    """{name: weighted loss of an image} of what needs no network, and no tiles."""
    terms: dict[str, Callable[[Tensor], Tensor]] = {}
    variation = sum(loss.weight for loss in losses if isinstance(loss, TotalVariationLoss))
    if variation:
        terms["total variation"] = lambda image: variation * total_variation(image, wrap=wrap)
    details = [loss for loss in losses if isinstance(loss, LaplacianLoss)]
    for name, loss in zip(numbered("laplacian", len(details)), details, strict=True):
        terms[name] = partial(_detail, target=laplacian(loss.image), weight=loss.weight)
    return terms


def _detail(image: Tensor, *, target: Tensor, weight: float) -> Tensor:
    return weight * (laplacian(image) - target).square().mean()
