"""A canvas in unit coordinates: the same painting at every size.

y runs from 0 (top) to 1, x from 0 (left) to the aspect ratio. Nothing random may depend on the
number of pixels, so every random lattice and count here is fixed and only its drawing scales.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

Field = NDArray[np.floating[Any]]
Box = tuple[slice, slice]

# Polygons are rasterized this many times finer and averaged: 16 levels of coverage at an edge.
POLYGON_SUPERSAMPLING = 4


def rgb(code: str) -> Field:
    """A color like ``"#ff8800"`` as three floats in [0, 1]."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32) / 255


def smoothstep(low: float, high: float, value: Field) -> Field:
    """0 below `low`, 1 above `high`, a smooth S between; falls instead if `high` < `low`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def mix(start: ArrayLike, end: ArrayLike, amount: ArrayLike) -> Field:
    """Linear blend: `start` at amount 0, `end` at amount 1."""
    first = np.asarray(start, dtype=np.float32)
    last, share = np.asarray(end, dtype=np.float32), np.asarray(amount, dtype=np.float32)
    return np.asarray(first + (last - first) * share)


def ramp(value: Field, *stops: tuple[float, str]) -> Field:
    """Color gradient: values (...) looked up between color `stops`, giving (..., 3)."""
    places = [place for place, _ in stops]
    colors = np.stack([rgb(code) for _, code in stops])
    channels = [np.interp(value, places, colors[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def frame(aspect: float, size: int) -> tuple[int, int]:
    """Height and width in pixels of a picture whose longer side has `size`."""
    return round(size / max(aspect, 1)), round(size * min(aspect, 1))


class Canvas:
    """An (H, W, 3) picture with float32 values near [0, 1], its coordinates and its own dice."""

    def __init__(self, aspect: float, size: int, seed: int, color: str = "#000000") -> None:
        """Start with one flat color; the longer side gets `size` pixels."""
        self.height, self.width = frame(aspect, size)
        self.aspect = aspect
        self.rng = np.random.default_rng(seed)
        self.scale = np.array([self.width / aspect, self.height])  # pixels per unit of x and of y
        self.x: Field = (np.arange(self.width, dtype=np.float32)[None] + 0.5) / self.scale[0]
        self.y: Field = (np.arange(self.height, dtype=np.float32)[:, None] + 0.5) / self.scale[1]
        self.x, self.y = self.x.astype(np.float32), self.y.astype(np.float32)
        self.pixels: Field = np.empty((self.height, self.width, 3), dtype=np.float32)
        self.pixels[:] = rgb(color)

    @property
    def pixel(self) -> float:
        """Height of one pixel in units."""
        return 1 / self.height

    def edge(self, distance: Field) -> Field:
        """Coverage of a shape from its signed distance (negative inside), one pixel soft."""
        return np.asarray(np.clip(0.5 - distance * self.height, 0, 1))

    def noise(self, rows: float, columns: float, octaves: int = 1, fall: float = 0.5) -> Field:
        """Smooth random (H, W) field, about [-1, 1]: lattice cells per unit of y and of x."""
        total = np.zeros((self.height, self.width), dtype=np.float32)
        weight, weights = 1.0, 0.0
        for octave in range(octaves):
            # Not a factor of 2: lattices that line up would show as a grid.
            finer = 1.87**octave
            shape = [max(2, round(count * finer)) for count in (rows, columns * self.aspect)]
            lattice = self.rng.uniform(-1, 1, shape).astype(np.float32)
            total += weight * np.asarray(self.resized(lattice))
            weights += weight**2
            weight *= fall
        return np.asarray(total / np.float32(weights**0.5))

    def resized(self, lattice: Field) -> Field:
        """A small (rows, columns) field stretched over the canvas (H, W)."""
        image = Image.fromarray(lattice)
        return np.asarray(image.resize((self.width, self.height), Image.Resampling.BICUBIC))

    def lookup(self, field: Field, x: Field, y: Field) -> Field:
        """Values of a canvas-sized (H, W) or (H, W, 3) `field` at other places."""
        x, y = np.broadcast_arrays(x, y)
        grid = np.stack([x / self.aspect * 2 - 1, y * 2 - 1], axis=-1)[None].astype(np.float32)
        planes = torch.from_numpy(np.ascontiguousarray(field.reshape(*field.shape[:2], -1)))
        found: Tensor = torch.nn.functional.grid_sample(
            planes.permute(2, 0, 1)[None],
            torch.from_numpy(grid),
            padding_mode="reflection",
            align_corners=False,
        )
        values: Field = found[0].permute(1, 2, 0).numpy()
        return values if field.ndim == 3 else values[..., 0]

    def paint(self, coverage: ArrayLike, color: ArrayLike) -> None:
        """Blend one color (3,) or a picture (H, W, 3) in where `coverage` (H, W) is above 0."""
        amount = np.asarray(coverage, dtype=np.float32)[..., None]
        self.pixels += (np.asarray(color, dtype=np.float32) - self.pixels) * amount

    def coverage(self, points: ArrayLike, blur: float = 0.0) -> tuple[Box, Field]:
        """The box around a polygon (N, 2) and how much of each of its pixels is inside."""
        corners = np.asarray(points, dtype=np.float64) * self.scale
        margin = 1 + 3 * blur * self.height
        limits = np.array([self.width, self.height])
        low = np.clip(np.floor(corners.min(axis=0) - margin), 0, limits).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0) + margin), low, limits).astype(int)
        box = (slice(low[1], high[1]), slice(low[0], high[0]))
        if (high <= low).any():
            return box, np.zeros((high[1] - low[1], high[0] - low[0]), dtype=np.float32)
        factor = POLYGON_SUPERSAMPLING
        wide, tall = (int(count) for count in (high - low) * factor)
        mask = Image.new("L", (wide, tall))
        outline = ((corners - low) * factor - 0.5).ravel().tolist()
        ImageDraw.Draw(mask).polygon(outline, fill=255)
        mask = mask.reduce(factor)
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * self.height))
        return box, np.asarray(mask, dtype=np.float32) / 255

    def polygon(
        self, points: ArrayLike, color: ArrayLike, alpha: float = 1.0, blur: float = 0.0
    ) -> None:
        """Fill a polygon (N, 2) with one color (3,) or a picture (H, W, 3); `blur` in units."""
        box, inside = self.coverage(points, blur)
        paint = np.asarray(color, dtype=np.float32)
        region = self.pixels[box]
        region += ((paint[box] if paint.ndim == 3 else paint) - region) * (
            alpha * inside[..., None]
        )

    def polygons(self, shapes: Iterable[ArrayLike], colors: Iterable[ArrayLike]) -> None:
        """Fill many opaque polygons, each over the ones before; fast for thousands."""
        factor = int(np.clip(1400 // max(self.width, self.height), 2, 4))
        outlines = [np.asarray(shape, dtype=np.float32) for shape in shapes]
        corners = np.concatenate(outlines) * (self.scale * factor) - 0.5
        ends = np.cumsum([2 * len(outline) for outline in outlines]).tolist()
        flat: list[float] = corners.ravel().tolist()
        codes = (np.clip(np.stack([np.asarray(c) for c in colors]), 0, 1) * 255 + 0.5).astype(int)

        base = Image.fromarray((np.clip(self.pixels, 0, 1) * 255 + 0.5).astype(np.uint8))
        size = (self.width * factor, self.height * factor)
        image = base.resize(size, Image.Resampling.NEAREST)
        draw = ImageDraw.Draw(image)
        for start, end, code in zip([0, *ends[:-1]], ends, codes.tolist(), strict=True):
            draw.polygon(flat[start:end], fill=tuple(code))
        self.pixels = np.asarray(image.reduce(factor), dtype=np.float32) / 255

    def tensor(self, size: int) -> Tensor:
        """The picture, shrunk to `size`, as (1, 3, H, W) float32 RGB in [0, 1]."""
        planes = np.clip(self.pixels, 0, 1).transpose(2, 0, 1)[None].astype(np.float32)
        picture = torch.from_numpy(np.ascontiguousarray(planes))
        shape = frame(self.aspect, size)
        if shape == picture.shape[2:]:
            return picture
        return torch.nn.functional.interpolate(picture, shape, mode="area")
