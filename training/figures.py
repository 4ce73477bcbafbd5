"""The figures of a network: what its features keep of a picture, of a style, and of textures."""

import time
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core import VGG16, ContentLoss, RunSettings, load_vgg16, losses_of, preset_named, stylize
from nst_core.control.pyramid import fit, resize
from nst_core.gatys.functions import gram_sum
from nst_core.gatys.vgg import size_of
from nst_core.settings.layers import STYLE_LAYERS

from .scenes import Classes, draw_batch, without_color

# Style: crops of this many pixels a side, from pictures of this many, so many of each.
_CROP, _LONGER, _CROPS = 160, 640, 8
# Linear probe: classes the network was not trained on, and how many pictures of each.
_PROBE_SEED, _PROBE_CLASSES, _PROBE_TRAIN, _PROBE_TEST, _PROBE_SIDE = 4711, 100, 24, 8, 64
_RIDGE = 1e-2


def shrunk(picture: Tensor, longer: int) -> Tensor:
    """A picture with its longer side at `longer` pixels."""
    return resize(picture, *fit(*size_of(picture), longer))


def peak_signal_to_noise(picture: Tensor, original: Tensor) -> float:
    """PSNR in decibels of pictures in [0, 1]."""
    return float(-10 * (picture - original).square().mean().log10())


def rebuilt(vgg: VGG16, original: Tensor, evaluations: int) -> Tensor:
    """The picture found from gray that looks to relu4_2 like the original, (1, 3, H, W)."""
    settings = RunSettings(
        size=max(size_of(original)),
        init="gray",
        steps=10 * evaluations,
        max_evaluations=evaluations,
        scales=1,
        precision="float32",
        tolerance=0.0,
    )
    loss = ContentLoss(image=original, layers="relu4_2", weight=1.0)
    return stylize([loss], vgg=vgg, settings=settings).image


def from_gray(vgg: VGG16, content: Tensor, style: Tensor, evaluations: int) -> tuple[Tensor, float]:
    """The seed project's picture after so many evaluations, and by which share its loss fell."""
    seed = preset_named("gatys-vgg16").settings
    names = RunSettings.__dataclass_fields__
    own = {name: getattr(seed, name) for name in names}
    budget = {
        "steps": 10 * evaluations,
        "max_evaluations": evaluations,
        "tolerance": 0.0,
        "precision": "float32",
    }
    settings = RunSettings(**{**own, **budget})
    result = stylize(losses_of(content, [style], seed), vgg=vgg, settings=settings)
    least = min(record.loss for record in result.records)
    return result.image, 1 - least / result.records[0].loss


@torch.no_grad()
def style_retrieval(vgg: VGG16, pictures: Sequence[Tensor], seed: int = 0) -> dict[str, float]:
    """How often the crop nearest by Gram distance is of the same picture, by layer and in all.

    Crops lose color and histogram first, so that only texture counts. Distances are relative,
    ||G - A||² / ||A||², as in the default loss; "all" adds up the five layers.
    """
    generator = torch.Generator().manual_seed(seed)
    owners, grams = [], []
    for index, picture in enumerate(pictures):
        for crop in _crops(shrunk(picture, _LONGER), generator):
            features = vgg(without_color(crop), STYLE_LAYERS["all"])
            grams.append({name: gram_sum(f).flatten() for name, f in features.items()})
            owners.append(index)
    owner = torch.tensor(owners)
    distances = {
        name: _relative_distances(torch.stack([gram[name] for gram in grams]))
        for name in STYLE_LAYERS["all"]
    }
    distances["all"] = torch.stack(list(distances.values())).sum(dim=0)
    return {
        name: float((owner[distance.argmin(dim=0)] == owner).float().mean())
        for name, distance in distances.items()
    }


def _crops(picture: Tensor, generator: torch.Generator) -> list[Tensor]:
    """Squares at random places of a picture."""
    height, width = size_of(picture)
    side = min(_CROP, height, width)
    rows = torch.randint(height - side + 1, (_CROPS,), generator=generator).tolist()
    columns = torch.randint(width - side + 1, (_CROPS,), generator=generator).tolist()
    return [
        picture[..., row : row + side, column : column + side]
        for row, column in zip(rows, columns, strict=True)
    ]


def _relative_distances(grams: Tensor) -> Tensor:
    """(n, N²) -> (n, n), column j relative to crop j; no crop is near to itself."""
    squares = grams.square().sum(dim=1)
    distances = (squares[:, None] + squares - 2 * grams @ grams.mT) / squares.clamp(min=1e-20)
    return distances.fill_diagonal_(torch.inf)


@torch.no_grad()
def linear_probe(vgg: VGG16, count: int = _PROBE_CLASSES) -> dict[str, float]:
    """Top-1 of ridge regression from pooled features to texture classes never trained on."""
    classes = Classes.drawn(count, _PROBE_SEED, torch.device("cpu"))
    generator = torch.Generator().manual_seed(_PROBE_SEED)
    layers = ("relu3_3", "relu4_3", "relu5_3")
    pooled: dict[str, list[Tensor]] = {name: [] for name in layers}
    labels = []
    # Both pictures of a pair have one ground; things on it are part of the difficulty.
    for _ in range((_PROBE_TRAIN + _PROBE_TEST) * count // 100):
        batch = draw_batch(classes, 50, _PROBE_SIDE, generator)
        for name, features in vgg(batch.images, layers).items():
            pooled[name].append(features.mean(dim=(2, 3)))
        labels.append(batch.ground)
    label = torch.cat(labels)
    split = len(label) * _PROBE_TRAIN // (_PROBE_TRAIN + _PROBE_TEST)
    return {
        name: _ridge_accuracy(torch.cat(values), label, split) for name, values in pooled.items()
    }


def _ridge_accuracy(values: Tensor, label: Tensor, split: int) -> float:
    values = (values - values[:split].mean(dim=0)) / values[:split].std(dim=0).clamp(min=1e-6)
    wanted = F.one_hot(label).float()
    train = values[:split]
    gram = train.mT @ train / split + _RIDGE * torch.eye(values.shape[1])
    weights = torch.linalg.solve(gram, train.mT @ wanted[:split] / split)
    guessed = (values[split:] @ weights).argmax(dim=1)
    return float((guessed == label[split:]).float().mean())


def seconds_to_load(path: Path) -> float:
    """Of the best of three readings of a weights file of ours."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        load_vgg16(path)
        times.append(time.perf_counter() - began)
    return min(times)
