"""Which network made a picture: known by its values, and written into the picture."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nst_core import VGG16, load_vgg16
from nst_core.files.weights.names import SHAPES
from nst_core.files.weights.vgg_file import VGGFile, save_convolutions

QUALITY = 88
# Biases of Keras's file from the first block to the last, as people print who have loaded it.
KERAS = {
    ("conv1_1.bias", 0): 0.73429835,
    ("conv1_1.bias", 25): 0.7446502,
    ("conv2_1.bias", 1): 0.06440781,
    ("conv5_2.bias", 510): 0.23517226,
}
HALF = 2**-10  # what half precision may change of a value, as a share of it


@dataclass(frozen=True)
class Network:
    """The name that `--weights` knows it by, and the first digits of a hash of its values."""

    name: str
    values: str


@lru_cache
def ours() -> tuple[Network, ...]:
    """Those of the package."""
    return tuple(Network(name, _values(load_vgg16(name))) for name in ("builtin", "untrained"))


def found(weights: str, cache: Path) -> Network:
    """The network in a file or of a name. From now on its name finds it, whatever the file's is.

    `cache` is an empty folder, for Keras's.
    """
    vgg = load_vgg16(weights)
    values, tensors = _values(vgg), vgg.weights()
    for own in ours():
        if own.values == values:
            return own
    for (name, index), bias in KERAS.items():
        if abs(float(tensors[name][index]) - bias) > HALF * bias:
            raise SystemExit(
                f"{vgg.source} is not ImageNet's VGG-16 as Keras has it, nor builtin, nor "
                f"untrained: {name} [{index}] is {float(tensors[name][index]):.4g} where Keras has "
                f"{bias:.4g}. Get it: nst weights get keras"
            )
    metadata = {"source": "keras", "preprocessing": vgg.preprocessing.name}
    path = cache / "keras.safetensors"
    save_convolutions(VGGFile(path, "nst", tensors, {}), path, metadata)
    os.environ["NST_CACHE"] = str(cache)
    return Network("keras", values)


def _values(vgg: VGG16) -> str:
    """The same for a file in single and in half precision."""
    tensors, digest = vgg.weights(), hashlib.sha256()
    for name in SHAPES:
        digest.update(tensors[name].half().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def save(picture: Image.Image, path: Path, networks: Sequence[Network]) -> None:
    """Write a picture, and into it as a comment which networks made it."""
    made_by = ", ".join(f"{network.name} {network.values}" for network in networks)
    mark = f"network: {made_by or 'none, drawn by code'}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        text = PngInfo()
        text.add_text("comment", mark)
        picture.save(path, pnginfo=text)
    else:
        picture.save(path, quality=QUALITY, comment=mark)


def names_in(path: Path) -> tuple[str, ...] | None:
    """The networks that a picture names; none made what code drew, None is a picture unmarked."""
    with Image.open(path) as picture:
        told = picture.info.get("comment", "")
    mark = told.decode(errors="replace") if isinstance(told, bytes) else told
    if not mark.startswith("network: "):
        return None
    return tuple(re.findall(r"(\w+) [0-9a-f]{12}", mark))
