"""Moving samples: pictures in layers, each moved by a map that can be inverted.

So the flow between any two frames, and what one shows of the other, are known exactly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .canvas import Canvas, frame

Field = Tensor
# What a layer shows at time 0 in place of (x, y), or where it went: both in units of the height.
Move = Callable[[Field, Field, float], tuple[Field, Field]]


@dataclass(frozen=True, eq=False)
class Layer:
    """A part of a moving picture.

    Attributes:
        picture: (1, 4, H, W) RGB with alpha at time 0, the colors multiplied by it.
        there: where what is at (x, y) at time 0 is at a time.
        back: where what is at (x, y) at a time was at time 0.
    """

    picture: Tensor
    there: Move
    back: Move


@dataclass(frozen=True, eq=False)
class Scene:
    """Layers, the farthest first.

    Attributes:
        aspect: width divided by height.
        layers: the first is opaque.
    """

    aspect: float
    layers: Sequence[Layer]

    def frame(self, time: float, size: int) -> Tensor:
        """(1, 3, H, W) in [0, 1], the longer side `size` pixels."""
        x, y = self._places(size)
        picture = torch.zeros(1, 3, *x.shape)
        for layer in self.layers:
            colors = self._looked_up(layer, x, y, time)
            picture = picture * (1 - colors[:, 3:]) + colors[:, :3]
        return picture.clamp(0, 1)

    def flow(self, first: float, second: float, size: int) -> tuple[Tensor, Tensor]:
        """From a frame to another, (1, 2, H, W) in pixels, and where the other shows the same.

        The second is (H, W), 1 where what is seen in the first frame is seen in the second.
        """
        x, y = self._places(size)
        seen = self._nearest(x, y, first)
        new_x, new_y = x, y
        for index, layer in enumerate(self.layers):
            moved = layer.there(*layer.back(x, y, first), second)
            new_x = torch.where(seen == index, moved[0], new_x)
            new_y = torch.where(seen == index, moved[1], new_y)
        same = self._nearest(new_x, new_y, second) == seen
        within = (new_x >= 0) & (new_x <= self.aspect) & (new_y >= 0) & (new_y <= 1)
        pixels = x.shape[0]
        return torch.stack([new_x - x, new_y - y])[None] * pixels, (same & within).float()

    def _places(self, size: int) -> tuple[Field, Field]:
        height, width = frame(self.aspect, size)
        y, x = torch.meshgrid(
            (torch.arange(height, dtype=torch.float64) + 0.5) / height,
            (torch.arange(width, dtype=torch.float64) + 0.5) / height,
            indexing="ij",
        )
        return x, y

    def _nearest(self, x: Field, y: Field, time: float) -> Field:
        """Which layer is seen, as far as one is more than half opaque."""
        seen = torch.zeros_like(x, dtype=torch.long)
        for index, layer in enumerate(self.layers[1:], 1):
            alpha = self._looked_up(layer, x, y, time)[0, 3]
            seen[alpha > 0.5] = index
        return seen

    def _looked_up(self, layer: Layer, x: Field, y: Field, time: float) -> Tensor:
        before_x, before_y = layer.back(x, y, time)
        grid = torch.stack([2 * before_x / self.aspect - 1, 2 * before_y - 1], dim=-1)
        picture = shrunk(layer, *x.shape)
        return F.grid_sample(
            picture,
            grid[None].to(picture),
            mode="bilinear",
            padding_mode="reflection" if layer is self.layers[0] else "zeros",
            align_corners=False,
        )


@lru_cache(maxsize=16)
def shrunk(layer: Layer, height: int, width: int) -> Tensor:
    """Its picture in the size of a frame, or fine detail would flicker as it moves."""
    if layer.picture.shape[-2] <= height:
        return layer.picture
    return F.interpolate(layer.picture, (height, width), mode="area")


def shifted(x_speed: float, y_speed: float = 0.0) -> tuple[Move, Move]:
    """A layer that moves by so many heights a unit of time."""

    def there(x: Field, y: Field, time: float) -> tuple[Field, Field]:
        return x + x_speed * time, y + y_speed * time

    return there, lambda x, y, time: there(x, y, -time)


def zoomed(rate: float, x_center: float, y_center: float) -> tuple[Move, Move]:
    """A layer that grows `rate` times a unit of time around a place."""

    def there(x: Field, y: Field, time: float) -> tuple[Field, Field]:
        factor = rate**time
        return x_center + (x - x_center) * factor, y_center + (y - y_center) * factor

    return there, lambda x, y, time: there(x, y, -time)


def swaying(swing: float, pitch: float, top: float) -> tuple[Move, Move]:
    """Rows below `top` that go left and right, each at its own phase: waves."""

    def sway(y: Field, time: float) -> Field:
        below = ((y - top) / 0.1).clamp(0, 1)
        return swing * below * (torch.sin(pitch * y + 6.3 * time) - torch.sin(pitch * y))

    return (
        lambda x, y, time: (x + sway(y, time), y),
        lambda x, y, time: (x - sway(y, time), y),
    )


def cut_out(aspect: float, size: int, paint: Callable[[Canvas], None]) -> Tensor:
    """What `paint` paints, (1, 4, H, W): alpha is how little it shows of what is behind it."""
    black, white = (Canvas(aspect, size, seed=1, color=code) for code in ("#000000", "#ffffff"))
    for canvas in (black, white):
        paint(canvas)
    alpha = 1 - (white.pixels - black.pixels).mean(-1, keepdims=True).clip(0, 1)
    layer = np.concatenate([black.pixels.clip(0, 1), alpha], axis=-1).transpose(2, 0, 1)[None]
    return torch.from_numpy(np.ascontiguousarray(layer, dtype=np.float32))


def opaque(canvas: Canvas) -> Tensor:
    """A whole painting as a layer, (1, 4, H, W)."""
    planes = np.clip(canvas.pixels, 0, 1).transpose(2, 0, 1)[None].astype(np.float32)
    picture = torch.from_numpy(np.ascontiguousarray(planes))
    return torch.cat([picture, torch.ones_like(picture[:, :1])], dim=1)
