"""A checkpoint to the file that ships: batch norm folded in, classic scales, 8 bits a weight."""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
import typer
from torch import Tensor

from nst_core.files.weights import builtin
from nst_core.files.weights.untrained import BLOCK_SCALES
from nst_core.files.weights.vgg_file import VGGFile, save_convolutions
from nst_core.gatys.preprocessing import CAFFE
from nst_core.gatys.vgg import LAYERS
from nst_core.settings.layers import STYLE_LAYERS

from .network import folded
from .scenes import Classes, draw_batch

_PICTURES, _SIDE, _SEED = 64, 96, 7


@torch.no_grad()
def with_classic_scales(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same features, every channel multiplied by one number.

    ReLU and max pooling commute with a positive factor, and the next layer divides it out, so what
    a channel looks for stays. A layer's size becomes about the Caffe network's, which is what
    presets made for that network expect. At the layers of the style all channels come to vary
    equally much, so that no few loud ones decide a Gram distance. At the others, where content is
    measured, they keep the shares that they were trained with.
    """
    generator = torch.Generator().manual_seed(_SEED)
    classes = Classes.drawn(_PICTURES, _SEED, torch.device("cpu"))
    pictures = draw_batch(classes, _PICTURES // 2, _SIDE, generator).images
    features = CAFFE(pictures).contiguous(memory_format=torch.channels_last)
    scaled, before = {}, torch.ones(3)
    for layer in LAYERS.values():
        if layer.index == 1 and layer.block > 1:
            features = F.max_pool2d(features, kernel_size=2)
        name = layer.name.replace("relu", "conv")
        weight, bias = weights[f"{name}.weight"] / before.view(1, -1, 1, 1), weights[f"{name}.bias"]
        features = F.conv2d(features, weight, bias, padding=1)
        # The outermost positions see zeros beside the picture, which is no picture's statistics.
        deviation = features[..., 1:-1, 1:-1].std(dim=(0, 2, 3))
        if layer.name in STYLE_LAYERS["all"]:
            # A channel that hardly moves is not blown up without limit.
            deviation = deviation.clamp(min=0.05 * float(deviation.mean()))
        else:
            deviation = features[..., 1:-1, 1:-1].std().expand_as(deviation)
        factor = BLOCK_SCALES[layer.block] / deviation
        scaled[f"{name}.weight"] = weight * factor.view(-1, 1, 1, 1)
        scaled[f"{name}.bias"] = bias * factor
        features, before = (features * factor.view(-1, 1, 1)).relu_(), factor
    return scaled


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_weights(
    checkpoint: Path, out: Path, *, eight_bits: bool = True, figures: str = ""
) -> None:
    """Write the weights file of a checkpoint, with where it comes from and how good it is."""
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    metadata = {
        "source": builtin.SOURCE,
        "preprocessing": builtin.PREPROCESSING.name,
        "license": "MIT",
        "recipe": f"python -m training train --pictures {state['pictures']} --seed {state['seed']}",
        "steps": str(state["step"]),
        "commit": _commit(),
        "date": date.today().isoformat(),
    }
    if figures:
        metadata["figures"] = figures
    tensors = with_classic_scales(folded(checkpoint))
    save_convolutions(VGGFile(out, "nst", tensors, {}), out, metadata, eight_bits=eight_bits)


def export(
    checkpoint: Annotated[Path, typer.Argument(help="checkpoint.pt of a training.")],
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    eight_bits: Annotated[bool, typer.Option(help="A quarter of the size.")] = True,
    figures: Annotated[
        Path | None, typer.Option(help="figures.json of an evaluation, to be kept in the file.")
    ] = None,
) -> None:
    """Write the weights file of a checkpoint."""
    said = "" if figures is None else json.dumps(json.loads(figures.read_text()))
    write_weights(checkpoint, out, eight_bits=eight_bits, figures=said)
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB, sha256 {digest(out)}")


def _commit() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(
        asked, capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    ).stdout.strip()
