"""VGG-16 forward and backward by hand: autograd's gradient with less memory and less work.

Only the features after each ReLU are saved, and of those that are pooled only the indices of the
maxima. Gradients are masked in place, and everything is freed as soon as it is used.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..gatys.preprocessing import Preprocessing
from ..gatys.vgg import (
    NO_CROP,
    NO_CROPS,
    VGG16,
    Backward,
    Crop,
    Crops,
    GradientOf,
    Layer,
    Network,
    size_of,
)
from .convolution import Convolution, relu_backward
from .mapped_memory import empty_mapped
from .pooling import Pooled, max_pool


def fast_network(vgg: VGG16, on_layer: Callable[[], None] = lambda: None) -> Network:
    """As `gatys.vgg.autograd_network`, of a network whose convolutions are of `kernels`.

    Args:
        vgg: on the device and in the dtype to compute with.
        on_layer: called after each convolution's backward; may raise to cancel.

    `backward` asks for the deepest layer's gradient first, and may overwrite it.
    """

    def network(
        image: Tensor, layers: Collection[str], crops: Crops = NO_CROPS
    ) -> tuple[dict[str, Tensor], Backward]:
        forward = _Forward(vgg, image, layers, crops, on_layer)
        return forward.features, forward.backward

    return network


@dataclass(frozen=True, eq=False)
class _Saved:
    """What the backward pass needs of a layer.

    Attributes:
        layer: which.
        features: of its ReLU; None where the maxima alone are needed.
        pooled: its pooling.
    """

    layer: Layer
    features: Tensor | None
    pooled: Pooled | None = None


class _Forward:
    """One forward pass to the deepest of the layers, and its backward pass."""

    def __init__(
        self,
        vgg: VGG16,
        image: Tensor,
        layers: Collection[str],
        crops: Crops,
        on_layer: Callable[[], None],
    ) -> None:
        self._vgg, self._dtype, self._layers, self._crops = vgg, image.dtype, layers, crops
        self._on_layer = on_layer
        self._saved: list[_Saved] = []
        self.features: dict[str, Tensor] = {}
        pool = self._pool if vgg.pooling == "max" else vgg.pool
        with torch.no_grad():
            for layer, features in vgg.each_layer(image, layers, crops, pool):
                self._saved.append(_Saved(layer, features))
                if layer.name in layers:
                    self.features[layer.name] = features
                del features  # pooled features are not kept

    def _pool(self, features: Tensor) -> Tensor:
        """Of features that no loss looks at, the backward pass needs the maxima alone."""
        saved, pooled = self._saved[-1], max_pool(features)
        looked_at = saved.layer.name in self._layers
        self._saved[-1] = replace(saved, features=features if looked_at else None, pooled=pooled)
        return pooled.features

    def backward(self, gradient_of: GradientOf) -> Tensor:
        """The gradient by the image, (1, 3, H, W) in its dtype."""
        with torch.no_grad():
            layer, *gradient = self._deepest(gradient_of)  # in a list: whoever pops it owns it
            while self._saved:
                convolution, crop = self._convolution(layer), self._crops.get(layer.name, NO_CROP)
                before = self._saved.pop()
                name = before.layer.name
                if layer.block > before.layer.block:
                    pooled = before.pooled.features if before.pooled else None
                    gradient.append(convolution.backward(gradient.pop(), pooled, crop=crop))
                    del pooled
                    gradient.append(self._pooling_backward(gradient.pop(), before, gradient_of))
                else:
                    extra = gradient_of(name) if name in self.features else None
                    features = before.features
                    gradient.append(convolution.backward(gradient.pop(), features, extra, crop))
                    del extra, features
                self._on_layer()
                self.features.pop(name, None)
                layer = before.layer
            weight, crop = self._convolution(layer).weight, self._crops.get(layer.name, NO_CROP)
            image_gradient = _first_convolution_backward(gradient.pop(), weight, self._dtype, crop)
            self._on_layer()
            return _preprocessing_backward(image_gradient, self._vgg.preprocessing)

    def _convolution(self, layer: Layer) -> Convolution:
        convolution = self._vgg.convolutions[f"conv{layer.block}_{layer.index}"]
        assert isinstance(convolution, Convolution)
        return convolution

    def _deepest(self, gradient_of: GradientOf) -> tuple[Layer, Tensor]:
        """The deepest layer, and the gradient by the input of its ReLU."""
        saved = self._saved.pop()
        name, features = saved.layer.name, saved.features
        gradient = gradient_of(name).contiguous(memory_format=torch.channels_last)
        del self.features[name]
        assert features is not None
        return saved.layer, relu_backward(gradient, features, gradient)

    def _pooling_backward(self, gradient: Tensor, saved: _Saved, gradient_of: GradientOf) -> Tensor:
        """The gradient by the input of the ReLU whose features were pooled.

        Maxima of 0 have no gradient by now, which is where the ReLU let nothing pass.
        """
        if saved.pooled:
            gradient = saved.pooled.backward(gradient)
        else:
            gradient = torch.ops.aten.avg_pool2d_backward(
                gradient, saved.features, [2, 2], [2, 2], [0, 0], False, True, None
            )
        if saved.features is None:
            return gradient
        if saved.layer.name in self.features:
            gradient += gradient_of(saved.layer.name)
        return relu_backward(gradient, saved.features, gradient)


def _preprocessing_backward(gradient: Tensor, preprocessing: Preprocessing) -> Tensor:
    """A gradient by the prepared picture, (B, 3, H, W) -> the gradient by the image."""
    order, scale = preprocessing.order, preprocessing.scale
    colors = [gradient[:, order.index(c)] * scale[c] for c in range(3)]
    return torch.stack(colors, dim=1)


def _first_convolution_backward(
    gradient: Tensor, weight: Tensor, dtype: torch.dtype, crop: Crop
) -> Tensor:
    """The first convolution's backward, (1, N, H, W) -> (1, 3, H, W) in `dtype`.

    The same as `conv_transpose2d`, which takes twice as long for so few channels: one product for
    all nine places of the filter, and the sum of its parts, each moved to its place.
    """
    height, width = size_of(gradient)
    channels, places = weight.shape[1], weight.shape[2] * weight.shape[3]
    by_place = weight.flatten(1).mT
    parts = empty_mapped(gradient, channels * places, height * width)
    torch.mm(by_place, gradient[0].flatten(1), out=parts)
    if gradient.device.type == "cuda":  # one call to add them up, not nine
        wide = F.fold(parts[None].to(dtype), (height + 2, width + 2), weight.shape[2:])
    else:
        wide = _folded(parts.view(channels, -1, height, width), weight.shape[3], dtype)
    # A row and a column beyond each edge: no pixels where nothing was dropped.
    return F.pad(wide, [dropped - 1 for dropped in crop])


def _folded(parts: Tensor, across: int, dtype: torch.dtype) -> Tensor:
    """As `F.fold` of (N, places, H, W), (1, N, H + 2, W + 2)."""
    channels, places, height, width = parts.shape
    picture = parts.new_zeros(1, channels, height + 2, width + 2, dtype=dtype)
    for place in range(places):
        row, column = divmod(place, across)
        picture[0, :, row : row + height, column : column + width] += parts[:, place]
    return picture
