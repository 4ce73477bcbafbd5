"""The trained VGG-16 files the world has: their hashes, and where they lie on this machine."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ...errors import WeightsError


@dataclass(frozen=True)
class Source:
    """A published file. `digest` may be the first hex digits; `size` is in bytes, about."""

    name: str
    file_name: str
    url: str | None
    algorithm: str
    digest: str
    preprocessing: str
    size: int
    description: str
    license: str

    @property
    def stored_name(self) -> str:
        """Name of the small file we keep: the 13 convolutions alone."""
        return f"{self.name}.safetensors"


_OXFORD = "CC BY 4.0 (Visual Geometry Group, University of Oxford)"

# In the order `auto` prefers them.
_ALL = (
    Source(
        name="keras",
        file_name="vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        url="https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        algorithm="md5",
        digest="6d6bbae143d832006294945121d1f1fc",
        preprocessing="caffe",
        size=58_889_256,
        description="Keras's port of the original Oxford network; needs h5py",
        license=f"{_OXFORD}; ported by Keras",
    ),
    Source(
        name="torchvision",
        file_name="vgg16-397923af.pth",
        url="https://download.pytorch.org/models/vgg16-397923af.pth",
        algorithm="sha256",
        digest="397923af",
        preprocessing="torchvision",
        size=553_433_881,
        description="torchvision's own training, IMAGENET1K_V1",
        license="BSD-3-Clause code; weights trained by torchvision on ImageNet",
    ),
    Source(
        name="torchvision-features",
        file_name="vgg16_features-amdegroot-88682ab5.pth",
        url="https://download.pytorch.org/models/vgg16_features-amdegroot-88682ab5.pth",
        algorithm="sha256",
        digest="88682ab5",
        preprocessing="caffe-rgb",
        size=553_433_881,
        description="the original Oxford network for RGB input, IMAGENET1K_FEATURES",
        license=f"{_OXFORD}; converted by amdegroot",
    ),
    Source(
        name="neural-style-pt",
        file_name="vgg16-00b39a1b.pth",
        url=None,
        algorithm="sha256",
        digest="00b39a1b",
        preprocessing="caffe",
        size=553_433_881,
        description="jcjohnson's conversion of the original Oxford network; not downloaded by us",
        license=f"{_OXFORD}; converted by Justin Johnson",
    ),
)
SOURCES = {source.name: source for source in _ALL}


def cache_folder() -> Path:
    """Where our own small files are kept: `$NST_CACHE`, else the user's cache folder."""
    if own := os.environ.get("NST_CACHE"):
        return Path(own).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(caches).expanduser() / "nst"


def search_folders(folders: Sequence[Path] = ()) -> list[Path]:
    """The caller's folders, our cache, then torch hub's and Keras's."""
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models"
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    return [*(Path(folder) for folder in folders), cache_folder(), hub, keras]


def find(source: Source, folders: Sequence[Path] = ()) -> Path | None:
    """The first file of that name, ours before the published one; its content is not checked."""
    for folder in search_folders(folders):
        for name in (source.stored_name, source.file_name):
            if (folder / name).is_file():
                return folder / name
    return None


def find_all(folders: Sequence[Path] = ()) -> Iterator[tuple[Source, Path]]:
    """Every source with a file on this machine, in order of preference."""
    for source in SOURCES.values():
        if path := find(source, folders):
            yield source, path


def file_digest(path: Path, algorithm: str) -> str:
    """Hex digest of a whole file."""
    # `usedforsecurity=False`: md5 tells files apart here, and hardened systems forbid it otherwise.
    digest = hashlib.new(algorithm, usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error}. Check the path and rights.") from error
    return digest.hexdigest()


def recognize(path: Path) -> Source | None:
    """The source whose hash this file has; files of an unknown name and size are not hashed."""
    size = path.stat().st_size
    likely = [
        source
        for source in SOURCES.values()
        if path.name == source.file_name or abs(size - source.size) < source.size // 50
    ]
    digests = {
        algorithm: file_digest(path, algorithm)
        for algorithm in {source.algorithm for source in likely}
    }
    return next((s for s in likely if digests[s.algorithm].startswith(s.digest)), None)
