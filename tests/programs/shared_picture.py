"""Pictures that several processes share, beside the same ones made alone. For torchrun.

The first process prints a line for each: its name, the farthest a value is from that made alone,
and whether all processes have the same bits.
"""

import hashlib

import torch
from small import picture, seeded_vgg

from nst_core import (
    ContentLoss,
    LaplacianLoss,
    RunSettings,
    Runtime,
    StyleLoss,
    TotalVariationLoss,
    stylize,
)
from nst_core.control.losses import Keep
from nst_core.processes import ALONE
from nst_core.run.group import joined

torch.set_num_threads(1)
DOUBLE, CPU = torch.float64, torch.device("cpu")
HEIGHT, WIDTH = 56, 80
CONTENT, STYLE, OTHER = (
    picture(*size, seed=seed, dtype=DOUBLE)
    for seed, size in enumerate([(HEIGHT, WIDTH), (90, 60), (40, 47)])
)
START = picture(HEIGHT, WIDTH, seed=9, dtype=DOUBLE)
RAMP = torch.linspace(0, 1, HEIGHT * WIDTH).view(HEIGHT, WIDTH)
FEW = "relu1_1,relu3_1"


def content(**given):
    return ContentLoss(**{"image": CONTENT, "weight": 1.0, "layers": "relu3_2"} | given)


def style(**given):
    return StyleLoss(**{"images": (STYLE,), "weight": 10.0, "layers": FEW} | given)


# Losses, and settings beside the usual ones.
CASES = {
    "deep layers in tiles": (
        [content(layers="relu4_2"), style(layers="low")],
        {"tile": 32, "steps": 1},
    ),
    "regions and a kept part": (
        [
            content(mask=RAMP),
            style(mask=1 - RAMP),
            style(images=(OTHER,), mask=RAMP, image_masks=(RAMP,)),
            Keep(image=CONTENT, mask=(RAMP > 0.8).float()),
        ],
        {},
    ),
    "seamless": ([style(layers="relu1_1,relu2_1")], {"seamless": True}),
    "several styles, scales and image losses": (
        [
            content(),
            style(images=(STYLE, OTHER), shares=(0.7, 0.3)),
            TotalVariationLoss(weight=1.0),
            LaplacianLoss(image=CONTENT, weight=1.0),
        ],
        {"scales": 2},
    ),
    "views": ([content(), style(layers="relu1_1,relu2_1")], {"views": 2}),
    "distributions and moments": (
        [style(statistics="sliced-wasserstein"), style(statistics="gram+mean-std")],
        {},
    ),
}
TINY = ([content(), style(layers="relu1_1,relu2_1")], {"size": 16})


def bits(image):
    return hashlib.sha256(image.numpy().tobytes()).hexdigest()


def made(losses, given, vgg, processes):
    settings = RunSettings(**{"size": WIDTH, "steps": 2, "scales": 1, "tolerance": 0} | given)
    runtime = Runtime(CPU, vgg.weights()["conv1_1.weight"].dtype, processes=processes)
    start = START.to(runtime.dtype)  # or it would be float32
    return stylize(losses, vgg=vgg, settings=settings, runtime=runtime, start=start).image


def compared(name, case, vgg, group):
    shared = made(*case, vgg, group)
    same = len(set(group.told(bits(shared)))) == 1
    if group.is_first:
        alone = made(*case, vgg, ALONE)
        print(name, float((shared - alone).abs().max()), same, sep=": ", flush=True)  # noqa: T201


with joined() as group:
    double = seeded_vgg(DOUBLE)
    for name, case in CASES.items():
        compared(name, case, double, group)
    compared("more processes than blocks", TINY, double, group)
    losses = [
        loss.map(images=lambda image: image.float())
        for loss in CASES["several styles, scales and image losses"][0]
    ]
    compared("float32", (losses, {"steps": 1}), seeded_vgg(), group)
