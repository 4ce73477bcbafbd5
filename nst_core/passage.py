"""One way through VGG-16 and back, by hand: autograd's gradient with less memory and less work.

Only the values after each ReLU are kept, which say where it was open, and of those that are pooled
only where the maxima were. Gradients are masked in place, and everything is given back as soon as
it is used.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from .convolution import closed
from .maxima import Maxima
from .memory import empty
from .vgg import VGG16, Layer, size_of


@dataclass(frozen=True, eq=False)
class _Passed:
    """What is kept of a layer for the way back.

    Attributes:
        layer: which.
        features: of its ReLU; None where nothing but their maxima is needed.
        maxima: of their pooling.
    """

    layer: Layer
    features: Tensor | None
    maxima: Maxima | None = None


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
        self._way: list[_Passed] = []
        self.features: dict[str, Tensor] = {}
        pool = self._pool if back and vgg.pooling == "max" else vgg.pool
        with torch.no_grad():
            for layer, features in vgg.walk(image, layers, pool):
                if back:
                    self._way.append(_Passed(layer, features))
                if layer.name in layers:
                    self.features[layer.name] = features
                del features  # they are not kept once they are pooled

    def _pool(self, features: Tensor) -> Tensor:
        """Of features that no loss looks at, the way back needs no more than the maxima."""
        passed, maxima = self._way[-1], Maxima.of(features)
        looked_at = passed.layer.name in self._layers
        self._way[-1] = replace(passed, features=features if looked_at else None, maxima=maxima)
        return maxima.pooled

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
                before = self._way.pop()
                name = before.layer.name
                more = partial(of_layer, name) if name in self.features else None
                if layer.follows_pooling:
                    pooled = before.maxima.pooled if before.maxima else None
                    gradient.append(convolution.back(gradient.pop(), pooled))
                    del pooled
                    gradient.append(self._unpool(gradient.pop(), before, more))
                else:
                    gradient.append(convolution.back(gradient.pop(), before.features, more))
                on_layer()
                self.features.pop(name, None)
                layer = before.layer
            weight = self._vgg.convolution(layer).weight
            picture = _by_picture(gradient.pop(), weight, self._dtype)
            on_layer()
            return self._vgg.preprocessing.back(picture)

    def _arrival(self, of_layer: Callable[[str], Tensor]) -> tuple[Layer, Tensor]:
        """The deepest layer, and the gradient by what came into its ReLU."""
        passed = self._way.pop()
        name, features = passed.layer.name, passed.features
        gradient = of_layer(name).contiguous(memory_format=torch.channels_last)
        del self.features[name]
        assert features is not None
        return passed.layer, closed(gradient, features, gradient)

    def _unpool(
        self, gradient: Tensor, passed: _Passed, more: Callable[[], Tensor] | None
    ) -> Tensor:
        """The gradient by what came into the ReLU whose features were pooled.

        Maxima of 0 have no gradient by now, which is where the ReLU was closed.
        """
        if passed.maxima:
            gradient = passed.maxima.gradient(gradient)
        else:
            gradient = torch.ops.aten.avg_pool2d_backward(
                gradient, passed.features, [2, 2], [2, 2], [0, 0], False, True, None
            )
        if passed.features is None:
            return gradient
        if more:
            gradient += more()
        return closed(gradient, passed.features, gradient)


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
    if gradient.device.type == "cuda":  # one call to add them up, not nine
        return F.fold(parts[None].to(dtype), (height, width), weight.shape[2:], padding=1)
    parts = parts.view(channels, places, height, width)
    picture = torch.zeros(
        channels, height + 2, width + 2, dtype=dtype, device=gradient.device
    )  # with the row and column beyond each edge, which belong to no pixel
    for place in range(places):
        row, column = divmod(place, weight.shape[3])
        picture[:, row : row + height, column : column + width] += parts[:, place]
    return picture[None, :, 1:-1, 1:-1]
