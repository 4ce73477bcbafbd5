"""Keras's files: HDF5 of Keras 1 to 3, and `.keras`, a zip archive with HDF5 in it."""

import math
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from ...errors import PackageError, WeightsError
from ...optional import imported
from .contents import DAMAGE, LARGEST, RETRY, Contents, too_large
from .hdf5_heaps import check_heaps

# Bytes of the convolutions that are read, as float32; of VGG-16 they are 59 MB.
_CONVOLUTIONS = 1 << 29
_MEMBER = "model.weights.h5"
_LAYER = re.compile(r"block[1-5]_conv[1-4]")


def read_keras_archive(path: Path) -> Contents:
    """The tensors of a `.keras` file; the program that may be beside them is not looked at.

    Raises:
        WeightsError: as `read_hdf5`, or it would unpack to more than `LARGEST`.
    """
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryFile() as unpacked:
            size = archive.getinfo(_MEMBER).file_size
            if size > LARGEST:
                raise too_large(path, size)
            with archive.open(_MEMBER) as packed:  # never gives more than the size it was told
                shutil.copyfileobj(packed, unpacked, 1 << 20)
            return read_hdf5(path, unpacked)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be unpacked: {error}. Make room in {tempfile.gettempdir()}."
        ) from error
    except (NotImplementedError, *DAMAGE) as error:
        raise WeightsError(f"{path} is a damaged Keras file: {error}. {RETRY}") from error


def read_hdf5(path: Path, source: Path | IO[bytes]) -> Contents:
    """Kernels and biases as `<group>.weight` and `<group>.bias`, float32; `backend` as metadata.

    Args:
        path: for messages.
        source: what is read.

    Raises:
        WeightsError: h5py is missing, or the file is damaged, unsafe or too large.
    """
    try:
        h5py = imported("h5py", "h5py")
    except PackageError as error:
        raise WeightsError(f"{path} is a Keras file, and {error}") from error
    groups: dict[str, dict[str, Any]] = {}

    def visit(name: str, item: Any) -> None:  # links to other files are not visited
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):
            groups.setdefault(item.parent.name, {})[name.rpartition("/")[2]] = item

    try:
        check_heaps(source)
        with h5py.File(source, "r") as file:
            file.visititems(visit)
            _refuse_unsafe(path, groups)
            tensors: dict[str, Tensor] = {}
            for group, datasets in groups.items():
                tensors.update(_layer(group, datasets))
            return Contents("keras", tensors, _backend(file))
    except DAMAGE as error:
        raise WeightsError(f"{path} is a damaged Keras file: {error}. {RETRY}") from error


def _refuse_unsafe(path: Path, groups: dict[str, dict[str, Any]]) -> None:
    """What would read another file, or unpack to more than a network has."""
    wanted = [item for items in groups.values() for item in items.values() if item.ndim in (1, 4)]
    if any(item.is_virtual or item.external for item in wanted):
        raise WeightsError(
            f"{path} takes values out of other files, and was refused. Use a file that is whole."
        )
    # One chunk is unpacked whole, however little of it the dataset has.
    counts = [max(item.size, math.prod(item.chunks or ())) for item in wanted]
    size = sum(
        count * max(item.dtype.itemsize, 4) for count, item in zip(counts, wanted, strict=True)
    )
    if size > _CONVOLUTIONS:
        raise too_large(path, size, _CONVOLUTIONS)


def _layer(group: str, datasets: dict[str, Any]) -> dict[str, Tensor]:
    """A convolution's kernel and bias, or a sign that there is a normalization."""
    flat = {leaf: item for leaf, item in datasets.items() if item.ndim == 1}
    kernels = [item for item in datasets.values() if item.ndim == 4]
    name = _name(group, next(iter(datasets.values())).parent)
    if kernels:
        found = {f"{name}.weight": _values(kernels[0])}
        return found | {f"{name}.bias": _values(item) for item in list(flat.values())[:1]}
    if len(flat) == len(datasets) > 1:
        batch = "batch_norm" in group or any("ing_mean" in leaf for leaf in flat)
        kind = "running_mean" if batch else "weight"
        return {f"{name}.{kind}": _values(next(iter(flat.values())))}
    return {}


def _name(group: str, parent: Any) -> str:
    """The group's own path, unless Keras 3 tells the layer's name beside it."""
    path = re.sub(r"[/\\]", ".", group.strip("/"))
    told = _LAYER.search(_word(parent, "name") or "")
    # layers/conv2d_7/vars; Keras 3.0 to 3.5 tell no names.
    return f"{path.rpartition('layers.')[0]}layers.{told[0]}" if told else path


def _values(item: Any) -> Tensor:
    if item.dtype.kind not in "fiu":
        raise ValueError(f"{item.name} is {item.dtype}")
    return torch.from_numpy(item[()].astype("float32"))


def _backend(file: Any) -> dict[str, str]:
    """What computed with these kernels, where Keras 2 tells it."""
    for place in (file, file.get("model_weights")):
        told = _word(place, "backend") if place is not None else None
        if told is not None:
            return {"backend": told}
    return {}


def _word(place: Any, name: str) -> str | None:
    """An attribute, if it is there and is one string.

    Others are not even read: where a damaged file says that one is a list, HDF5 follows the places
    it gives, and crashes.
    """
    if name not in place.attrs:
        return None
    kept = place.attrs.get_id(name)
    if kept.shape != () or imported("h5py", "h5py").check_string_dtype(kept.dtype) is None:
        return None
    told = place.attrs[name]
    return told.decode() if isinstance(told, bytes) else str(told)
