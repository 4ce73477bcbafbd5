"""One way through VGG-16 and back, by hand: autograd's gradient with less memory and less work.

Only the values after each ReLU are kept. They say where the ReLU was open, and pooling them once
more on the way back finds its maxima again, so that no index waits from one way to the other.
Gradients are masked in place, and everything is given back as soon as it is used.
"""

from collections.abc import Callable, Collection

import torch
import torch.nn.functional as F
from torch import Tensor

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
        self._vgg, self._dtype = vgg, image.dtype
        self._way: list[tuple[Layer, Tensor]] = []
        self.features: dict[str, Tensor] = {}
        with torch.no_grad():
            for layer, features in vgg.walk(image, layers):
                if back:
                    self._way.append((layer, features))
                if layer.name in layers:
                    self.features[layer.name] = features

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
            gradient, masked = self._arrival(of_layer), False
            while self._way:
                layer, features = self._way.pop()
                if not masked:
                    _close(gradient, features)
                del features  # the convolution's own memory is needed now
                weight = self._vgg.convolution(layer).weight
                if not self._way:
                    gradient = _by_picture(gradient, weight, self._dtype)
                    on_layer()
                    break
                gradient = F.conv_transpose2d(gradient, weight, padding=1)
                on_layer()
                before, features = self._way[-1]
                wanted = before.name in self.features
                masked = layer.follows_pooling and not wanted and self._vgg.pooling == "max"
                if layer.follows_pooling:
                    gradient = self._unpool(gradient, features, masked)
                if wanted:
                    gradient += of_layer(before.name)
                    del self.features[before.name]
            return self._vgg.preprocessing.back(gradient)

    def _arrival(self, of_layer: Callable[[str], Tensor]) -> Tensor:
        deepest = self._way[-1][0].name
        gradient = of_layer(deepest)
        del self.features[deepest]
        return gradient.contiguous(memory_format=torch.channels_last)

    def _unpool(self, gradient: Tensor, features: Tensor, mask: bool) -> Tensor:
        """The gradient by what was pooled; with `mask`, through its ReLU too.

        A maximum of 0 comes from a closed ReLU, and what is no maximum has no gradient at all, so
        masking the small gradient is masking the large one.
        """
        unpooled: Tensor
        if self._vgg.pooling == "average":
            unpooled = torch.ops.aten.avg_pool2d_backward(
                gradient, features, [2, 2], [2, 2], [0, 0], False, True, None
            )
            return unpooled
        strips = _strips(features, 2)
        pooled, where = F.max_pool2d(strips, kernel_size=2, return_indices=True)
        gradient = _strips(gradient, 1)
        if mask:
            _close(gradient, pooled)
        unpooled = torch.ops.aten.max_pool2d_with_indices_backward(
            gradient, strips, [2, 2], [2, 2], [0, 0], [1, 1], False, where
        )
        unpooled = unpooled.movedim(1, -1).flatten(0, 1).movedim(-1, 0)[None]
        left_over = features.shape[2] % 2  # a row that was not pooled
        return F.pad(unpooled, (0, 0, 0, 1)) if left_over else unpooled


def _strips(features: Tensor, rows: int) -> Tensor:
    """(1, N, h, w) -> (h // rows, N, rows, w), free of charge for channels-last features.

    PyTorch's way back of a pooling works on the pictures of a batch at once, and on no part of one.
    """
    _, channels, height, width = features.shape
    count = height // rows
    whole = features[:, :, : count * rows].movedim(1, -1)
    return whole.reshape(count, rows, width, channels).movedim(-1, 1)


def _close(gradient: Tensor, features: Tensor) -> None:
    """Zero the gradient where the ReLU was closed, in place."""
    torch.ops.aten.threshold_backward.grad_input(gradient, features, 0, grad_input=gradient)


def _by_picture(gradient: Tensor, weight: Tensor, dtype: torch.dtype) -> Tensor:
    """The first convolution's way back, (1, N, H, W) -> (1, 3, H, W) in `dtype`.

    The same as `conv_transpose2d`, which takes twice as long for so few channels: one product for
    all nine places of the kernel, and the sum of its parts, each moved to its place.
    """
    height, width = size_of(gradient)
    channels, places = weight.shape[1], weight.shape[2] * weight.shape[3]
    parts = weight.flatten(1).mT @ gradient[0].flatten(1)
    parts = parts.view(channels, places, height, width)
    picture = torch.zeros(
        channels, height + 2, width + 2, dtype=dtype, device=gradient.device
    )  # with the row and column beyond each edge, which belong to no pixel
    for place in range(places):
        row, column = divmod(place, weight.shape[3])
        picture[:, row : row + height, column : column + width] += parts[:, place]
    return picture[None, :, 1:-1, 1:-1]
