"""The loss of an image and its gradient.

    sums of each target over the features of the image
    then the losses of the sums, and their derivative by each sum
    then the backward pass through features and network, with these derivatives

The losses depend on the image through the sums alone, so the features may come in parts:
`control.tiled` adds the sums up over tiles, and runs the backward pass of each tile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .statistics import WHOLE, Window
from .targets import Target
from .vgg import LAYERS, Backward, Network

# (1, 3, H, W) in [0, 1] -> a scalar, with a graph.
ImageLoss = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The loss of an image, its parts, which add up to it, and its gradient, (1, 3, H, W)."""

    loss: float
    parts: Mapping[str, float]
    gradient: Tensor


class Objective:
    """`evaluate(image) -> Evaluation`: the one thing that L-BFGS knows.

    Args:
        targets: of content and style.
        network: image and layers -> features and their backward (see `vgg.autograd_network`).
        image_losses: {name: weighted loss} of the image itself, such as its total variation.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        network: Network,
        image_losses: Mapping[str, ImageLoss] | None = None,
    ) -> None:
        self.targets, self.network, self.image_losses = targets, network, image_losses or {}
        self.layers = sorted({target.layer for target in targets}, key=list(LAYERS).index)
        self.names = [*(target.name for target in targets), *self.image_losses]

    def evaluate(self, image: Tensor) -> Evaluation:
        """Loss and gradient of a contiguous (1, 3, H, W) image."""
        return self.evaluation(*self.gradient_and_losses(image))

    def evaluation(self, gradient: Tensor, losses: Tensor) -> Evaluation:
        """What `gradient_and_losses` gave, with numbers: one wait for the device, not many."""
        numbers = losses.tolist()
        return Evaluation(sum(numbers), dict(zip(self.names, numbers, strict=True)), gradient)

    def gradient_and_losses(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The gradient, and every weighted loss in the order of `names`, on the device."""
        gradient, losses = self.of_targets(image) if self.targets else (image * 0, [])
        if self.image_losses:
            leaf = image.detach().requires_grad_()
            with torch.enable_grad():
                own = [loss(leaf) for loss in self.image_losses.values()]
                total = torch.stack(own).sum()
            gradient += torch.autograd.grad(total, leaf)[0]
            losses += [loss.detach() for loss in own]
        return gradient, torch.stack(losses)

    def of_targets(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Gradient and weighted losses of all targets."""
        forward = Forward(self.targets, *self.network(image, self.layers))
        losses, derivatives = self.losses_of([part.detach() for part in forward.sums])
        return forward.backward(derivatives), losses

    def losses_of(self, sums: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Each target's weighted loss, and the derivative of their total by each sum."""
        leaves = [part.requires_grad_() for part in sums]
        with torch.enable_grad():
            losses = [
                target.loss(leaf) * target.weight
                for target, leaf in zip(self.targets, leaves, strict=True)
            ]
            derivatives = torch.autograd.grad(torch.stack(losses).sum(), leaves)
        return [loss.detach() for loss in losses], list(derivatives)


class Forward:
    """The sums of targets over features, and their backward.

    Args:
        targets: in the order of the sums.
        features: {layer: (1, N, h, w)}.
        backward: of the network.
        window: layer -> where the features lie in the layer of the whole image.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        features: Mapping[str, Tensor],
        backward: Backward,
        window: Callable[[str], Window] = lambda layer: WHOLE,
    ) -> None:
        self._backward = backward
        self._layers = [target.layer for target in targets]
        self._leaves = {name: values.detach().requires_grad_() for name, values in features.items()}
        with torch.enable_grad():
            self.sums = [
                target.sums(self._leaves[target.layer], window(target.layer)) for target in targets
            ]

    def backward(self, derivatives: Sequence[Tensor]) -> Tensor:
        """The gradient by the image, given the loss's derivative by each sum. Called once."""
        parts: dict[str, list[tuple[Tensor, Tensor]]] = {layer: [] for layer in self._leaves}
        for layer, part, derivative in zip(self._layers, self.sums, derivatives, strict=True):
            parts[layer].append((part, derivative))
        # A sum keeps its layer's features alive, and these are freed in the backward pass.
        del self.sums, part

        def gradient_of(layer: str) -> Tensor:
            # One number for autograd to start from. Given tensors to start with instead, it imports
            # PyTorch's symbolic shapes and sympy: half a second, and 34 MB for as long as we run.
            with torch.enable_grad():
                values = [(part * derivative).sum() for part, derivative in parts.pop(layer)]
                total = torch.stack(values).sum()
            return torch.autograd.grad(total, self._leaves.pop(layer))[0]

        return self._backward(gradient_of)
