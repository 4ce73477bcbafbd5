"""One way through VGG-16 and back, by hand: autograd's gradient with less memory and less work.

Only the values after each ReLU are kept, which say where it was open, and of those that are pooled
only where the maxima were. Gradients are masked in place, and everything is given back as soon as
it is used.
"""

from collections.abc import Callable, Collection
from functools import partial

import torch
from torch import Tensor

from .convolution import closed
from .maxima import Maxima
from .memory import empty
from .vgg import VGG16, Layer, size_of


class Passage:
    """The way of a picture to the deepest of the layers, and the gradient's way back.

    Args:
        vgg: the network.
        image: (1, 3, H, W) RGB in [0, 1].
        layers: canonical names of the layers whose features are needed.
        back: whether `gradient` will be asked for; without it, only those features are kept.

    Attributes:
        features: {layer: (1, N, h, w)} of `layers`, without a graph.
    """

    def __init__(
        self, vgg: VGG16, image: Tensor, layers: Collection[str], *, back: bool = True
    ) -> None:
        self._vgg, self._dtype, self._layers = vgg, image.dtype, layers
        self._way: list[tuple[Layer, Tensor | Maxima]] = []
        self.features: dict[str, Tensor] = {}
        pool = self._pool if back and vgg.pooling == "max" else vgg.pool
        with torch.no_grad():
            for layer, features in vgg.walk(image, layers, pool):
                if back:
                    self._way.append((layer, features))
                if layer.name in layers:
                    self.features[layer.name] = features
                del features  # they are not kept once they are pooled

    def _pool(self, features: Tensor) -> Tensor:
        """Of features that no loss looks at, the way back needs no more than the maxima."""
        layer, _ = self._way[-1]
        pooled, maxima = Maxima.of(features)
        if layer.name not in self._layers:
            self._way[-1] = layer, maxima
        return pooled

    def gradient(
        self, of_layer: Callable[[str], Tensor], on_layer: Callable[[], None] = lambda: None
    ) -> Tensor:
        """The gradient by the image, (1, 3, H, W) in its dtype. Can be asked for once.

        Args:
            of_layer: canonical name -> gradient by that layer's features, which may be changed
                in place. Called for each of `layers`, deepest first.
            on_layer: called after each convolution; may raise to cancel.
        """
        with torch.no_grad():
            layer, *gradient = self._arrival(of_layer)  # in a list, so that whoever pops it owns it
            while self._way:
                convolution = self._vgg.convolution(layer)
                before, features = self._way.pop()
                more = partial(of_layer, before.name) if before.name in self.features else None
                if layer.follows_pooling:
                    gradient.append(convolution.back(gradient.pop()))
                    gradient.append(self._unpool(gradient.pop(), features, more))
                else:
                    assert isinstance(features, Tensor)
                    gradient.append(convolution.back(gradient.pop(), features, more))
                on_layer()
                self.features.pop(before.name, None)
                layer = before
            weight = self._vgg.convolution(layer).weight
            picture = _by_picture(gradient.pop(), weight, self._dtype)
            on_layer()
            return self._vgg.preprocessing.back(picture)

    def _arrival(self, of_layer: Callable[[str], Tensor]) -> tuple[Layer, Tensor]:
        """The deepest layer, and the gradient by what came into its ReLU."""
        layer, features = self._way.pop()
        assert isinstance(features, Tensor)
        gradient = of_layer(layer.name).contiguous(memory_format=torch.channels_last)
        del self.features[layer.name]
        return layer, closed(gradient, features, gradient)

    def _unpool(
        self, gradient: Tensor, pooled: Tensor | Maxima, more: Callable[[], Tensor] | None
    ) -> Tensor:
        """The gradient by what came into the ReLU whose features were pooled."""
        if isinstance(pooled, Maxima):
            return pooled.gradient(gradient)
        if self._vgg.pooling == "average":
            gradient = torch.ops.aten.avg_pool2d_backward(
                gradient, pooled, [2, 2], [2, 2], [0, 0], False, True, None
            )
        else:
            gradient = Maxima.of(pooled)[1].gradient(gradient)
        if more:
            gradient += more()
        return closed(gradient, pooled, gradient)


def _by_picture(gradient: Tensor, weight: Tensor, dtype: torch.dtype) -> Tensor:
    """The first convolution's way back, (1, N, H, W) -> (1, 3, H, W) in `dtype`.

    The same as `conv_transpose2d`, which takes twice as long for so few channels: one product for
    all nine places of the kernel, and the sum of its parts, each moved to its place.
    """
    height, width = size_of(gradient)
    channels, places = weight.shape[1], weight.shape[2] * weight.shape[3]
    by_place = weight.flatten(1).mT
    parts = empty(gradient, channels * places, height * width)
    torch.mm(by_place, gradient[0].flatten(1), out=parts)
    parts = parts.view(channels, places, height, width)
    picture = torch.zeros(
        channels, height + 2, width + 2, dtype=dtype, device=gradient.device
    )  # with the row and column beyond each edge, which belong to no pixel
    for place in range(places):
        row, column = divmod(place, weight.shape[3])
        picture[:, row : row + height, column : column + width] += parts[:, place]
    return picture[None, :, 1:-1, 1:-1]
